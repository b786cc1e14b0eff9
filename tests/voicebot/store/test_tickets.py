"""Tickets: owned, noted, handed up when late, closed with a decision; and the cases that rest meanwhile."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.domain.attempt import ContactStop
from voicebot.domain.event import EventKind
from voicebot.domain.records import AlertKind, Role
from voicebot.domain.ticket import Decision, NewTicket, TicketKind, TicketRule
from voicebot.store import Store

from .samples import NOON, new_case

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
CASE, DEBTOR = "C0001", "D0001"
RULE = TicketRule(TicketKind.DISPUTE, "supervisor", 2 * DAY, True, "a test", ("dispute",))


def new(call: str | None = "c1", kind: TicketKind = TicketKind.DISPUTE) -> NewTicket:
    return NewTicket(kind, CASE, call, "说这笔钱不是他借的")


@pytest.fixture
async def people(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    for name, role in (("sun", Role.SUPERVISOR), ("shi", Role.SUPERVISOR), ("ada", Role.ADMIN), ("amy", Role.AGENT)):
        await store.users.create(name, role, NOON)


async def opened(store: Store, call: str = "c1") -> int:
    ticket_id = await store.tickets.open(new(call), RULE, NOON)
    assert ticket_id is not None
    return ticket_id


async def status(store: Store) -> str:
    record = await store.cases.record(CASE)
    assert record is not None
    return record.status


@pytest.mark.usefixtures("people")
async def test_a_ticket_has_an_owner_and_a_deadline_and_the_case_rests(store: Store) -> None:
    ticket = await store.tickets.find(await opened(store))
    assert ticket is not None
    assert (ticket.owner, ticket.deadline, ticket.debtor_name) == ("shi", NOON + 2 * DAY, "演示1")
    assert [note.text for note in ticket.notes] == ["说这笔钱不是他借的"]
    assert await status(store) == "suspended"
    other = await store.tickets.open(new("c9", TicketKind.FRAUD), RULE, NOON)
    assert other is not None and (second := await store.tickets.find(other)) is not None
    assert second.owner == "sun", "who has less to do gets the next one"


@pytest.mark.usefixtures("people")
async def test_another_call_about_the_same_is_a_note_and_the_same_call_nothing(store: Store) -> None:
    ticket_id = await opened(store)
    assert await store.tickets.open(new(), RULE, NOON) is None
    assert await store.tickets.open(new("c2"), RULE, NOON) == ticket_id
    assert await store.tickets.open(new("c2"), RULE, NOON) is None
    ticket = await store.tickets.find(ticket_id)
    assert ticket is not None and [note.call_id for note in ticket.notes] == ["c1", "c2"]
    assert len(await store.tickets.list()) == 1


@pytest.mark.usefixtures("people")
async def test_resuming_lifts_what_its_calls_stopped_and_nothing_else(store: Store) -> None:
    for reason, call in (("dispute", "c1"), ("dispute", "older"), ("do_not_call", "c1")):
        await store.contacts.stop(ContactStop(reason, NOON, debtor_id=DEBTOR, call_id=call))
    ticket_id = await opened(store)
    lifts = ("dispute",)
    assert await store.tickets.close(ticket_id, "sun", Decision.RESUME, NOON + HOUR, text="合同已核对", lifts=lifts)
    assert not await store.tickets.close(ticket_id, "sun", Decision.RESUME, NOON)
    assert await status(store) == "open"
    left = [(stop.reason, stop.call_id) for stop in await store.contacts.stops_of(DEBTOR, None, NOON + 2 * HOUR)]
    assert left == [("dispute", "older"), ("do_not_call", "c1")]
    kinds = [event.kind for event in await store.events.of_case(CASE)]
    assert kinds == [EventKind.TICKET_CLOSED, EventKind.TICKET_OPENED]


@pytest.mark.usefixtures("people")
async def test_a_case_comes_back_only_when_no_other_ticket_holds_it(store: Store) -> None:
    dispute = await opened(store)
    fraud = await store.tickets.open(new("c2", TicketKind.FRAUD), RULE, NOON)
    assert fraud is not None
    await store.tickets.close(dispute, "sun", Decision.RESUME, NOON)
    assert await status(store) == "suspended"
    await store.tickets.close(fraud, "sun", Decision.REST, NOON, rest_until=NOON.date() + 3 * DAY)
    assert await store.tickets.rested(NOON.date() + 2 * DAY, NOON) == []
    assert await status(store) == "suspended"
    assert await store.tickets.rested(NOON.date() + 3 * DAY, NOON) == [CASE]
    assert await status(store) == "open"
    assert await store.tickets.rested(NOON.date() + 4 * DAY, NOON) == [], "once"


@pytest.mark.usefixtures("people")
async def test_closing_the_case_ends_it(store: Store) -> None:
    await store.tickets.close(await opened(store), "sun", Decision.CLOSE_CASE, NOON)
    assert await status(store) == "closed"


@pytest.mark.usefixtures("people")
async def test_who_is_late_hands_up_a_step_a_day_and_the_wall_is_told(store: Store) -> None:
    ticket_id = await store.tickets.open(new(), TicketRule(TicketKind.DISPUTE, "agent", DAY, False, "a test"), NOON)
    assert ticket_id is not None
    assert await store.tickets.escalate(NOON + DAY) == []
    owners = []
    for hours in (25, 26, 49, 50, 100):
        handed = await store.tickets.escalate(NOON + hours * HOUR)
        ticket = await store.tickets.find(ticket_id)
        assert ticket is not None and ticket.late(NOON + hours * HOUR)
        owners.append((bool(handed), ticket.owner, ticket.level))
    assert owners == [(True, "shi", 1), (False, "shi", 1), (True, "ada", 2), (False, "ada", 2), (False, "ada", 2)]
    assert [alert.kind for alert in await store.alerts.open()] == [AlertKind.TICKET_LATE] * 2
    assert await status(store) == "open", "its kind does not suspend"


@pytest.mark.usefixtures("people")
async def test_people_note_and_pass_on(store: Store) -> None:
    ticket_id = await opened(store)
    assert await store.tickets.give(ticket_id, "amy", "sun", NOON)
    assert not await store.tickets.give(ticket_id, "nobody", "sun", NOON)
    assert await store.tickets.note(ticket_id, "amy", "已回电", NOON)
    (mine,) = await store.tickets.list(owner="amy")
    assert mine.id == ticket_id and not await store.tickets.list(owner="sun")
    await store.tickets.close(ticket_id, "amy", Decision.RESUME, NOON)
    assert not await store.tickets.note(ticket_id, "amy", "再记", NOON)
