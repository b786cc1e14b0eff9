"""Stage: one line and one brain joined tick by tick, with the call book in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voicebot.asr.recognizer import Recognizer
from voicebot.audio.vad import VoiceActivity
from voicebot.call.outcome import CallOutcome
from voicebot.call.runner import CallRunner, DialOrder
from voicebot.call.session import CallSession
from voicebot.config import scripts_dir
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.talk import Report, Stored
from voicebot.domain.understanding import Topic
from voicebot.evidence.signer import Signer
from voicebot.handoff.rules import DEFAULT, TransferRules
from voicebot.handoff.testing import Office, agent
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.standby import Standby
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine
from voicebot.tts.cache import PromptCache
from voicebot.worker.brain import Brain
from voicebot.worker.ticks import Ack, Sound, Tick

from . import people
from .sip_line import NetworkLine, Wire
from .virtual_time import START, VirtualClock, VirtualLoop

CASE = Case(
    id="L-1",
    debtor=Debtor("d-1", "李振海", Salutation.MR, "4321", "0815"),
    creditor=Creditor("b-1", "示范消费金融有限公司", "示范服务中心", "4008001234"),
    product="消费分期",
    amount_fen=126800,
    overdue_days=3,
    as_of=START.date(),
    principal_fen=126800,
    fees_fen=0,
)


class Models:
    """What takes seconds to load, once for all scenarios."""

    def __init__(self, recognizer: Recognizer, prompts: PromptCache) -> None:
        self.recognizer, self.prompts = recognizer, prompts
        self.standby: Standby | None = None
        self.understander = Understander()

    def is_complete(self, text: str, topic: Topic) -> bool:
        return is_complete_answer(text, topic, self.understander)


class Seatmate:
    """The brain's seat at the line, without a socket between."""

    def __init__(self) -> None:
        self.alive = True
        self.reports: list[Report] = []
        self.frames: list[tuple[int, bytes]] = []
        self.prompts: dict[str, bytes] = {}

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def frame(self, call: int, pcm: bytes) -> None:
        self.frames.append((call, pcm))

    def stored(self, name: str) -> bytes | None:
        return self.prompts.get(name)


class Stage:
    """One call at a time: `await stage.ring(debtor)`, then `await stage.play(until)`."""

    def __init__(
        self,
        loop: VirtualLoop,
        models: Models,
        home: Path,
        *,
        agents: int = 0,
        busy: bool = False,
        mouth: Callable[[int], bytes] | None = None,
        supervisors: int = 0,
        rules: TransferRules = DEFAULT,
        line: Callable[[Callable[[Wire], None]], NetworkLine] | None = None,
    ) -> None:
        self.loop = loop
        self.facts: list[Fact] = []
        self.outcome: CallOutcome | None = None
        self.bundle: Path | None = None
        self.agents: list[people.Agent] = []
        self.debtor: people.Debtor | None = None
        self.leg: SimulatedLeg | Wire | None = None
        self.seat = Seatmate()
        self._busy = busy
        self._mouth = mouth
        self._number = 0
        clock = VirtualClock(loop)
        hearing = Hearing(models.recognizer, VoiceActivity(), models.is_complete, models.standby)
        bosses = [f"s{number}" for number in range(supervisors)]
        everybody = [agent(f"a{number}") for number in range(agents)] + [agent(s, presence="away") for s in bosses]
        self.desk = Office(everybody, clock.now, bosses)
        self.brain = Brain(hearing, models.understander, models.prompts, clock, scripts_dir())
        self.line = line(self._rung) if line else SimulatedLine(self._rung)
        self.runner = CallRunner(
            self.line, self.seat, self.desk, self, clock,
            recordings=home / "recordings", signer=Signer.load_or_create(home / "keys"), scripts=scripts_dir(),
            max_calls=4, inbound_script="inbound", worker="stage-0", rules=rules,
        )  # fmt: skip

    # --- the call book -------------------------------------------------------------------------------------

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None: ...

    def fact(self, call_id: str, fact: Fact) -> None:
        self.facts.append(fact)
        if self.debtor is not None:
            self.debtor.notice(fact)

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None:
        self.outcome, self.bundle = outcome, bundle

    # --- the play ------------------------------------------------------------------------------------------

    def _rung(self, leg: SimulatedLeg | Wire) -> None:
        if self.leg is None:
            self.leg = leg
        elif isinstance(leg, SimulatedLeg):
            self.agents.append(people.Agent(leg, busy=self._busy, mouth=self._mouth))

    async def ring(self, debtor: people.Debtor, script: str = "reminder") -> Any:
        self.debtor = debtor
        if isinstance(self.line, NetworkLine):
            await self.line.start()
        await self.runner.dial(DialOrder("scenario-1", "sip:debtor@home", script, CASE, None))
        await self.loop.settle()
        assert self.leg is not None
        return self.leg

    async def play(self, until: Callable[[], bool] | None = None, within_s: float = 180.0) -> None:
        """Turn the clock until something is true; without `until` until the call is over and sealed."""
        enough = until or (lambda: self.outcome is not None)
        deadline = self.loop.time() + within_s
        while not enough():
            assert self.loop.time() < deadline, f"not within {within_s} s:\n{self.story()}"
            await self._tick()

    async def pass_time(self, seconds: float) -> None:
        end = self.loop.time() + seconds
        await self.play(lambda: self.loop.time() >= end)

    async def _tick(self) -> None:
        self.loop.advance(0.02)
        self._number += 1
        if self.leg is not None and self.debtor is not None:
            self.debtor.tick(self.leg.tick(self._number, self.debtor.lips()))
        for one in self.agents:
            one.tick(self._number)
        reports, self.seat.reports = self.seat.reports, []
        frames, self.seat.frames = self.seat.frames, []
        for message in (*reports, Tick(self._number, tuple(frames))):
            self.brain.take(message)
        await self.loop.settle()
        self._obey()
        await self.loop.settle()

    def _obey(self) -> None:
        for message in self.brain.outgoing():
            match message:
                case Ack() | Stored():
                    continue
                case Sound(call=0):
                    name = message.utterance_id
                    self.seat.prompts[name] = self.seat.prompts.get(name, b"") + message.pcm
                case Sound():
                    session = self._session(message.call)
                    if session is not None:
                        session.sound(message.utterance_id, message.pcm, message.last)
                case _:
                    session = self._session(message.call)  # type: ignore[union-attr]
                    if session is not None:
                        session.obey(message)  # type: ignore[arg-type]

    def _session(self, call: int) -> CallSession | None:
        return self.runner.sessions.get(call)

    async def close(self) -> None:
        if isinstance(self.leg, SimulatedLeg):
            await self.leg.hang_up()
        await self.loop.settle()
        await self.brain.forget_all()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await self.loop.settle()

    # --- what came of it -----------------------------------------------------------------------------------

    def of(self, kind: FactKind) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind is kind]

    def said(self) -> list[str]:
        return [str(fact.data["text"]) for fact in self.of(FactKind.SAYING)]

    def story(self) -> str:
        return "\n".join(f"{fact.ms:6} {fact.kind.value} {dict(fact.data)}" for fact in self.facts)
