"""Aftermath: what every call that ended leaves to do, whoever rang: tickets, a message, and word to other systems.

Read from the call's record and journal, so that it comes out the same however often, and by whomever, it is worked out.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from voicebot.call.outcome import CallOutcome, outcome_of
from voicebot.campaign.care import FollowUp
from voicebot.campaign.stops import SELF_HARM, stop_kind
from voicebot.domain.attempt import Purpose
from voicebot.domain.clock import Clock
from voicebot.domain.event import Event, EventKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord
from voicebot.domain.ticket import NewTicket, TicketKind
from voicebot.messages.planning import recap_message
from voicebot.store import DatabaseError, Store

EVERY_S: Final = 30.0
LOOK_BACK: Final = dt.timedelta(days=2)
"""Calls that ended while nobody followed are worked off when somebody does again."""

_BY_DISPOSITION: Mapping[Disposition, TicketKind] = MappingProxyType(
    {
        Disposition.HARDSHIP: TicketKind.HARDSHIP,
        Disposition.DISPUTE: TicketKind.DISPUTE,
        Disposition.ALREADY_PAID: TicketKind.DISPUTE,
        Disposition.COMPLAINT: TicketKind.COMPLAINT,
        Disposition.VULNERABLE: TicketKind.VULNERABLE,
        Disposition.WRONG_NUMBER: TicketKind.WRONG_NUMBER,
    }
)
_BY_STOP: Mapping[str, TicketKind] = MappingProxyType(
    {
        SELF_HARM: TicketKind.DANGER,
        "identity_theft": TicketKind.FRAUD,
        "complaint": TicketKind.COMPLAINT,
        "dispute": TicketKind.DISPUTE,
        "negotiated": TicketKind.DISPUTE,
        "litigation": TicketKind.DISPUTE,
        "hospital": TicketKind.HARDSHIP,
        "vulnerable": TicketKind.VULNERABLE,
    }
)
_WORDS: Mapping[TicketKind, str] = MappingProxyType(
    {
        TicketKind.HARDSHIP: "客户说明有困难，请联系并按政策提出方案。",
        TicketKind.DISPUTE: "客户对账单有异议，请核实后答复。",
        TicketKind.COMPLAINT: "客户投诉，请调查并在期限内答复。",
        TicketKind.FRAUD: "客户称身份被冒用，请核查，核实前不得催收。",
        TicketKind.VULNERABLE: "客户处境特殊，请由人工判断能否以及如何联系。",
        TicketKind.DANGER: "通话中出现人身危险信号，请立即跟进。",
        TicketKind.WRONG_NUMBER: "接听人不是客户，该号码已停用，请依法核实联系方式后再联系。",
    }
)
_GRAVEST_FIRST = (
    TicketKind.DANGER, TicketKind.VULNERABLE, TicketKind.FRAUD, TicketKind.COMPLAINT, TicketKind.DISPUTE,
    TicketKind.HARDSHIP, TicketKind.WRONG_NUMBER,
)  # fmt: skip
_log = logging.getLogger(__name__)


def ticket_kinds(outcome: CallOutcome) -> tuple[TicketKind, ...]:
    """What a person must do after a call, the gravest first; each kind once."""
    kinds = [TicketKind.DANGER] if outcome.paged else []
    kinds += [_BY_STOP[kind] for stop in outcome.stops if (kind := stop_kind(stop, outcome)) in _BY_STOP]
    by_end = _BY_DISPOSITION.get(outcome.disposition)
    if by_end is not None and not (kinds and by_end is TicketKind.VULNERABLE):
        kinds.append(by_end)
    return tuple(kind for kind in _GRAVEST_FIRST if kind in kinds)


class Aftermath:
    """Follows calls as they end. `in_writing`: some of them are followed by a message."""

    def __init__(self, store: Store, care: FollowUp, clock: Clock, *, in_writing: bool = False) -> None:
        self._store, self._care, self._clock, self._in_writing = store, care, clock, in_writing

    async def run(self) -> None:
        """Work off calls as they end, and what people write about them, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._read_people())

    async def _read_people(self) -> None:
        while True:
            try:
                await self.people_wrote()
            except (DatabaseError, OSError) as error:
                _log.error("the database does not answer: %s", error)
            await asyncio.sleep(EVERY_S)

    async def people_wrote(self) -> int:
        """Open tickets for what agents found out in calls of theirs; how many."""
        now = self._clock.now()
        codes = [disposition.value for disposition in _BY_DISPOSITION]
        found = await self._store.tickets.unopened(codes, now - LOOK_BACK)
        for call_id, case_id, code, notes in found:
            kind = _BY_DISPOSITION[Disposition(code)]
            text = f"{_WORDS[kind]}{notes}"
            await self._store.tickets.open(NewTicket(kind, case_id, call_id, text), self._care.tickets[kind], now)
        return len(found)

    async def _follow(self) -> None:
        async for call_id in self._store.calls.ends():
            try:
                await (self.settle(call_id) if call_id else self.catch_up())
            except Exception:  # one call that can't be read must not end the settling of all others
                _log.exception("what follows call %s is left to the next start", call_id or "")

    async def catch_up(self) -> int:
        """Work off what ended lately and was not; how many calls."""
        untold = await self._store.events.untold_calls(self._clock.now() - LOOK_BACK)
        for call_id in untold:
            await self.settle(call_id)
        return len(untold)

    async def settle(self, call_id: str) -> None:
        """Open tickets, write the message, tell of one call, if it is over; each once."""
        record = await self._store.calls.find(call_id)
        if record is None or record.running or await self._store.events.known(_key(record)):
            return
        outcome = outcome_of(await self._store.facts.of(call_id))
        now = self._clock.now()
        kinds = ticket_kinds(outcome)
        for kind in kinds:
            text = f"{_WORDS[kind]}（通话结果：{outcome.disposition.value}）"
            await self._store.tickets.open(
                NewTicket(kind, record.case_id, record.id, text), self._care.tickets[kind], now
            )
        await self._write(record, outcome, now)
        await self._called_back(record, now)
        await self._store.events.tell(_events(record, outcome, kinds, now))

    async def _write(self, record: CallRecord, outcome: CallOutcome, now: dt.datetime) -> None:
        """A recap where the debtor was talked to; promises have their own."""
        template = self._care.recaps.get(outcome.disposition)
        if not self._in_writing or template is None or record.case_id is None or not outcome.verified:
            return
        message = recap_message(template, record.number, now)
        if message is not None and not await self._written(record):
            await self._store.outbox.plan(record.case_id, record.id, [message], now, about_promise=False)

    async def _written(self, record: CallRecord) -> bool:
        """Whether this call was recapped before."""
        sent = await self._store.outbox.of_case(record.case_id) if record.case_id else []
        return any(message.call_id == record.id for message in sent)

    async def _called_back(self, record: CallRecord, now: dt.datetime) -> None:
        """The callback that this call was for is done once somebody answered."""
        if record.attempt_id is None or record.answered_at is None or record.case_id is None:
            return
        attempt = await self._store.attempts.find(record.attempt_id)
        if attempt is not None and attempt.purpose is Purpose.CALLBACK:
            await self._store.promises.called_back(record.case_id, record.started_at, now)


def _key(record: CallRecord) -> str:
    return f"{EventKind.CALL_OUTCOME.value}:{record.id}"


def _events(
    record: CallRecord, outcome: CallOutcome, kinds: tuple[TicketKind, ...], now: dt.datetime
) -> list[Event]:
    data: dict[str, object] = {
        "call_id": record.id, "case_id": record.case_id, "campaign_id": record.campaign_id,
        "direction": record.direction, "disposition": outcome.disposition.value, "answered": outcome.answered,
        "verified": outcome.verified, "handoff": outcome.handoff, "duration_ms": record.duration_ms,
    }  # fmt: skip
    told = [Event(_key(record), EventKind.CALL_OUTCOME, now, data, record.case_id)]
    short = {"call_id": record.id, "case_id": record.case_id}
    for kind, event in ((TicketKind.COMPLAINT, EventKind.COMPLAINT), (TicketKind.DANGER, EventKind.DANGER)):
        if kind in kinds:
            told.append(Event(f"{event.value}:{record.id}", event, now, short, record.case_id))
    return told
