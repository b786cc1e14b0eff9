"""The far end: the debtors' telephones in a process of their own, over SIP for our server, over bare RTP for the other.

    python -m benchmarks.turns.far_end REPORT.json --listen HOST:PORT
    python -m benchmarks.turns.far_end REPORT.json --ports PORT ... --at-once 10

With --listen it answers calls until it is told to stop; ports it rings, so many at once, until all has been said.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.line.far_end import PhoneMedia
from benchmarks.line.phones import Booth
from benchmarks.turns.debtors import debtors
from benchmarks.turns.phone import TalkingPhone
from sip.call import Call
from sip.errors import CallStateError
from sip.events import Ended
from sip.user_agent import UserAgent
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.worker.priority import go_first

APART_S: Final = 0.1
"""Calls are set up one after the other, as a dialler does."""
LONGEST_CALL_S: Final = 90.0


class FarEnd:
    """All telephones, and what they heard."""

    def __init__(self) -> None:
        self._booth = Booth()
        self._lines = debtors(load_synthesizer())
        self._numbers = itertools.count()
        self.phones: list[TalkingPhone] = []

    def phone(self) -> TalkingPhone:
        number = next(self._numbers)
        self.phones.append(TalkingPhone(number, self._lines[number % len(self._lines)]))
        return self.phones[-1]

    async def answer(self, listen: tuple[str, int], stop: asyncio.Event) -> None:
        """Take calls over SIP until `stop`."""
        agent = UserAgent(listen, media_factory=lambda: PhoneMedia(self._booth, self.phone()), on_incoming=self._take,
                          codecs=("PCMA",))
        await agent.start()
        self._booth.start()
        await stop.wait()
        await agent.close()

    async def _take(self, call: Call) -> None:
        with contextlib.suppress(CallStateError):
            call.ring()
            await asyncio.sleep(0.5)
            await call.answer()
            async for event in call.events():
                if isinstance(event, Ended):
                    return

    async def talk(self, ports: list[int], at_once: int) -> float:
        """Talk to all these RTP ports of this machine; how many seconds of calls that were."""
        self._booth.start()
        total_s = 0.0
        for first in range(0, len(ports), at_once):
            total_s += sum(await asyncio.gather(*map(self._talk_to, ports[first : first + at_once], itertools.count())))
        return total_s

    async def _talk_to(self, port: int, place: int) -> float:
        await asyncio.sleep(place * APART_S)
        phone, began = self.phone(), time.monotonic()
        self._booth.call(phone, ("127.0.0.1", port))
        while not phone.done and time.monotonic() < began + LONGEST_CALL_S:  # noqa: ASYNC110  # a thread moves it on
            await asyncio.sleep(0.2)
        self._booth.hang_up(phone)
        return time.monotonic() - began

    def told(self) -> dict[str, Any]:
        """The figures of all telephones together."""
        self._booth.close()
        total: dict[str, Any] = {}
        for phone in self.phones:
            for name, value in asdict(phone.heard).items():
                total[name] = total[name] + value if name in total else value
        return total


async def run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    far_end = FarEnd()
    print(json.dumps({"ready": True}), flush=True)
    if options.ports:
        call_s = await far_end.talk(options.ports, options.at_once)
    else:
        host, port = options.listen.rsplit(":", 1)
        await far_end.answer((host, int(port)), stop)
        call_s = 0.0
    options.report.write_text(json.dumps({**far_end.told(), "call_s": call_s}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--ports", type=int, nargs="*")
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    go_first()
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
