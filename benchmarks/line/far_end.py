"""The far end: rings the server under test, speaks for a while, and judges what came back.

Prints one JSON line when all calls stand, and one with the figures at the end.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from typing import Final

from benchmarks.line.phones import Booth, Phone, judge
from sip import Answered, Call, UserAgent
from sip.media import MediaPort, MediaStats
from sip.message import Request
from sip.sdp import Negotiated

WARM_UP_S: Final = 2.0
IN_FLIGHT: Final = 20
"""Calls that are being set up at a time."""
SURVIVORS: Final = 10
"""Calls that go on when all the others hang up at once."""
ANSWERED_WITHIN_S: Final = 8.0
UNANSWERED: Final = 5
"""After so many calls without an answer no more are tried."""


class PhoneMedia:
    """A phone as the media of a call."""

    on_dtmf: Callable[[str, int], None] | None = None
    on_silent: Callable[[], None] | None = None
    gap = False

    def __init__(self, booth: Booth, phone: Phone | None = None) -> None:
        self._booth, self.phone = booth, phone or Phone(len(booth.phones))
        self._speaks = False

    @property
    def local_port(self) -> int:
        return self.phone.port

    @property
    def stats(self) -> MediaStats:
        """What counts here is `judge`; this only says that something came."""
        return MediaStats(self.phone.sent, len(self.phone.arrivals), 0, 0, 0, 0, 0.0, 0.0, 0.0, None)

    async def open(self) -> None: ...

    def start(self, agreed: Negotiated) -> None:
        if not self._speaks:
            self._booth.call(self.phone, agreed.remote)
            self._speaks = True

    def set_port(self, port: MediaPort | None) -> None: ...

    def send_dtmf(self, digits: str) -> None: ...

    def close(self) -> None:
        self._booth.hang_up(self.phone)


async def ring(agent: UserAgent, target: str, gate: asyncio.Semaphore, unanswered: list[str]) -> Call | None:
    """One call; None where it is not answered."""
    async with gate:
        if len(unanswered) >= UNANSWERED:
            return None
        call = agent.call(target, from_uri="sip:bench@127.0.0.1")
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                async for event in call.events():
                    if isinstance(event, Answered):
                        return call
        except TimeoutError:
            pass
        unanswered.append(call.id)
        return None


async def set_up(booth: Booth, options: argparse.Namespace) -> tuple[UserAgent | None, int, float]:
    """All calls; how many stand, and how many seconds that took."""
    if options.ports:
        for number, port in enumerate(options.ports):
            booth.call(Phone(number), ("127.0.0.1", port))
        return None, len(options.ports), 0.0
    registered = asyncio.Event()

    def admit(source: object, request: Request) -> int | None:
        """A phone that only works registered is told that it is."""
        if request.method != "REGISTER":
            return None
        registered.set()
        return 200

    agent = UserAgent(
        ("127.0.0.1", options.own_port), media_factory=lambda: PhoneMedia(booth), allow=admit, codecs=("PCMU",)
    )
    await agent.start()
    if options.registers:
        await registered.wait()
        await asyncio.sleep(1)  # while it registers it takes our INVITE for the answer
    gate, unanswered, began = asyncio.Semaphore(IN_FLIGHT), list[str](), time.monotonic()
    calls = await asyncio.gather(*(ring(agent, options.target, gate, unanswered) for _ in range(options.calls)))
    return agent, sum(call is not None for call in calls), time.monotonic() - began


async def run(options: argparse.Namespace) -> None:
    booth = Booth()
    booth.start()
    agent, up, took_s = await set_up(booth, options)
    print(json.dumps({"up": up, "setup_s": took_s}), flush=True)
    await asyncio.sleep(WARM_UP_S)
    since = time.time()
    await asyncio.sleep(options.seconds)
    until = time.time()
    figures = judge(list(booth.phones), since, until)
    if agent is not None and len(agent.calls) > 2 * SURVIVORS:
        figures["hang_up_worst_ms"] = await mass_hang_up(agent, booth)
    booth.close()
    print(json.dumps(figures), flush=True)
    if agent is not None:
        await agent.close()


async def mass_hang_up(agent: UserAgent, booth: Booth) -> float:
    """All but a few hang up at once; how late the packets of the others came meanwhile, in ms."""
    began = time.time()
    await asyncio.gather(*(call.hangup() for call in agent.calls[SURVIVORS:]))
    await asyncio.sleep(1)
    return float(judge(list(booth.phones), began - 0.5, time.time())["worst_ms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--own-port", type=int, default=0)
    parser.add_argument("--target", default="")
    parser.add_argument("--registers", action="store_true", help="the server registers with us first")
    parser.add_argument("ports", type=int, nargs="*")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
