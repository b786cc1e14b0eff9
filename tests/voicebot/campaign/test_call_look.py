"""Many who look at the same moment cost one look; each gets its own call, and one that gives up disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest

from voicebot.campaign.call_look import CallLook
from voicebot.store import Store


class Calls:
    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.fails: Exception | None = None

    async def find_all(self, ids: Collection[str]) -> dict[str, Any]:
        self.asked.append(set(ids))
        if self.fails:
            raise self.fails
        return {id_: f"row of {id_}" for id_ in ids if id_ != "unknown"}


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def look(calls: Calls) -> CallLook:
    return CallLook(cast(Store, SimpleNamespace(calls=calls)))


@pytest.mark.looptime
async def test_those_of_one_moment_are_read_together_and_the_next_ones_afresh(calls: Calls, look: CallLook) -> None:
    async def later() -> Any:
        await asyncio.sleep(0.5)
        return await look.find("c1")

    found = await asyncio.gather(*(look.find(one) for one in ("c1", "c2", "c1", "unknown")), later())
    assert found == ["row of c1", "row of c2", "row of c1", None, "row of c1"]
    assert calls.asked == [{"c1", "c2", "unknown"}, {"c1"}]


@pytest.mark.looptime
async def test_who_gives_up_takes_nothing_from_the_others(calls: Calls, look: CallLook) -> None:
    first, second = asyncio.create_task(look.find("c1")), asyncio.create_task(look.find("c2"))
    await asyncio.sleep(0.01)
    first.cancel()
    assert cast(Any, await second) == "row of c2"


@pytest.mark.looptime
async def test_a_database_that_is_away_is_waited_for(calls: Calls, look: CallLook) -> None:
    calls.fails = ConnectionError("away")
    waiting = asyncio.gather(look.find("c1"), look.find("c2"))
    await asyncio.sleep(5)
    assert not waiting.done()
    calls.fails = None
    assert cast(Any, await waiting) == ["row of c1", "row of c2"]


@pytest.mark.looptime
async def test_what_the_database_refuses_is_told_to_all_who_asked(calls: Calls, look: CallLook) -> None:
    calls.fails = ValueError("no such column")
    told = await asyncio.gather(look.find("c1"), look.find("c2"), return_exceptions=True)
    assert [type(one) for one in told] == [ValueError, ValueError]
