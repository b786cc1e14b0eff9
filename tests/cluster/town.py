"""The far end, a process of its own host: debtors that answer, and a book of who was rung when.

python town.py HOST:PORT BOOK.jsonl PEOPLE.json. PEOPLE maps each number to a persona, or to `brief`: answers, and
hangs up soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path

import uvloop

from sip.call import Call
from sip.errors import CallStateError
from sip.events import Answered, Ended
from sip.message import Uri
from voicebot.config import host_port
from voicebot.demo.far_end import FarEnd
from voicebot.demo.persona import load_personas
from voicebot.telemetry.logs import setup_logs
from voicebot.worker.lifeline import end_with_parent

BRIEF = "brief"
STAYS_S = 4.0


class Town(FarEnd):
    """Simulated debtors by telephone number. Every ring, answer and end is written down at once."""

    def __init__(self, listen: tuple[str, int], book: Path, people: dict[str, str]) -> None:
        super().__init__(listen, load_personas(), book.with_suffix(".report.json"))
        self._people = people
        self._book = book.open("a", encoding="utf-8", buffering=1)

    def _note(self, what: str, number: str, call: Call, **more: object) -> None:
        row = {"at": time.time(), "what": what, "number": number, "call": call.id, "from": call.remote_uri, **more}
        self._book.write(json.dumps(row) + "\n")

    async def _take(self, call: Call) -> None:
        number = (Uri.parse(call.local_uri).user or "").removeprefix("+86")
        kind = self._people.get(number)
        self._note("rung", number, call)
        watching = asyncio.create_task(self._watch(call, number))
        if kind is None:
            call.reject(404)
        elif kind == BRIEF:
            with contextlib.suppress(CallStateError):
                await self._answer_briefly(call)
        else:
            with contextlib.suppress(CallStateError):
                await self._behave(call, self._personas[kind])
        await watching

    async def _watch(self, call: Call, number: str) -> None:
        async for event in call.events():
            if isinstance(event, Answered):
                self._note("answered", number, call)
            elif isinstance(event, Ended):
                self._note("ended", number, call, by=event.by)

    async def _answer_briefly(self, call: Call) -> None:
        call.ring()
        await asyncio.sleep(0.2)
        await call.answer()
        await asyncio.sleep(STAYS_S)
        await call.hangup()


async def _main(listen: str, book: Path, people: dict[str, str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Town(host_port(listen), book, people).run(stop)


if __name__ == "__main__":
    end_with_parent()
    setup_logs()
    uvloop.run(_main(sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())))
