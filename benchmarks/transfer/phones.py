"""The far end: telephones of debtors and agents, a process of its own that tells what happened when, line by line.

`python -m benchmarks.transfer.phones key|click` prints {"address": …}, then {"who", "what", "at"} with seconds of the
machine's monotonic clock. An agent answers after 0.2 s and a second later presses 1, or leaves accepting to a click;
both sides hum, at different pitches.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import uvloop

from sip.call import Call
from sip.media import MediaSession, MediaWheel, PortPool
from sip.user_agent import UserAgent

DEBTOR_HZ, AGENT_HZ = 1300.0, 1000.0
_T = np.arange(160) / 8000
_HEARD_AT = 800.0
"""Amplitude of the other's hum from which on it is heard."""


def hum(hz: float) -> bytes:
    return bytes((3000 * np.sin(2 * np.pi * hz * _T)).astype("<i2").tobytes())


class Ear:
    """Hums, and tells once when it hears the other's hum after `listen` was called."""

    def __init__(self, own_hz: float, other_hz: float, heard: Callable[[], None]) -> None:
        self._own = hum(own_hz)
        self._wave = np.exp(-2j * np.pi * other_hz * _T) / 80
        self._heard = heard
        self._listens = False

    def listen(self) -> None:
        self._listens = True

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        if self._listens and abs(np.frombuffer(received, "<i2") @ self._wave) > _HEARD_AT:
            self._listens = False
            self._heard()
        return self._own


def tell(who: str, what: str) -> None:
    print(json.dumps({"who": who, "what": what, "at": time.monotonic()}), flush=True)


async def take(call: Call) -> None:
    who = call.local_uri.removeprefix("sip:").split("@")[0]
    tell(who, "rang")
    is_agent = who.startswith("agent")
    hz = (AGENT_HZ, DEBTOR_HZ) if is_agent else (DEBTOR_HZ, AGENT_HZ)
    ear = Ear(*hz, lambda: tell(who, "heard"))
    call.ring()
    await asyncio.sleep(0.2)
    await call.answer()
    if call.media is not None:
        call.media.set_port(ear)
    if is_agent:
        await asyncio.sleep(1.0)
        tell(who, "accepts")
        if sys.argv[1] == "key":
            call.send_dtmf("1")
    ear.listen()
    async for _ in call.events():
        pass


async def main() -> None:
    wheel, ports = MediaWheel(), PortPool(45000, 46999)
    agent = UserAgent(
        ("127.0.0.1", 0),
        media_factory=lambda: MediaSession(wheel, "127.0.0.1", ports),
        on_incoming=take,
    )
    await agent.start()
    wheel.start()
    print(json.dumps({"address": agent.address}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent closes it
    await agent.close()


if __name__ == "__main__":
    uvloop.run(main())
