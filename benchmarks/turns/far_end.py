"""The far end: the debtors' telephones in a process of their own, over SIP for our server, over bare RTP for the other.

    python -m benchmarks.turns.far_end REPORT.json --listen HOST:PORT
    python -m benchmarks.turns.far_end REPORT.json --listen HOST:PORT --nobody-home 25
    python -m benchmarks.turns.far_end REPORT.json --ports PORT ... --at-once 10

With --listen it answers calls until it is told to stop, or lets them hear it ring for so many seconds and answers none;
ports it rings, so many at once, until all has been said.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.line.far_end import PhoneMedia
from benchmarks.line.phones import Booth, Phone
from benchmarks.turns.debtors import debtors
from benchmarks.turns.figures import LATE_S
from benchmarks.turns.phone import RingingPhone, TalkingPhone
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

    def __init__(self, nobody_home_s: float | None = None) -> None:
        self._booth = Booth()
        self._lines = debtors(load_synthesizer())
        self._numbers = itertools.count()
        self._nobody_home_s = nobody_home_s
        self.phones: list[TalkingPhone] = []

    def phone(self) -> TalkingPhone:
        number = next(self._numbers)
        self.phones.append(TalkingPhone(number, self._lines[number % len(self._lines)]))
        return self.phones[-1]

    async def answer(self, listen: tuple[str, int], stop: asyncio.Event) -> None:
        """Take calls over SIP until `stop`."""
        agent = UserAgent(listen, media_factory=lambda: PhoneMedia(self._booth, self._next()), on_incoming=self._take,
                          codecs=("PCMA",))
        await agent.start()
        self._booth.start()
        await stop.wait()
        await agent.close()

    def _next(self) -> Phone:
        return self.phone() if self._nobody_home_s is None else RingingPhone(next(self._numbers))

    async def _take(self, call: Call) -> None:
        with contextlib.suppress(CallStateError):
            if self._nobody_home_s is not None:
                await call.progress()
                await asyncio.sleep(self._nobody_home_s)
                call.reject(480)
                return
            call.ring()
            await asyncio.sleep(0.5)
            await call.answer()
            async for event in call.events():
                if isinstance(event, Ended):
                    return

    async def talk(self, ports: list[int], at_once: int, apart_s: float = APART_S) -> float:
        """Talk to all these RTP ports of this machine; how many seconds of calls that were."""
        self._booth.start()
        total_s = 0.0
        for first in range(0, len(ports), at_once):
            these = ports[first : first + at_once]
            total_s += sum(await asyncio.gather(*map(self._talk_to, these, itertools.count(0.0, apart_s))))
        return total_s

    async def _talk_to(self, port: int, after_s: float) -> float:
        await asyncio.sleep(after_s)
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
        return total | punctual(self.phones)


def punctual(phones: Sequence[Phone]) -> dict[str, Any]:
    """Packets that came in each second, and of those more than LATE_S behind the most punctual one of their call: when
    they were due and when they came (time.time())."""
    by_second: Counter[str] = Counter()
    late: list[tuple[float, float]] = []
    for phone in phones:
        by_second.update(str(int(at)) for _, at in phone.arrivals)
        begin = phone.arrivals[0][0] if phone.arrivals else 0
        frames = [(((stamp - begin + 80_000) & 0xFFFFFFFF) // 160 * 0.02, at) for stamp, at in phone.arrivals]
        due = min((at - since for since, at in frames), default=0.0)
        late += [(due + since, at) for since, at in frames if at - since - due > LATE_S]
    return {"packets": by_second, "late": late}


async def run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    far_end = FarEnd(options.nobody_home)
    print(json.dumps({"ready": True}), flush=True)
    if options.ports:
        call_s = await far_end.talk(options.ports, options.at_once, options.apart)
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
    parser.add_argument("--apart", type=float, default=APART_S, help="seconds between the beginnings of calls")
    parser.add_argument("--nobody-home", type=float, metavar="SECONDS")
    options = parser.parse_args()
    go_first()
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
