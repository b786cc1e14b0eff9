"""From draft to the air and back: four eyes, one version at a time unless a split says otherwise."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import CallRecord
from voicebot.domain.script_version import SHIPPED, OnAir, Play, Share, VersionState
from voicebot.store import Store
from voicebot.store.script_versions import VersionRefused, VersionUnknown

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def numbers(entries: list[OnAir]) -> dict[int, float]:
    return {entry.version.number: round(entry.share, 6) for entry in entries}


async def air(store: Store) -> dict[int, float]:
    return numbers(list(await store.script_versions.published("s")))


async def publish(store: Store, source: str) -> int:
    versions = store.script_versions
    draft = await versions.save_draft("s", source, "writer", NOW)
    await versions.review("s", draft.number, "reader", NOW)
    await versions.publish("s", draft.number, "boss", NOW)
    return draft.number


async def test_a_draft_is_written_over_and_a_reviewed_one_is_not(store: Store) -> None:
    versions = store.script_versions
    assert (await versions.save_draft("s", "a", "writer", NOW)).number == 1
    assert (await versions.save_draft("s", "b", "writer", NOW, "second try")).number == 1
    await versions.review("s", 1, "reader", NOW)
    assert (await versions.save_draft("s", "c", "writer", NOW)).number == 2
    first = await versions.get("s", 1)
    assert (first.source, first.note, first.state, first.reviewed_by) == ("b", "second try", "reviewed", "reader")
    await versions.discard("s", 2)
    with pytest.raises(VersionUnknown):
        await versions.get("s", 2)


async def test_two_writers_do_not_overwrite_each_other(store: Store) -> None:
    versions = store.script_versions
    seen = await versions.save_draft("s", "a", "writer", NOW)
    await versions.save_draft("s", "b", "other", NOW, expected_sha256=seen.sha256)
    with pytest.raises(VersionRefused, match="other has changed version 1"):
        await versions.save_draft("s", "c", "writer", NOW, expected_sha256=seen.sha256)
    assert (await versions.save_draft("s", "c", "writer", NOW, beside=True)).number == 2
    first = await versions.get("s", 1)
    assert (first.source, first.written_by) == ("b", "writer, other")
    for name in ("writer", "other"):
        with pytest.raises(VersionRefused, match="somebody else"):
            await versions.review("s", 1, name, NOW)


async def test_the_writer_may_not_review_and_only_reviewed_versions_are_published(store: Store) -> None:
    versions = store.script_versions
    await versions.save_draft("s", "a", "writer", NOW)
    with pytest.raises(VersionRefused, match="writer wrote version 1"):
        await versions.review("s", 1, "writer", NOW)
    with pytest.raises(VersionRefused, match="is draft"):
        await versions.publish("s", 1, "boss", NOW)
    assert await air(store) == {}


async def test_publishing_retires_what_was_there_and_roll_back_brings_it_again(store: Store) -> None:
    versions = store.script_versions
    assert [await publish(store, text) for text in "ab"] == [1, 2]
    assert await air(store) == {2: 1.0}
    assert (await versions.get("s", 1)).state is VersionState.RETIRED
    await versions.roll_back("s", 1, "boss", NOW)
    assert await air(store) == {1: 1.0}
    await versions.save_draft("s", "c", "writer", NOW)
    with pytest.raises(VersionRefused, match="is draft"):
        await versions.roll_back("s", 3, "boss", NOW)


async def test_a_split_keeps_two_on_the_air_and_the_hold_out_stays_with_the_older(store: Store) -> None:
    versions = store.script_versions
    for text in "ab":
        await publish(store, text)
    await versions.split("s", [Share(1, 0.5), Share(2, 0.5)], 0.2, "boss", NOW)
    assert await air(store) == {1: 0.6, 2: 0.4}
    await versions.split("s", [Share(1, 0.1), Share(2, 0.9)], 0.0, "boss", NOW)
    assert await air(store) == {1: 0.1, 2: 0.9}
    await versions.roll_back("s", 2, "boss", NOW)
    assert await air(store) == {2: 1.0}
    for shares, hold_out in (([1.0], 0), ([0.5, 0.4], 0), ([0.5, 0.5], 1)):
        parts = [Share(number, share) for number, share in enumerate(shares, 1)]
        with pytest.raises(VersionRefused):
            await versions.split("s", parts, hold_out, "boss", NOW)


async def test_a_shipped_file_replaces_a_shipped_version_but_not_somebodys_own(store: Store) -> None:
    versions = store.script_versions
    first = await versions.ship("s", "a", "a", NOW, SHIPPED)
    assert first is not None and first.state is VersionState.PUBLISHED
    assert await versions.ship("s", "a", "a", NOW, SHIPPED) is None
    await versions.ship("s", "b", "b", NOW, SHIPPED)
    assert await air(store) == {2: 1.0}
    await publish(store, "own")
    late = await versions.ship("s", "c", "c", NOW, SHIPPED)
    assert late is not None and late.state is VersionState.REVIEWED
    assert await air(store) == {3: 1.0}


async def test_figures_count_calls_of_one_version_once_per_node(store: Store) -> None:
    await publish(store, "a")
    version = await store.script_versions.get("s", 1)
    for call_id, sha256, disposition in (("c1", version.sha256, "promise_to_pay"), ("c2", "other", "refused")):
        record = CallRecord(call_id, "outbound", "+8613800000001", NOW, answered_at=NOW, ended_at=NOW, script="s")
        await store.calls.start(record)
        await store.calls.change(
            call_id, script_sha256=sha256, disposition=disposition, verified=True, answered_at=NOW, ended_at=NOW
        )
        decided = [
            {"from_node": a, "to_node": b, "branch": c, "why": ""}
            for a, b, c in (("open", "debt", "7:x"), ("debt", "debt", "silence"), ("debt", "debt", "silence"))
        ]
        await store.facts.append(
            call_id, [Fact(n, NOW.isoformat(), n, FactKind.DECIDED, data) for n, data in enumerate(decided)]
        )
    one, both = await store.script_calls.figures("s", 1), await store.script_calls.figures("s")
    assert (one.calls, one.promises, one.promise_rate, both.calls, both.promise_rate) == (1, 1, 1.0, 2, 0.5)
    assert (one.nodes, one.branches) == ({"debt": 1}, {("open", "7:x"): 1, ("debt", "silence"): 1})
    assert both.nodes == {"debt": 2} and both.outcomes == {"promise_to_pay": 1, "refused": 1}
    assert (await store.script_calls.figures("s", since=NOW + dt.timedelta(days=1))).calls == 0


async def test_a_play_of_the_same_name_is_replaced(store: Store) -> None:
    play = Play("s", "他说明天", [{"heard": "明天"}], [{"node": "readback"}], "writer", NOW)
    first = await store.script_calls.keep_play(play)
    assert await store.script_calls.keep_play(Play("s", "他说明天", [], [], "reader", NOW)) == first
    assert [(p.name, p.made_by, p.events) for p in await store.script_calls.plays("s")] == [("他说明天", "reader", [])]
    assert await store.script_calls.drop_play(first) and not await store.script_calls.drop_play(first)
