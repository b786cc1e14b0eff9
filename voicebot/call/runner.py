"""CallRunner: starts, limits and drains the calls of one line process."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import structlog

from voicebot.call.brain import BrainSeat
from voicebot.call.outcome import CallOutcome, outcome_of
from voicebot.call.session import CallSession
from voicebot.call.shelf import Shelf
from voicebot.domain.case import INSTITUTION, CallFacts, Case
from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.phone import mask_number
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.reading import read_journal
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.evidence.surroundings import surroundings
from voicebot.handoff.desk import Desk, Seat
from voicebot.handoff.preview import ring_dialler
from voicebot.handoff.rules import DEFAULT, TransferRules
from voicebot.handoff.transfer import release
from voicebot.telemetry import traces
from voicebot.telemetry.cpu_clock import CLOCK
from voicebot.telemetry.journal_spans import spans_of
from voicebot.telemetry.masking import conceal
from voicebot.telephony.admission import Admission, AlwaysOpen
from voicebot.telephony.leg import CallLeg, Line, Wanted, always

log = structlog.get_logger(__name__)


class CallBook(Protocol):
    """Where calls are written down for others to see while they run and after."""

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None: ...

    def fact(self, call_id: str, fact: Fact) -> None: ...

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class DialOrder:
    """An outbound call to place; whoever orders it chooses its id, to find it again.

    `agent_id`: this agent is rung first and talks; the bot only listens. `close_by`: the call is closed then.
    `papers`: what was known before it, for its evidence. `wanted`: asked right before it rings.
    """

    call_id: str
    target: str
    script: str
    case: Case | None
    attempt_id: str | None
    ring_timeout_s: float = 45
    caller_id: str | None = None
    trunk: str | None = None
    agent_id: str | None = None
    close_by: dt.datetime | None = None
    papers: Mapping[str, object] = field(default_factory=dict)
    wanted: Wanted = always


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls in: the number as cases hold it, and the case it may be about. Nobody is verified by that."""

    number: str
    case: Case | None


class Room(Protocol):
    """Whether there is room to record further calls."""

    @property
    def may_dial(self) -> bool: ...

    @property
    def may_answer(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Ample:
    """Room without end, for calls that are not kept."""

    may_dial: bool = True
    may_answer: bool = True


AMPLE = Ample()
ScriptOf = Callable[[CallLeg], str | None]
"""Which script answers an incoming call; None for the usual one."""
Granted = Callable[[Case | None], Mapping[str, str]]
"""What the bot may grant in a case, as `CallFacts.extra` carries it."""
LookUp = Callable[[str], Awaitable[Caller]]
"""Finds the caller of a URI."""
LOOKED_UP_WITHIN_S = 0.3
"""An incoming call is not kept waiting for the database longer than this; then it has no case."""


async def nobody_known(remote: str) -> Caller:
    """A look-up that finds no case."""
    return Caller(remote, None)


class CallRunner:
    """All calls of this process. Call numbers start at 1; 0 stands for the line itself.

    `engines`: what hears and speaks in these calls (recognizer, synthesizer), for the journal. `unsealed`: told of
    recordings for which the disk had no room.
    """

    def __init__(
        self,
        line: Line,
        brain: BrainSeat,
        desk: Desk,
        book: CallBook,
        clock: Clock,
        *,
        recordings: Path,
        signer: Signer,
        scripts: Path,
        frozen_scripts: Path | None = None,
        granted: Granted = lambda case: {},
        max_calls: int,
        inbound_script: str,
        worker: str,
        look_up: LookUp = nobody_known,
        institution: str = INSTITUTION,
        engines: Mapping[str, str] = MappingProxyType({}),
        admission: Admission | None = None,
        script_of: ScriptOf = lambda leg: None,
        rules: TransferRules = DEFAULT,
        room: Room = AMPLE,
        unsealed: Callable[[Path], None] = lambda folder: None,
    ) -> None:
        self._line = line
        self._brain = brain
        self._desk = desk
        self._book = book
        self._clock = clock
        self._recordings = recordings
        self._signer = signer
        self._shelf = Shelf(scripts, frozen_scripts)
        self._granted = granted
        self._max_calls = max_calls
        self._inbound_script = inbound_script
        self._worker = worker
        self._look_up = look_up
        self._institution = institution
        self._engines = dict(engines)
        self._admission = admission or AlwaysOpen()
        self._script_of = script_of
        self._rules = rules
        self._room = room
        self._unsealed = unsealed
        self._sessions: dict[int, CallSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 1
        self.draining = False

    @property
    def running(self) -> int:
        """Calls that are not yet over and sealed."""
        return len(self._tasks)

    @property
    def sessions(self) -> Mapping[int, CallSession]:
        return self._sessions

    @property
    def may_dial(self) -> bool:
        """False while no call may come, no trunk can take one, or the room for recordings grows short."""
        return self._room.may_dial and self._may_converse and self._admission.may_dial()

    @property
    def _may_converse(self) -> bool:
        """False while full, draining, overloaded or without a brain: nobody is to hear an apology."""
        running, most = len(self._sessions), self._line.capabilities.max_calls or self._max_calls
        able = not self.draining and self._brain.alive and running < min(self._max_calls, most)
        return able and self._admission.may_take(running)

    def find(self, call_id: str) -> CallSession | None:
        return next((s for s in self._sessions.values() if s.facts.call_id == call_id), None)

    def refusal(self) -> int | None:
        """The SIP status for one more incoming call: None to take it, 503 when full, draining or unable."""
        return None if self._may_converse and self._room.may_answer else 503

    async def dial(self, order: DialOrder) -> None:
        """Place a call; returns at once, the call book tells the rest. What is raised has left no call behind.

        With an agent who dials it returns when they have answered; AgentAbsentError where they do not.
        """
        if order.agent_id is None:
            await self._dial(order, None)
            return
        seat, leg = await ring_dialler(self._desk, self._line, order.agent_id, order.call_id, self._rules)
        try:
            await self._dial(order, (seat, leg))
        except BaseException:
            await asyncio.shield(asyncio.gather(leg.hang_up(), release(self._desk, seat, talked=False)))
            raise

    async def _dial(self, order: DialOrder, lead: tuple[Seat, CallLeg] | None) -> None:
        facts = CallFacts(
            order.call_id,
            self._clock.now(),
            order.case,
            number=order.target,
            direction="outbound",
            extra=dict(self._granted(order.case)),
        )
        recorder = self._open_recorder(facts, order.papers)  # who cannot be recorded is not dialled
        try:
            leg = await self._line.dial(
                order.target, ring_timeout_s=order.ring_timeout_s, caller_id=order.caller_id, trunk=order.trunk,
                wanted=order.wanted,
            )  # fmt: skip
        except BaseException:
            recorder.discard()
            raise
        try:
            session = self._start(facts, order.script, leg, order.attempt_id, recorder)
        except BaseException:
            await asyncio.shield(leg.hang_up())
            raise
        dialled = {"to": leg.remote, "from": leg.local, "sip_call_id": leg.id, "trunk": leg.trunk}
        session.recorder.append(FactKind.DIALLED, dialled)
        if lead is not None:
            session.led_by(*lead)
        if order.close_by is not None:
            left_s = (order.close_by - self._clock.now()).total_seconds()
            asyncio.get_running_loop().call_later(max(0.0, left_s), session.hours_end)
        self._track(self._live_through(session, order.attempt_id))

    async def incoming(self, leg: CallLeg) -> None:
        """Answer a call that came in, or turn it away."""
        caller = await self._caller(leg.remote) if self.refusal() is None else None
        status = self.refusal()
        if caller is None or status is not None:
            leg.reject(status or 503, retry_after_s=30)
            return
        facts = CallFacts(
            new_call_id(),
            self._clock.now(),
            caller.case,
            number=caller.number,
            direction="inbound",
            extra=dict(self._granted(caller.case)) if caller.case else {"institution": self._institution},
        )
        try:
            recorder = self._open_recorder(facts)
        except OSError as error:
            log.error("a caller is sent away: the call cannot be recorded, see to the disk", error=str(error))
            leg.reject(503, retry_after_s=30)
            return
        session = self._start(facts, self._script_of(leg) or self._inbound_script, leg, None, recorder)
        self._track(self._live_through(session, None, answer=True))

    async def _caller(self, remote: str) -> Caller:
        """Who calls; nobody known when the database is slow or away."""
        try:
            async with asyncio.timeout(LOOKED_UP_WITHIN_S):
                return await self._look_up(remote)
        except Exception as error:
            log.warning("the caller could not be looked up in time", error=repr(error))
            return await nobody_known(remote)

    def brain_lost(self, silent_ms: int) -> None:
        for session in list(self._sessions.values()):
            session.brain_lost(silent_ms)

    async def drain(self, timeout_s: float) -> None:
        """No new calls; running ones finish within `timeout_s`, then they are hung up."""
        self.draining = True
        await self._wait(timeout_s)
        await asyncio.gather(*(one.hang_up() for one in self._sessions.values()), return_exceptions=True)
        await self._wait(10)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, timeout_s: float) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)

    def _open_recorder(self, facts: CallFacts, papers: Mapping[str, object] = MappingProxyType({})) -> Recorder:
        """OSError: there is no room, or the folder can't be written."""
        folder = bundle_folder(self._recordings, facts.call_id, facts.started_at)
        return Recorder(
            folder, facts.call_id, clock=self._clock, environment=surroundings(self._worker), papers=papers
        )

    def _start(
        self, facts: CallFacts, script: str, leg: CallLeg, attempt_id: str | None, recorder: Recorder
    ) -> CallSession:
        conceal(facts.number, facts.case.debtor.name if facts.case else None)
        self._book.opened(facts, script, attempt_id)
        recorder.subscribe(lambda fact: self._book.fact(facts.call_id, fact))
        index, self._next = self._next, self._next + 1
        edition = self._shelf.pick(script, facts.case.id if facts.case else facts.number)
        recorder.append(FactKind.STARTED, self._started(facts, edition, attempt_id))
        session = CallSession(
            index, facts, edition, leg, recorder, self._brain, self._line, self._desk, self._book.live, self._rules
        )
        self._sessions[index] = session
        return session

    def _started(self, facts: CallFacts, edition: str, attempt_id: str | None) -> Mapping[str, object]:
        script, _, number = edition.partition("@")
        return {
            "call_id": facts.call_id,
            "direction": facts.direction,
            "case_id": facts.case.id if facts.case else None,
            "attempt_id": attempt_id,
            "number_masked": mask_number(facts.number),
            "script": script,
            "script_version": int(number) if number.isdigit() else None,
            "script_sha256": self._shelf.sha256(edition),
            "engines": self._engines,
            "trace_id": traces.trace_id_of(facts.call_id),
            **_figures_of(facts.case),
        }

    async def _live_through(self, session: CallSession, attempt_id: str | None, *, answer: bool = False) -> None:
        structlog.contextvars.bind_contextvars(call_id=session.facts.call_id)  # of this call's task alone
        try:
            if answer:
                await session.answer()
            await session.run()
        except Exception:
            log.exception("call failed", call_id=session.facts.call_id)
            session.recorder.append(FactKind.NOTE, {"text": "the line failed in this call, see its log"})
        finally:
            self._sessions.pop(session.index, None)
            await asyncio.shield(self._close(session, attempt_id))

    async def _close(self, session: CallSession, attempt_id: str | None) -> None:
        call_id = session.facts.call_id
        try:
            with traces.span("seal evidence", call_id, worker=self._worker):
                bundle = await asyncio.to_thread(session.recorder.seal, self._signer)
        except OSError:
            bundle = session.recorder.folder
            log.exception("a recording is incomplete, see to the disk: sealed when there is room", call_id=call_id)
            self._unsealed(bundle)
        facts = await asyncio.to_thread(_read_again, bundle)
        if traces.is_tracing():
            await asyncio.to_thread(traces.record, call_id, spans_of(facts))
        self._book.closed(session.facts, outcome_of(facts), bundle, attempt_id)

    def _track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _read_again(bundle: Path) -> list[Fact]:
    with CLOCK.part("recorder"):
        return read_journal(bundle)


def new_call_id() -> str:
    """A fresh call id: 20 hexadecimal digits."""
    return uuid.uuid4().hex[:20]


def _figures_of(case: Case | None) -> Mapping[str, object]:
    """What the bill was when the call began: later it is paid or grows."""
    if case is None:
        return {}
    return {"amount_fen": case.amount_fen, "overdue_days": case.overdue_days, "as_of": case.as_of.isoformat()}
