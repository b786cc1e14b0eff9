"""Random histories without end, quickly: the same kinds of row as the property test draws, from a seed alone.

    python -m tests.voicebot.compliance.histories --count 1000000 --seed 1

judges each with rulebook and oracle and stops at the first difference. hypothesis finds smaller examples, this more.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
import time
from typing import Any

from tests.voicebot.compliance.oracle import ZONE, may_dial
from voicebot.compliance.rows import judge_row

SPELLINGS = ("13800000001", "+8613800000001", "138 0000 0001", "13800000002", "+86 138-0000-0002")
OUTCOMES = ("conversation", "no_answer", "busy", "rejected", "voicemail", "unreachable", "failed")
STOPS = ("deceased", "litigation", "dispute", "complaint", "hospital", "do_not_call", "contact_refused", "other")
CLOCKS = ("00:00", "07:00", "08:00", "10:00", "12:30", "13:00", "18:00", "21:00", "22:00", "23:30")
YEAR = dt.datetime(2026, 1, 1, tzinfo=ZONE)


def row(chance: random.Random) -> dict[str, Any]:
    """A row of `voicebot rules judge`, often at an edge."""
    now = moment(chance, YEAR, 364.9)
    case = {"overdue_days": 12, "amount_fen": 350_000, "jurisdiction": chance.choice(["CN"] * 15 + ["US"])}
    kind = chance.choice(["debtor"] * 6 + ["guarantor", "contact", "contact", "neighbour"])
    return {
        "id": "r",
        "now": now.isoformat(),
        "case": case,
        "target": {"kind": kind, "number": chance.choice(SPELLINGS)},
        "history": [past(chance, now) for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 3, 5, 8)))],
        "stops": [stop(chance, now) for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2)))],
        "consents": [consent(chance, now) for _ in range(chance.choice((0, 0, 0, 1, 2)))],
    }


def moment(chance: random.Random, first: dt.datetime, days: float) -> dt.datetime:
    at = first + dt.timedelta(minutes=chance.randrange(int(days * 1440)))
    if chance.random() < 0.5:
        at = at.replace(minute=chance.choice((0, 30, 54))) + dt.timedelta(seconds=chance.choice((-60, -1, 0, 1, 60)))
    return max(at, first)


def past(chance: random.Random, now: dt.datetime) -> dict[str, Any]:
    at = min(now, moment(chance, now - dt.timedelta(days=9), 9.0))
    return {"at": at.isoformat(), "number": chance.choice(SPELLINGS), "outcome": chance.choice(OUTCOMES)}


def stop(chance: random.Random, now: dt.datetime) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": chance.choice(STOPS)}
    if chance.random() < 0.5:
        made["number"] = chance.choice(SPELLINGS)
    for name in ("at", "until"):
        if chance.random() < 0.5:
            made[name] = moment(chance, now - dt.timedelta(days=40), 80.0).isoformat()
    if made["kind"] == "do_not_call" and chance.random() < 0.5:
        made["from"], made["to"] = chance.sample(CLOCKS, 2)
    return made


def consent(chance: random.Random, now: dt.datetime) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": chance.choice(("other_hours", "other_hours", "noon", "holiday"))}
    if made["kind"] == "other_hours" and chance.random() < 0.5:
        made["from"], made["to"] = chance.sample(CLOCKS, 2)
    if chance.random() < 0.5:
        made["until"] = moment(chance, now - dt.timedelta(days=40), 80.0).isoformat()
    return made


def difference(asked: dict[str, Any], verdict: dict[str, Any], chance: random.Random) -> str | None:
    """Where rulebook and oracle differ about a row: the verdict, the time named, or a moment before it."""
    now = dt.datetime.fromisoformat(asked["now"])
    if verdict["allowed"] is not may_dial(asked, now):
        return "the verdict"
    if verdict["allowed"]:
        return None
    if verdict["not_before"] is None:
        until = now + dt.timedelta(days=60)
    else:
        until = dt.datetime.fromisoformat(verdict["not_before"])
        if not may_dial(asked, until):
            return "the time named is not allowed after all"
        if may_dial(asked, until - dt.timedelta(seconds=1)):
            return "a second earlier would have done"
    for _ in range(4):
        before = now + dt.timedelta(seconds=int(chance.random() * (until - now).total_seconds()))
        if may_dial(asked, before):
            return f"{before} is before the time named, and allowed"
    return None


def first_difference(count: int, seed: int) -> tuple[int, dict[str, int], str | None]:
    """Rows judged, how often each rule was named, and the first difference with its row."""
    chance = random.Random(seed)
    named: dict[str, int] = {}
    for done in range(count):
        asked = row(chance)
        verdict = judge_row(asked)
        found = difference(asked, verdict, chance)
        if found is not None:
            return done, named, f"{found}: {json.dumps(asked, ensure_ascii=False)}"
        rule = verdict["rule"] or "allowed"
        named[rule] = named.get(rule, 0) + 1
    return count, named, None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    wanted = parser.parse_args()
    begun = time.process_time()
    done, named, found = first_difference(wanted.count, wanted.seed)
    print(json.dumps({"histories": done, "seed": wanted.seed, "difference": found, "rules": named,
                      "cpu_s": round(time.process_time() - begun)}, ensure_ascii=False))  # fmt: skip
    sys.exit(found is not None)


if __name__ == "__main__":
    main()
