"""DeskData: what an agent's desk reads and commands, answered by the database."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from voicebot.campaign.follow_up import promise_reminders
from voicebot.campaign.permission import caps_of, judge_by
from voicebot.campaign.stops import stop_after
from voicebot.console.agreement import OutsideAuthority, Terms, plan_of, ruling_of
from voicebot.domain.attempt import Attempt, Caps, ContactStop
from voicebot.domain.case import Case
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.desk import AgentCallback, AgentFigures, Wrapup
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialVerdict, Judge
from voicebot.domain.plan import AUTHORITIES, Authority, Plan, Ruling
from voicebot.domain.records import AgentRecord, CallRecord, PromiseRecord, Role
from voicebot.handoff.preview import MAY_DIAL
from voicebot.handoff.screen_pop import ScreenPop, screen_pop
from voicebot.store import Store
from voicebot.worker.commands import DIAL, address_of
from voicebot.worker.turns import Turns

LOOK_BACK = dt.timedelta(hours=12)
"""Calls of which an agent may still owe the wrap-up."""

class NotYours(PermissionError):
    """The call or case belongs to somebody else, or is over."""


class Refused(PermissionError):
    """The rulebook forbids the call; the verdict says which rule, why and until when."""

    def __init__(self, verdict: DialVerdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class DeskCall:
    """A call as the desk shows it: what was said, and what is known of the case from before."""

    call: CallRecord
    pop: ScreenPop
    promises: tuple[PromiseRecord, ...] = ()
    written: tuple[Wrapup, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A wrap-up as the agent sent it."""

    code: Disposition
    notes: str = ""
    terms: Terms = field(default_factory=Terms)
    callback_at: dt.datetime | None = None
    callback_reason: str = ""


class DeskData:
    """All methods take the agent's id from the session, never from the request."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        turns: Turns,
        authorities: Sequence[Authority] = AUTHORITIES,
        targets: Sequence[str] = (),
        judge: Judge | None = None,
    ) -> None:
        self._store = store
        self._targets = targets
        self._given_judge = judge
        self._authorities = authorities
        self._clock = clock
        self._turns = turns

    @cached_property
    def _judge(self) -> Judge:
        return self._given_judge or judge_by()

    @cached_property
    def _caps(self) -> Caps:
        return caps_of()

    # --- presence

    async def agent(self, agent_id: str) -> AgentRecord | None:
        return await self._store.agents.find(agent_id)

    async def set_presence(self, agent_id: str, presence: str, note: str = "") -> None:
        """Ready, away, wrap_up or offline. LookupError without such an agent."""
        if not await self._store.agents.set_presence(agent_id, presence, self._clock.now(), note[:40]):
            raise LookupError(f"there is no agent {agent_id}")

    # --- calls

    async def order(
        self, agent_id: str, call_id: str, verb: str, by: str, payload: Mapping[str, object] | None = None
    ) -> None:
        """Order something of a call in which this agent is. Raises NotYours."""
        agent = await self._store.agents.find(agent_id)
        reserved = agent is not None and agent.call_id == call_id
        if not reserved and not await self._talks(agent_id, call_id):
            raise NotYours(f"the call {call_id} is not yours, or is over")
        await self._store.commands.issue(call_id, verb, self._clock.now(), by=by, payload=payload)

    async def _talks(self, agent_id: str, call_id: str) -> bool:
        """Whether this agent is who talks in a running call: a supervisor may have taken over unreserved."""
        call = await self._store.calls.find(call_id)
        if call is None or not call.running:
            return False
        talking = ""
        for fact in await self._store.facts.of(call_id):
            if fact.kind is FactKind.JOINED:
                talking = str(fact.data.get("agent"))
            elif fact.kind is FactKind.AGENT_LEFT and fact.data.get("agent") == talking:
                talking = ""
        return talking == agent_id

    async def pop(self, call_id: str, agent_name: str = "") -> DeskCall | None:
        """Everything to show about a call, running or over; None without such a call."""
        call = await self._store.calls.find(call_id)
        if call is None:
            return None
        case = await self._store.cases.find(call.case_id) if call.case_id else None
        facts = await self._store.facts.of(call_id)
        return DeskCall(
            call,
            screen_pop(facts, case, self._today(), agent_name),
            tuple(await self._store.promises.of_case(case.id)) if case else (),
            tuple(await self._store.wrapups.of_case(case.id)) if case else (),
        )

    async def before(self, case_id: str) -> DeskCall:
        """What is known of a case before it is rung; the call in it is one that has not begun. LookupError without."""
        record = await self._store.cases.record(case_id)
        if record is None:
            raise LookupError(f"there is no case {case_id}")
        number = next((number.number for number in record.numbers if number.valid), "")
        return DeskCall(
            CallRecord("", "outbound", number, self._clock.now(), case_id),
            screen_pop((), record.case, self._today()),
            tuple(await self._store.promises.of_case(case_id)),
            tuple(await self._store.wrapups.of_case(case_id)),
        )

    async def unwritten(self, agent_id: str) -> list[CallRecord]:
        """Calls this agent was in and has not written about, oldest first."""
        ids = await self._store.wrapups.missing(agent_id, self._clock.now() - LOOK_BACK)
        return [call for call in [await self._store.calls.find(call_id) for call_id in ids] if call]

    async def wrap_up(self, agent_id: str, role: str, call_id: str, written: Written) -> bool:
        """Write about a call and do what follows; False when it was written before.

        Raises NotYours, OutsideAuthority, PlanError (readable), LookupError for an unknown call.
        """
        now = self._clock.now()
        call = await self._store.calls.find(call_id)
        if call is None:
            raise LookupError(f"there is no call {call_id}")
        if not await self._store.wrapups.took_part(agent_id, call_id):
            raise NotYours(f"you were not in the call {call_id}")
        case = await self._store.cases.find(call.case_id) if call.case_id else None
        plan = self.plan(written.terms, case, role) if case else None
        agent = await self._store.agents.find(agent_id)
        writing = agent is not None and agent.presence == "wrap_up" and agent.presence_at is not None
        wrapup = Wrapup(
            call_id,
            agent_id,
            written.code,
            agent.presence_at if writing and agent and agent.presence_at else call.ended_at or now,
            case_id=call.case_id,
            notes=written.notes[:2000],
            parts=plan.parts if plan else (),
            waived_fen=plan.waived_fen if plan else 0,
            callback_at=written.callback_at,
            callback_reason=written.callback_reason[:200],
        )
        following = promise_reminders(wrapup.promise, now) if wrapup.promise else ()
        stop = _stop(call, case, wrapup, now)
        return await self._store.wrapups.save(wrapup, now, number=call.number, stop=stop, following=following)

    def plan(self, terms: Terms, case: Case, role: str) -> Plan | None:
        """The plan that `role` may agree to. Raises PlanError, OutsideAuthority."""
        plan = plan_of(terms, case)
        if plan is not None:
            ruling = self.ruling(plan, case, role)
            if not ruling.allowed:
                raise OutsideAuthority(ruling)
        return plan

    def ruling(self, plan: Plan, case: Case, role: str) -> Ruling:
        """Whether `role` may agree to the plan today. Raises PlanError for a day that is over."""
        return ruling_of(plan, case, role, self._today(), self._authorities)

    # --- cases

    async def case(self, case_id: str) -> Case | None:
        return await self._store.cases.find(case_id)

    async def open_to(self, agent_id: str | None, case_id: str) -> bool:
        """Whether an agent may look at a case: their own, or nobody's."""
        return await self._store.portfolio.owner(case_id) in (None, agent_id)

    async def may_bring_in(self, role: str, target: str) -> bool:
        """Whether somebody may be rung into a call: agents always; others by supervisors, or where it is allowed."""
        if role != Role.AGENT or await self.agent(target) is not None:
            return True
        return any(allowed == "*" or target.startswith(allowed) for allowed in self._targets)

    async def concerns(self, agent_id: str | None, case_id: str) -> bool:
        """Whether an agent may know what a case comes to: open to them, or about to be written about."""
        if await self.open_to(agent_id, case_id):
            return True
        if agent_id is None:
            return False
        agent, calls = await self.agent(agent_id), await self.unwritten(agent_id)
        talking = await self._store.calls.find(agent.call_id) if agent is not None and agent.call_id else None
        return any(call.case_id == case_id for call in [*calls, *([talking] if talking else [])])

    async def pool(self) -> tuple[Sequence[Case], int]:
        """Cases to pull, and how many there are."""
        return await self._store.portfolio.pool(self._clock.now())

    async def mine(self, agent_id: str) -> Sequence[Case]:
        return await self._store.portfolio.of_agent(agent_id)

    async def pull(self, agent_id: str, case_id: str | None = None) -> Case | None:
        """None when somebody was quicker. Raises voicebot.store.portfolio.PortfolioFull."""
        return await self._store.portfolio.pull(agent_id, self._clock.now(), case_id)

    async def give_back(self, agent_id: str, case_id: str) -> bool:
        return await self._store.portfolio.give_back(agent_id, case_id, self._clock.now())

    async def may_ring(self, case_id: str) -> DialVerdict:
        """The rulebook's word on ringing this debtor now. LookupError without such a case or number."""
        return await self._store.previews.may(case_id, self._clock.now(), self._judge)

    async def ring(self, agent_id: str, case_id: str, by: str) -> str:
        """Ring the agent and then the debtor; the call's id. Raises NotYours, Refused, LookupError."""
        now, call_id = self._clock.now(), uuid.uuid4().hex
        if not await self.open_to(agent_id, case_id):
            raise NotYours(f"the case {case_id} is another agent's")
        agent = await self._store.agents.find(agent_id)
        if agent is None or agent.presence not in MAY_DIAL:
            raise NotYours("you are in a call, or signed out")
        attempt = await self._place(case_id, call_id, now)
        payload = {
            "call_id": call_id,
            "attempt_id": attempt.id,
            "case_id": case_id,
            "target": attempt.number,
            "script": attempt.script,
            "agent_id": agent_id,
        }
        await self._store.commands.issue(address_of(self._turns.next()), DIAL, now, by=by, payload=payload)
        return call_id

    async def _place(self, case_id: str, call_id: str, now: dt.datetime) -> Attempt:
        placed = await self._store.previews.place(
            case_id,
            f"desk-{call_id[:8]}",
            call_id,
            now,
            self._judge,
            caps=self._caps,
            script="reminder",
        )
        if not isinstance(placed, Attempt):
            raise Refused(placed)
        return placed

    # --- callbacks and figures

    async def callbacks(self, agent_id: str) -> Sequence[AgentCallback]:
        return await self._store.agent_callbacks.open(agent_id)

    async def take_callback(self, agent_id: str, callback_id: int) -> bool:
        return await self._store.agent_callbacks.take(callback_id, agent_id)

    async def callback_done(self, agent_id: str, callback_id: int) -> bool:
        return await self._store.agent_callbacks.done(callback_id, agent_id, self._clock.now())

    async def figures(self, agent_id: str) -> AgentFigures:
        """Today's."""
        return (await self._store.figures.of_day(self._today())).get(agent_id, AgentFigures())

    def _today(self) -> dt.date:
        return self._clock.now().astimezone(SHANGHAI).date()


def _stop(call: CallRecord, case: Case | None, wrapup: Wrapup, now: dt.datetime) -> ContactStop | None:
    """What the agent heard may end all contact; a debtor with whom something was agreed is contacted about that."""
    kind = None if wrapup.parts else stop_after(wrapup.code)
    if kind is None:
        return None
    if wrapup.code is Disposition.WRONG_NUMBER or case is None:
        return ContactStop(kind, now, number=call.number, call_id=call.id)
    return ContactStop(kind, now, debtor_id=case.debtor.id, call_id=call.id)
