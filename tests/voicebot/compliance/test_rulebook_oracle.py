"""The rulebook against a naive second one, over random histories: not one difference, not one dial against the law.

    VOICEBOT_HISTORIES=1000000 VOICEBOT_EXPLORE=1 pytest tests/voicebot/compliance/test_rulebook_oracle.py

is the run for a night.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.voicebot.compliance.histories import first_difference
from tests.voicebot.compliance.oracle import ZONE, may_dial
from voicebot.compliance.rows import judge_row

HISTORIES = int(os.environ.get("VOICEBOT_HISTORIES", "400"))
SPELLINGS = ["13800000001", "+8613800000001", "138 0000 0001", "13800000002", "+86 138-0000-0002"]
OUTCOMES = ["conversation", "no_answer", "busy", "rejected", "voicemail", "unreachable", "failed"]
STOPS = [
    "deceased",
    "litigation",
    "dispute",
    "complaint",
    "hospital",
    "do_not_call",
    "contact_refused",
    "anything else",
]
PLACES = st.sampled_from(["CN"] * 15 + ["US"])
YEAR = dt.datetime(2026, 1, 1, tzinfo=ZONE)


@st.composite
def moments(draw: st.DrawFn, first: dt.datetime = YEAR, days: float = 364.9) -> dt.datetime:
    """Often at an edge: a full or half hour, give or take a minute or a second."""
    at = first + dt.timedelta(minutes=draw(st.integers(0, int(days * 1440))))
    if draw(st.booleans()):
        at = at.replace(minute=draw(st.sampled_from([0, 30, 54])))
        at += dt.timedelta(seconds=draw(st.sampled_from([-60, -1, 0, 1, 60])))
    return max(at, first)


CLOCKS = st.sampled_from(["00:00", "07:00", "08:00", "10:00", "12:30", "13:00", "18:00", "21:00", "22:00", "23:30"])
BANDS = st.tuples(CLOCKS, CLOCKS).filter(lambda band: band[0] != band[1])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    now = draw(moments())
    recent = moments(now - dt.timedelta(days=9), 9.0).filter(lambda at: at <= now)
    history = st.fixed_dictionaries(
        {
            "at": recent.map(dt.datetime.isoformat),
            "number": st.sampled_from(SPELLINGS),
            "outcome": st.sampled_from(OUTCOMES),
        }
    )
    around = moments(now - dt.timedelta(days=40), 80.0).map(dt.datetime.isoformat)
    return {
        "id": "r",
        "now": now.isoformat(),
        "case": {"overdue_days": 12, "amount_fen": 350_000, "jurisdiction": draw(PLACES)},
        "target": {
            "kind": draw(st.sampled_from(["debtor"] * 6 + ["guarantor", "contact", "contact", "neighbour"])),
            "number": draw(st.sampled_from(SPELLINGS)),
        },
        "history": draw(st.lists(history, max_size=9)),
        "stops": [stop(draw, around) for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2])))],
        "consents": [consent(draw, around) for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))],
    }


def stop(draw: st.DrawFn, around: st.SearchStrategy[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": draw(st.sampled_from(STOPS))}
    if draw(st.booleans()):
        made["number"] = draw(st.sampled_from(SPELLINGS))
    for name in ("at", "until"):
        if draw(st.booleans()):
            made[name] = draw(around)
    if made["kind"] == "do_not_call" and draw(st.booleans()):
        made["from"], made["to"] = draw(BANDS)
    return made


def consent(draw: st.DrawFn, around: st.SearchStrategy[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": draw(st.sampled_from(["other_hours", "other_hours", "noon", "holiday"]))}
    if made["kind"] == "other_hours" and draw(st.booleans()):
        made["from"], made["to"] = draw(BANDS)
    if draw(st.booleans()):
        made["until"] = draw(around)
    return made


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(), st.data())
def test_two_rulebooks_agree(row: dict[str, Any], data: st.DataObject) -> None:
    now = dt.datetime.fromisoformat(row["now"])
    verdict = judge_row(row)
    assert verdict["allowed"] is may_dial(row, now)
    if verdict["allowed"]:
        return
    if verdict["not_before"] is None:
        until = now + dt.timedelta(days=60)
    else:
        until = dt.datetime.fromisoformat(verdict["not_before"])
        assert may_dial(row, until), "the time named is not allowed after all"
        assert not may_dial(row, until - dt.timedelta(seconds=1)), "a second earlier would have done"
    span_s = (until - now).total_seconds()
    for share in data.draw(st.lists(st.floats(0, 1, exclude_max=True), max_size=20)):
        assert not may_dial(row, now + dt.timedelta(seconds=int(share * span_s)))


def test_many_histories_from_a_seed_differ_nowhere() -> None:
    done, named, found = first_difference(HISTORIES * 2, seed=7)
    assert found is None and done == HISTORIES * 2
    assert len(named) >= 10, "rules that were never named were never compared"
