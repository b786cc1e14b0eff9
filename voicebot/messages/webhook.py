"""Webhook: messages as signed HTTP POSTs, for SMS and push gateways or a small adapter in front of one.

Body: JSON `{"key", "to", "text"}`. Headers: `Idempotency-Key`, `X-Voicebot-Timestamp` (seconds since 1970) and
`X-Voicebot-Signature: sha256=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>` under the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Final

import httpx

from voicebot.domain.clock import Clock
from voicebot.messages.channel import GatewayAway, Undeliverable

TIMEOUT_S: Final = 10.0
_TRY_AGAIN: Final = frozenset({408, 409, 425, 429})


class WebhookChannel:
    """`client` makes the HTTP client; a gateway that redirects is not followed, as the body holds personal data."""

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=TIMEOUT_S),
    ) -> None:
        self._url, self._secret, self._clock = url, secret.encode(), clock
        self._client = client()

    async def send(self, key: str, to: str, text: str) -> str | None:
        body = json.dumps({"key": key, "to": to, "text": text}, ensure_ascii=False).encode()
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Voicebot-Timestamp": stamp,
            "X-Voicebot-Signature": f"sha256={signature(self._secret, stamp, body)}",
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise GatewayAway(f"the message gateway does not answer: {type(error).__name__}") from error
        if answer.is_success:
            return _id_in(answer)
        if answer.status_code in _TRY_AGAIN or answer.is_server_error:
            raise GatewayAway(f"the message gateway answers {answer.status_code}")
        raise Undeliverable(f"the message gateway answers {answer.status_code}: check its address and our secret")

    async def close(self) -> None:
        await self._client.aclose()


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What a gateway compares, in hexadecimal; with a time, so that an overheard request can't be played again."""
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _id_in(answer: httpx.Response) -> str | None:
    try:
        told = answer.json()
    except ValueError:
        return None
    found = told.get("id") if isinstance(told, dict) else None
    return str(found)[:200] if isinstance(found, str | int) else None
