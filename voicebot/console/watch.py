"""Watch: an open websocket ends with the session it began with; a page must not show on what its reader lost."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Send

LOOKED_EVERY_S = 10.0


class Watch:
    """Looks whenever something comes in, and browsers answer pings every 25 seconds: an end is noticed within 35."""

    def __init__(self, still_in: Callable[[], Awaitable[bool]], receive: Receive, send: Send) -> None:
        self._still_in, self._receive, self._send = still_in, receive, send
        self._looked = time.monotonic()

    async def receive(self) -> Message:
        message = await self._receive()
        now = time.monotonic()
        if message["type"] != "websocket.receive" or now - self._looked < LOOKED_EVERY_S:
            return message
        self._looked = now
        if await self._still_in():
            return message
        await self._send({"type": "websocket.close", "code": 4401, "reason": "the session is over"})
        return {"type": "websocket.disconnect", "code": 4401}
