"""Commands: what other processes order of this worker's line, as rows that wake it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import structlog

from voicebot.call.runner import CallRunner, DialOrder
from voicebot.domain.clock import Clock
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialVerdict, Judge
from voicebot.domain.records import CallRecord, Command
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telemetry import traces
from voicebot.telephony.leg import NotWantedError, always

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

DIAL = "dial"
HANG_UP = "hang_up"
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""How long a database that is away is waited for between two tries, once an order was taken."""
AGAIN_AFTER = dt.timedelta(seconds=30)
"""When an attempt is asked for again that this line may not ring, where its rule names no time."""
EVERY_S = 5.0
"""How often the table is read even when nothing woke us."""


def address_of(worker: str) -> str:
    """Where commands to a worker, not to a call, are sent."""
    return f"@{worker}"


class NotPermitted(RuntimeError):
    """The rulebook forbids now what it allowed when the attempt was leased; nothing rings."""

    def __init__(self, verdict: DialVerdict) -> None:
        super().__init__(f"no longer permitted, {verdict.rule}: {verdict.reason}")
        self.not_before = verdict.not_before


class GivenUp(RuntimeError):
    """Whoever ordered the call does not count on it any more; nothing rings."""


class CommandTaker:
    """Takes the orders for this worker and its calls, and carries them out."""

    def __init__(
        self,
        store: Store,
        runner: CallRunner,
        worker: str,
        clock: Clock,
        judge: Judge | None = None,
        holds: Callable[[], bool] = lambda: True,
    ) -> None:
        """`judge`: asked once more about an attempt right before it rings; `holds`: whether our name is still ours."""
        self._holds = holds
        self._store = store
        self._runner = runner
        self._worker = worker
        self._clock = clock
        self._judge = judge
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Obey until cancelled."""
        woken = asyncio.Event()
        listener = asyncio.create_task(self._listen(woken))
        try:
            while True:
                await self._take()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), EVERY_S)
                woken.clear()
        finally:
            listener.cancel()

    async def _listen(self, woken: asyncio.Event) -> None:
        async for _ in self._store.commands.listen():
            woken.set()

    async def _take(self) -> None:
        addresses = [session.facts.call_id for session in self._runner.sessions.values()]
        if self._runner.may_dial:
            addresses.append(address_of(self._worker))
        try:
            orders = await self._store.commands.take(addresses, self._worker, self._clock.now())
        except Exception as error:
            log.warning("commands can't be read", error=repr(error))
            return
        for order in orders:
            task = asyncio.create_task(self._survive(order))  # one that waits for a phone keeps no other waiting
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _survive(self, order: Command) -> None:
        try:
            await self._obey(order)
        except Exception:
            log.exception("command failed", verb=order.verb)

    async def _obey(self, order: Command) -> None:
        if order.verb == DIAL:
            await self._dial(order.payload)
        else:
            await self._obey_in_call(order)

    async def _obey_in_call(self, order: Command) -> None:
        session = self._runner.find(order.call_id)
        if session is None:
            return  # over meanwhile
        if order.verb == HANG_UP:
            await session.hang_up()
        elif not session.command(order.verb, order.payload):
            log.warning("unknown command, or the call is over", verb=order.verb)

    async def _dial(self, payload: Mapping[str, object]) -> None:
        case_id = payload.get("case_id")
        case = await _patiently(lambda: self._store.cases.find(str(case_id))) if case_id else None
        order = DialOrder(
            call_id=str(payload["call_id"]),
            target=str(payload["target"]),
            script=str(payload["script"]),
            case=case,
            attempt_id=_given(payload, "attempt_id"),
            caller_id=_given(payload, "caller_id"),
            trunk=_given(payload, "trunk"),
            agent_id=_given(payload, "agent_id"),
        )
        try:
            with traces.span("take the order", order.call_id, worker=self._worker):
                close_by = await self._judge_again(order)
                papers, wanted = await self._papers(order), self._holds if order.attempt_id else always
                await self._runner.dial(replace(order, close_by=close_by, papers=papers, wanted=wanted))
        except (NotPermitted, GivenUp, NotWantedError, OSError) as refusal:
            log.info("a dial order is not carried out: nobody is rung", call_id=order.call_id, why=str(refusal))
            if not await self._undone(order, refusal):
                await self._never_rung(order, str(refusal))
        except Exception as error:
            log.error("a call can't be placed", call_id=order.call_id, error=str(error))
            await self._never_rung(order, str(error))

    async def _judge_again(self, order: DialOrder) -> dt.datetime | None:
        """When the call must be over. Raises NotPermitted; what can't be judged is not dialled either."""
        if self._judge is None or order.attempt_id is None:
            return None
        attempt, judge = int(order.attempt_id), self._judge
        verdict = await _patiently(lambda: self._store.decisions.again(attempt, self._clock.now(), judge))
        if verdict is None:
            raise GivenUp("the attempt was settled before it rang")
        if not verdict.allowed:
            raise NotPermitted(verdict)
        if not self._holds():
            raise GivenUp("this worker may have been taken for dead meanwhile")
        close_by: dt.datetime | None = getattr(verdict, "close_by", None)
        return close_by

    async def _papers(self, order: DialOrder) -> Mapping[str, object]:
        """What goes into the evidence of the call; the call does not hang on it."""
        attempt = int(order.attempt_id) if order.attempt_id else None
        try:
            return await self._store.papers.before_call(attempt, order.case.id if order.case else None)
        except Exception as error:
            log.warning("the papers of a call can't be read", call_id=order.call_id, error=repr(error))
            return {}

    async def _undone(self, order: DialOrder, refusal: Exception) -> bool:
        """Whether the attempt waits again, as if nobody had ordered it; an agent who wanted to dial is told why."""
        if order.attempt_id is None or order.agent_id is not None:
            return False
        attempt, at = int(order.attempt_id), self._clock.now() + AGAIN_AFTER
        if isinstance(refusal, NotPermitted) and refusal.not_before is not None:
            at = max(at, refusal.not_before)
        lost = self._store.lost_calls
        return await _patiently(lambda: lost.never_rang(attempt, order.call_id, str(refusal)[:200], at))

    async def _never_rung(self, order: DialOrder, why: str) -> None:
        """Write the call as failed, so that whoever ordered it need not wait for a call that never was."""
        now = self._clock.now()
        record = CallRecord(
            id=order.call_id,
            direction="outbound",
            number=order.target,
            started_at=now,
            case_id=order.case.id if order.case else None,
            attempt_id=int(order.attempt_id) if order.attempt_id else None,
            worker=self._worker,
            script=order.script,
        )
        await _patiently(lambda: self._store.calls.start(record))
        failed, calls = Disposition.FAILED.value, self._store.calls
        await _patiently(lambda: calls.close(order.call_id, ended_at=now, disposition=failed, why=why[:200]))


async def _patiently(work: Callable[[], Awaitable[Result]]) -> Result:
    """Ask again for some seconds while the database is away: an order that was taken is nobody else's any more."""
    for pause_s in PAUSES_S:
        try:
            return await work()
        except Exception as error:
            if not is_away(error):
                raise
            await asyncio.sleep(pause_s)
    return await work()


def _given(payload: Mapping[str, object], key: str) -> str | None:
    value = payload.get(key)
    return str(value) if value is not None else None
