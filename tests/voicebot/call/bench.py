"""Bench: one CallSession between a simulated leg, a brain's seat that tests command, and an office with one agent."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

from voicebot.call.prompts import APOLOGY, FAREWELL
from voicebot.call.session import CallSession
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.talk import BRIEFING, HandOver, Play, Report
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.handoff.desk import Seat
from voicebot.handoff.testing import Office, agent
from voicebot.telephony.leg import Answered, LegEvent
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
TONE = b"\x10\x08" * 160


class Seatless:
    """The brain's seat as the test wants it: alive or not, and all it was told."""

    def __init__(self) -> None:
        self.alive = True
        self.reports: list[Report] = []
        self.frames = 0
        self.prompts = {APOLOGY: b"\x01\x30" * 800, FAREWELL: b"\x02\x30" * 800}

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def frame(self, call: int, pcm: bytes) -> None:
        self.frames += 1

    def stored(self, name: str) -> bytes | None:
        return self.prompts.get(name)


class OneAgent(Office):
    """A desk with one agent, who counts how often they are reserved."""

    def __init__(self) -> None:
        super().__init__([agent("a1")], lambda: NOW)
        self.reserved = 0

    def _reserve(self, agent_id: str, call_id: str) -> Seat:
        self.reserved += 1
        return super()._reserve(agent_id, call_id)


class Bench:
    """One session with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.leg, self.line = SimulatedLeg(), SimulatedLine()
        self.brain, self.desk = Seatless(), OneAgent()
        self.signer = Signer.load_or_create(folder / "keys")
        self.recorder = Recorder(folder / "c1", "c1", clock=FixedClock(NOW), environment={})
        self.facts: list[Fact] = []
        self.recorder.subscribe(self.facts.append)
        self.live: list[object] = []
        facts = CallFacts("c1", NOW, None)
        self.session = CallSession(
            1, facts, "inbound", self.leg, self.recorder, self.brain, self.line, self.desk,
            lambda call_id, data: self.live.append(data),
        )  # fmt: skip
        self.run = asyncio.create_task(self.session.run())
        self.tick = 0

    async def after(self, *events: LegEvent) -> Bench:
        for event in events:
            self.leg.tell(event)
        await settle()
        return self

    async def turn(self, ticks: int, said: bytes = bytes(320)) -> list[bytes]:
        heard = []
        for _ in range(ticks):
            heard.append(self.leg.tick(self.tick, said))
            for leg in self.line.legs:
                leg.tick(self.tick, TONE)
            self.tick += 1
            await settle(4)
        return heard

    def play(self, name: str, frames: int, *, interruptible: bool = True) -> None:
        self.session.obey(Play(1, name, f"text of {name}", "node", interruptible))
        self.session.sound(name, TONE * frames, True)

    @property
    def kinds(self) -> list[FactKind]:
        return [fact.kind for fact in self.facts]

    def data(self, kind: FactKind) -> list[dict[str, object]]:
        return [dict(fact.data) for fact in self.facts if fact.kind is kind]


async def settle(times: int = 12) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def joined(bench: Bench) -> None:
    bench.line.on_dial = lambda leg: leg.tell(Answered())
    await bench.after(Answered())
    bench.session.sound(BRIEFING, TONE * 2, True)
    bench.session.obey(HandOver(1, "asked", "general", "客户要求人工"))
    await bench.turn(6)
    assert FactKind.JOINED in bench.kinds
