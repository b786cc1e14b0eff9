"""An event loop whose time stands still until it is moved, so that a call of a minute takes as long as its work."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

from voicebot.domain.clock import SHANGHAI

START = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""A Tuesday morning."""
_MOST_ROUNDS = 5000


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time moves by `advance` alone; what others do in threads happens at once and in order."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: object
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    async def settle(self) -> None:
        """Let everybody run until nobody has anything left to do at this moment."""
        for _ in range(_MOST_ROUNDS):
            await asyncio.sleep(0)
            if not self._ready:  # type: ignore[attr-defined]
                return
        raise AssertionError("somebody never comes to rest")


class VirtualClock:
    """A Clock that follows the loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self._loop.time())
