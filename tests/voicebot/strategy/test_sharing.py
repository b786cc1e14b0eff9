"""Cases given to people: fair shares, caps and skills; and one winner each, whoever pulls and pushes at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.domain.campaign import Segment
from voicebot.domain.records import AgentRecord
from voicebot.store import Store
from voicebot.store.assignments import FreeCase, Holder
from voicebot.store.portfolio import PortfolioFull
from voicebot.strategy.sharing import ROBOT, By, Parcel, Seat, SharingRule, share_out

seats = st.lists(
    st.builds(Seat, st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 12), st.integers(0, 12),
              st.frozensets(st.sampled_from(["hardship", "english"]))),
    unique_by=lambda seat: seat.agent_id, max_size=4,
)  # fmt: skip
rules = st.builds(
    SharingRule, st.sampled_from(By), st.just(12), st.none() | st.just("hardship"),
    st.dictionaries(st.sampled_from(["a", "b", "c", ROBOT]), st.floats(0, 10)), st.integers(1, 40),
)  # fmt: skip


def parcels(count: int) -> list[Parcel]:
    return [Parcel(f"C{n}", 1000 * n) for n in range(count)]


@given(st.integers(0, 40), seats, rules)
def test_nobody_gets_more_than_they_may_or_what_they_cannot_do(
    count: int, people: list[Seat], rule: SharingRule
) -> None:
    given_ = share_out(parcels(count), people, rule)
    assert len(given_) <= min(count, rule.most)
    got = Counter(given_.values())
    for seat in people:
        assert got[seat.agent_id] <= seat.room
        assert not got[seat.agent_id] or rule.skill is None or rule.skill in seat.skills
    assert set(got) <= {seat.agent_id for seat in people}
    assert given_ == share_out(parcels(count), people[::-1], rule), "who is named first must not matter"


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
def test_shares_are_kept_to_within_one_case(count: int, a: int, b: int, robot: int) -> None:
    shares = {"a": float(a), "b": float(b), ROBOT: float(robot)}
    got = Counter(
        share_out(parcels(count), [Seat("a", 0, 100), Seat("b", 0, 100)], SharingRule(By.SHARE, shares=shares)).values()
    )
    for name in ("a", "b"):
        assert abs(got[name] - count * shares[name] / (a + b + robot)) <= 1


def test_balance_fills_up_who_has_least() -> None:
    people = [Seat("a", 5, 20), Seat("b", 2, 20), Seat("c", 2, 3)]
    assert Counter(share_out(parcels(8), people, SharingRule()).values()) == {"b": 5, "a": 2, "c": 1}


async def agents(store: Store, count: int) -> list[str]:
    names = [f"a{n}" for n in range(count)]
    for n, name in enumerate(names):
        skills = ("hardship",) if n % 2 else ()
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@pbx", skills))
    return names


def balanced(cap: int):  # type: ignore[no-untyped-def]
    def choose(free: Sequence[FreeCase], people: Sequence[Holder]) -> Mapping[str, str]:
        able = [Seat(one.agent_id, one.has, cap, one.skills, one.owed_fen) for one in people]
        return share_out([Parcel(case.case_id, case.amount_fen) for case in free], able, SharingRule())

    return choose


async def test_one_case_and_many_who_pull_it_has_one_winner(store: Store) -> None:
    names = await agents(store, 8)
    await store.cases.save([new_case(1)], NOON)
    pulled = await asyncio.gather(*(store.portfolio.pull(name, NOON, "C0001") for name in names))
    assert sum(case is not None for case in pulled) == 1
    assert len(await store.assignments.of_case("C0001")) == 1


async def test_pull_and_push_at_once_give_each_case_once_and_keep_every_cap(store: Store) -> None:
    names = await agents(store, 4)
    await store.cases.save([new_case(n) for n in range(40)], NOON)

    async def pulls(name: str) -> int:
        got = 0
        for _ in range(12):
            try:
                got += await store.portfolio.pull(name, NOON, most=7) is not None
            except PortfolioFull:
                return got
        return got

    pushes = [store.assignments.push(Segment(), NOON, balanced(7), "boss") for _ in range(4)]
    await asyncio.gather(*(pulls(name) for name in names), *pushes)
    held = {name: [case.id for case in await store.portfolio.of_agent(name)] for name in names}
    everything = [case_id for cases in held.values() for case_id in cases]
    assert len(everything) == len(set(everything)) == 28
    assert {len(cases) for cases in held.values()} == {7}
    for name, cases in held.items():
        for case_id in cases:
            (record,) = await store.assignments.of_case(case_id)
            assert record.agent_id == name


async def test_a_push_takes_the_segment_alone_and_a_dry_one_nothing(store: Store) -> None:
    await agents(store, 2)
    old = [replace(new_case(n), case=replace(new_case(n).case, overdue_days=70)) for n in (1, 2)]
    await store.cases.save([*old, new_case(3)], NOON)
    late = Segment(min_overdue_days=60)
    said = await store.assignments.push(late, NOON, balanced(20), "boss", dry=True)
    assert sorted(said) == ["C0001", "C0002"]
    assert await store.portfolio.of_agent("a0") == [] and await store.assignments.of_case("C0001") == []
    assert await store.assignments.push(late, NOON, balanced(20), "boss") == said
    assert [case.id for case in await store.portfolio.of_agent("a0")] == ["C0001"]
    assert await store.assignments.push(late, NOON, balanced(20), "boss") == {}, "nobody's case is taken away"
    assert await store.portfolio.give_back("a0", "C0001", NOON)
    assert [one.mode for one in await store.assignments.of_case("C0001")] == ["back", "push"]
