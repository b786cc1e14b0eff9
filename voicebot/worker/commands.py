"""Commands: what other processes order of this worker's line, as rows that wake it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from voicebot.call.runner import CallRunner, DialOrder
from voicebot.domain.clock import Clock
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord, Command
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

DIAL = "dial"
HANG_UP = "hang_up"
EVERY_S = 5.0
"""How often the table is read even when nothing woke us."""


def address_of(worker: str) -> str:
    """Where commands to a worker, not to a call, are sent."""
    return f"@{worker}"


class CommandTaker:
    """Takes the orders for this worker and its calls, and carries them out."""

    def __init__(self, store: Store, runner: CallRunner, worker: str, clock: Clock) -> None:
        self._store = store
        self._runner = runner
        self._worker = worker
        self._clock = clock

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
            try:
                await self._obey(order)
            except Exception:
                log.exception("command failed", verb=order.verb)

    async def _obey(self, order: Command) -> None:
        if order.verb == DIAL:
            await self._dial(order.payload)
        elif order.verb == HANG_UP:
            session = self._runner.find(order.call_id)
            if session is not None:
                await session.hang_up()
        else:
            log.warning("unknown command", verb=order.verb)

    async def _dial(self, payload: Mapping[str, object]) -> None:
        case_id = payload.get("case_id")
        case = await self._store.cases.find(str(case_id)) if case_id else None
        order = DialOrder(
            call_id=str(payload["call_id"]),
            target=str(payload["target"]),
            script=str(payload["script"]),
            case=case,
            attempt_id=str(payload["attempt_id"]) if payload.get("attempt_id") is not None else None,
        )
        try:
            await self._runner.dial(order)
        except Exception as error:
            log.error("a call can't be placed", call_id=order.call_id, error=str(error))
            await self._never_rung(order, str(error))

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
        await self._store.calls.start(record)
        await self._store.calls.close(order.call_id, ended_at=now, disposition=Disposition.FAILED.value, why=why[:200])
