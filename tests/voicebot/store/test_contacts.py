"""Contact stops: asked for by debtor, by number or by both, and never somebody else's."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.attempt import ContactStop
from voicebot.store import Store

from .samples import new_case

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


async def test_stops_are_those_of_the_debtor_or_the_number(store: Store) -> None:
    case = new_case(1)
    await store.cases.save([case], NOW)
    debtor = case.case.debtor.id
    await store.contacts.stop(ContactStop("do_not_call", NOW, number="+8613800000000"))
    await store.contacts.stop(ContactStop("dispute", NOW, debtor_id=debtor))

    async def reasons(debtor_id: str | None, number: str | None) -> list[str]:
        return [stop.reason for stop in await store.contacts.stops_of(debtor_id, number, NOW)]

    assert await reasons(debtor, None) == ["dispute"]
    assert await reasons(None, "+8613800000000") == ["do_not_call"]
    assert await reasons(debtor, "+8613800000000") == ["do_not_call", "dispute"]
    assert await reasons("somebody-else", None) == []
    assert await reasons(None, None) == []
