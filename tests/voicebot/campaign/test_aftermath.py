"""What calls leave to do: tickets, messages, word to other systems; once, whoever asks."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.call.outcome import CallOutcome, Stop
from voicebot.campaign.aftermath import Aftermath, ticket_kinds
from voicebot.campaign.care import load_follow_up
from voicebot.domain.attempt import Purpose
from voicebot.domain.clock import FixedClock
from voicebot.domain.desk import Wrapup
from voicebot.domain.event import EventKind
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import AgentRecord, CallRecord, Role
from voicebot.domain.ticket import TicketKind
from voicebot.store import Store

CASE = new_case(1).case.id
NUMBER = "+8613800000001"
Facts = tuple[tuple[FactKind, dict[str, object]], ...]
HARDSHIP: Facts = (
    (FactKind.VERIFIED, {}),
    (FactKind.STOPPED, {"scope": "debtor", "reason": "hs_illness_self"}),
    (FactKind.DISPOSITION, {"disposition": "hardship", "why": ""}),
)


async def call(store: Store, facts: Facts, call_id: str = "c1", attempt: int | None = None) -> None:
    """A call that is over."""
    await store.cases.save([new_case(1)], NOON)
    await store.calls.start(CallRecord(call_id, "outbound", NUMBER, NOON, case_id=CASE, attempt_id=attempt))
    whole = [(FactKind.ANSWERED, {}), *facts, (FactKind.ENDED, {"by": "remote", "status": None, "reason": ""})]
    journal = [Fact(n, NOON.isoformat(), n, kind, data) for n, (kind, data) in enumerate(whole)]
    await store.facts.append(call_id, journal)
    await store.calls.change(call_id, ended_at=NOON, answered_at=NOON)


def aftermath(store: Store, *, in_writing: bool = False) -> Aftermath:
    return Aftermath(store, load_follow_up(), FixedClock(NOON), in_writing=in_writing)


async def test_hardship_opens_a_ticket_writes_and_tells_once_however_often_it_is_worked_out(store: Store) -> None:
    await store.users.create("amy", Role.AGENT, NOON)
    await call(store, HARDSHIP)
    assert await aftermath(store, in_writing=True).catch_up() == 1
    assert await aftermath(store, in_writing=True).catch_up() == 0
    await aftermath(store, in_writing=True).settle("c1")
    (ticket,) = await store.tickets.list()
    assert (ticket.kind, ticket.owner, ticket.deadline) == (TicketKind.HARDSHIP, "amy", NOON + dt.timedelta(days=3))
    assert (record := await store.cases.record(CASE)) and record.status == "suspended"
    (message,) = await store.outbox.of_case(CASE)
    assert (message.kind, message.promise_id) == ("help_recap", None)
    told = {event.kind: event.data for event in await store.events.of_case(CASE)}
    assert set(told) == {EventKind.TICKET_OPENED, EventKind.CALL_OUTCOME}
    assert told[EventKind.CALL_OUTCOME]["disposition"] == "hardship"
    assert not any("演示" in str(data) or "138" in str(data) for data in told.values()), "no names, no numbers"


async def test_a_complaint_and_danger_are_told_by_their_names(store: Store) -> None:
    complaint: Facts = (
        (FactKind.PAGED, {"reason": "self_harm"}),
        (FactKind.STOPPED, {"scope": "debtor", "reason": "cp_regulator"}),
        (FactKind.DISPOSITION, {"disposition": "complaint", "why": ""}),
    )
    await call(store, complaint)
    await aftermath(store).settle("c1")
    kinds = {event.kind for event in await store.events.of_case(CASE)}
    assert {EventKind.DANGER, EventKind.COMPLAINT, EventKind.CALL_OUTCOME} <= kinds
    assert {ticket.kind for ticket in await store.tickets.list()} == {TicketKind.DANGER, TicketKind.COMPLAINT}


async def test_after_a_crash_between_ticket_and_word_nothing_is_doubled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call(store, HARDSHIP)

    async def die(*_: object) -> int:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(store.events, "tell", die)
        with pytest.raises(SystemExit):
            await aftermath(store, in_writing=True).settle("c1")
    await aftermath(store, in_writing=True).catch_up()
    assert len(await store.tickets.list()) == 1
    assert len(await store.outbox.of_case(CASE)) == 1
    assert len((await store.tickets.find(1) or pytest.fail("no ticket")).notes) == 1


async def test_who_was_called_back_waits_for_no_callback(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    before = NOON - dt.timedelta(hours=3)
    await store.promises.book_callback(CASE, "c0", NUMBER, NOON, "下午再打", before)
    attempt = await store.attempts.add(CASE, "reminder", NOON, purpose=Purpose.CALLBACK)
    await call(store, ((FactKind.DISPOSITION, {"disposition": "refusal", "why": ""}),), attempt=attempt)
    await aftermath(store).settle("c1")
    assert await store.promises.callbacks() == []


async def test_what_an_agent_writes_opens_a_ticket_too(store: Store) -> None:
    await call(store, ((FactKind.DISPOSITION, {"disposition": "human_requested", "why": ""}),))
    await store.agents.save(AgentRecord("a1", "小艾", "sip:a1@127.0.0.1"))
    await aftermath(store).settle("c1")
    assert await store.tickets.list() == []
    wrapup = Wrapup("c1", "a1", Disposition.COMPLAINT, NOON, case_id=CASE, notes="投诉上次来电太早")
    await store.wrapups.save(wrapup, NOON)
    assert await aftermath(store).people_wrote() == 1
    assert await aftermath(store).people_wrote() == 0
    (ticket,) = await store.tickets.list()
    found = await store.tickets.find(ticket.id)
    assert found is not None and "太早" in found.notes[0].text


NOTHING = CallOutcome(Disposition.REFUSAL, True, None, False, True, 0, (), (), False)


@pytest.mark.parametrize(
    ("disposition", "stops", "paged", "kinds"),
    [
        (Disposition.REFUSAL, (), False, ()),
        (Disposition.DO_NOT_CALL, ("dnc_stop",), False, ()),
        (Disposition.ALREADY_PAID, (), False, (TicketKind.DISPUTE,)),
        (Disposition.DISPUTE, ("dp_id_theft",), False, (TicketKind.FRAUD, TicketKind.DISPUTE)),
        (Disposition.VULNERABLE, ("vu_selfharm_explicit",), True, (TicketKind.DANGER,)),
        (Disposition.VULNERABLE, ("vu_elder",), False, (TicketKind.VULNERABLE,)),
        (Disposition.HARDSHIP, ("hs_illness_self",), False, (TicketKind.HARDSHIP,)),
        (Disposition.COMPLAINT, ("cp_privacy",), False, (TicketKind.COMPLAINT,)),
        (Disposition.WRONG_NUMBER, (), False, (TicketKind.WRONG_NUMBER,)),
    ],
)
def test_which_tickets_a_call_asks_for(
    disposition: Disposition, stops: tuple[str, ...], paged: bool, kinds: tuple[TicketKind, ...]
) -> None:
    asked = tuple(Stop("debtor", reason) for reason in stops)
    assert ticket_kinds(dataclasses.replace(NOTHING, disposition=disposition, stops=asked, paged=paged)) == kinds
