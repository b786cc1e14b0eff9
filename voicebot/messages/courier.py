"""Courier: tells other systems of events by signed HTTP POSTs, again and again until they are taken or given up.

Body: JSON `{"id", "event", "at", "data"}`; `id` is the event's key and the same at every try. Headers as of messages
(voicebot/messages/webhook.py), `Idempotency-Key` being the id.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Final

import httpx

from voicebot.domain.clock import Clock
from voicebot.domain.event import Event
from voicebot.messages.webhook import signed
from voicebot.store import DatabaseError, Store
from voicebot.store.webhooks import DueDelivery

POLL_S: Final = 2.0
AT_ONCE: Final = 20
TIMEOUT_S: Final = 10.0
FIRST_WAIT: Final = dt.timedelta(seconds=10)
LONGEST_WAIT: Final = dt.timedelta(hours=6)
MOST_TRIES: Final = 12
"""After about a day; what was given up stands in the list of the dead until somebody has it sent again."""

_log = logging.getLogger(__name__)


class Courier:
    """Several may share the work. Redirects are not followed."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=TIMEOUT_S),
    ) -> None:
        self._store, self._clock, self._client = store, clock, client()

    async def run(self) -> None:
        """Deliver what is due, until cancelled; a database that is away is waited for."""
        try:
            while True:
                try:
                    while await self.once():
                        pass
                except (DatabaseError, OSError) as error:
                    _log.error("the database does not answer: %s", error)
                await asyncio.sleep(POLL_S)
        finally:
            await self._client.aclose()

    async def once(self) -> int:
        """One round; how many deliveries were tried."""
        due = await self._store.webhooks.lease(AT_ONCE, self._clock.now())
        await asyncio.gather(*(self._deliver(entry) for entry in due))
        return len(due)

    async def _deliver(self, due: DueDelivery) -> None:
        status, why = await self._post(due)
        delivery, hooks = due.delivery, self._store.webhooks
        if status is not None and 200 <= status < 300:
            await hooks.delivered(delivery.id, status, self._clock.now())
        elif delivery.tries >= MOST_TRIES:
            _log.error("webhook %s: event %s is given up: %s", due.webhook.name, delivery.event.key, why)
            await hooks.give_up(delivery.id, why, status)
        else:
            wait = min(FIRST_WAIT * 3 ** (delivery.tries - 1), LONGEST_WAIT)
            await hooks.later(delivery.id, self._clock.now() + wait, why, status)

    async def _post(self, due: DueDelivery) -> tuple[int | None, str]:
        body = spelt(due.delivery.event)
        headers = {"Content-Type": "application/json", "Idempotency-Key": due.delivery.event.key}
        headers |= signed(due.webhook.secret.encode(), self._clock.now(), body)
        try:
            answer = await self._client.post(due.webhook.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return None, f"no answer: {type(error).__name__}"
        return answer.status_code, "" if answer.is_success else f"answers {answer.status_code}"


def spelt(event: Event) -> bytes:
    """The body that a receiver gets."""
    content = {"id": event.key, "event": event.kind.value, "at": event.at.isoformat(), "data": dict(event.data)}
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
