"""Webhook: messages as signed HTTP POSTs, for SMS and push gateways or a small adapter in front of one.

Body: JSON `{"key", "channel", "to", "text"}`; `channel` is sms or push. Headers: `Idempotency-Key`,
`X-Voicebot-Timestamp` (seconds since 1970) and `X-Voicebot-Signature: sha256=<hex>`, the HMAC-SHA256 of
`<timestamp>.<body>` under the shared secret.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Final

import httpx

from voicebot.domain.clock import Clock
from voicebot.domain.message import MessageChannel
from voicebot.messages.channel import GatewayAway, Letter, Undeliverable, Unsubscribed

TIMEOUT_S: Final = 10.0
OLDEST_S: Final = 300
"""How far the time of a signed request may be off."""
_TRY_AGAIN: Final = frozenset({408, 409, 425, 429})
_GONE: Final = 410


class WebhookChannel:
    """`client` makes the HTTP client; a gateway that redirects is not followed, as the body holds personal data."""

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        channel: MessageChannel = MessageChannel.SMS,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=TIMEOUT_S),
    ) -> None:
        self._url, self._secret, self._clock = url, secret.encode(), clock
        self._channel = channel
        self._client = client()

    def wording(self, letter: Letter) -> str:
        return letter.text

    async def send(self, letter: Letter) -> str | None:
        content = {"key": letter.key, "channel": self._channel.value, "to": letter.to, "text": letter.text}
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.key}
        headers |= signed(self._secret, self._clock.now(), body)
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise GatewayAway(f"the message gateway does not answer: {type(error).__name__}") from error
        if answer.is_success:
            return _id_in(answer)
        if answer.status_code in _TRY_AGAIN or answer.is_server_error:
            raise GatewayAway(f"the message gateway answers {answer.status_code}")
        if answer.status_code == _GONE:
            raise Unsubscribed("the reader has unsubscribed at the message gateway")
        raise Undeliverable(f"the message gateway answers {answer.status_code}: check its address and our secret")

    async def close(self) -> None:
        await self._client.aclose()


def signed(secret: bytes, now: dt.datetime, body: bytes) -> dict[str, str]:
    """The two headers by which a receiver knows that `body` comes from us, and when."""
    stamp = str(int(now.timestamp()))
    return {"X-Voicebot-Timestamp": stamp, "X-Voicebot-Signature": f"sha256={signature(secret, stamp, body)}"}


def is_signed(secret: bytes, stamp: str, claimed: str, body: bytes, now: dt.datetime) -> bool:
    """Whether somebody with our secret sent `body`, within five minutes of now."""
    if not stamp.isascii() or not stamp.isdigit() or abs(int(stamp) - now.timestamp()) > OLDEST_S:
        return False
    wanted = f"sha256={signature(secret, stamp, body)}"
    return hmac.compare_digest(wanted.encode(), claimed.encode())


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
