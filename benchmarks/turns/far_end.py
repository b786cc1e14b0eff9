"""The far end: telephones on our own SIP stack that answer the calls of the server under test, in a process of its own.

    python -m benchmarks.turns.far_end HOST:PORT REPORT.json
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import uvloop

from benchmarks.turns.caller import Caller, trimmed
from sip.call import Call
from sip.errors import CallStateError
from sip.events import Ended
from sip.media import MediaSession, MediaWheel, PortPool
from sip.user_agent import UserAgent
from voicebot.tts.synthesizer import load_synthesizer

ANSWERS = ("我是，您说", "四三二一", "我明天还", "对，没问题")
"""A debtor who is verified, promises and confirms: four turns."""


class FarEnd:
    """Answers every call and follows it to its end; the figures of all of them go into one report."""

    def __init__(self, listen: tuple[str, int], report: Path) -> None:
        self._wheel = MediaWheel()
        ports = PortPool(40000, 44999)
        self._agent = UserAgent(
            listen, media_factory=lambda: MediaSession(self._wheel, listen[0], ports), on_incoming=self._take
        )
        voice = load_synthesizer()
        self._sentences = [trimmed(voice.synthesize(text, "m3")) for text in ANSWERS]
        self._report = report
        self._callers: list[Caller] = []
        self._lost = 0

    async def run(self, stop: asyncio.Event) -> None:
        await self._agent.start()
        self._wheel.start()
        await stop.wait()
        await self._agent.close()
        figures = {
            "latencies_ms": [ms for caller in self._callers for ms in caller.latencies_ms],
            "cut_in": sum(caller.cut_in for caller in self._callers),
            "packets_lost": self._lost,
        }
        self._report.write_text(json.dumps(figures))

    async def _take(self, call: Call) -> None:
        with contextlib.suppress(CallStateError):
            call.ring()
            await asyncio.sleep(0.5)
            await call.answer()
            caller = Caller(self._sentences)
            self._callers.append(caller)
            assert call.media is not None
            call.media.set_port(caller)
            async for event in call.events():
                if isinstance(event, Ended):
                    self._lost += call.media.stats.lost


async def _main(listen: str, report: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, port = listen.rsplit(":", 1)
    await FarEnd((host, int(port)), report).run(stop)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], Path(sys.argv[2])))
