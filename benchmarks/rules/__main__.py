"""Judgements per CPU second of one core: python -m benchmarks.rules [--seconds 5]

Three kinds of question: nothing known of the debtor, a month of history with stops and consents, and two jurisdictions
at once. Each is asked for a while; what a judgement allows or refuses does not matter to its price.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Mapping
from dataclasses import replace

from voicebot.compliance.packs import shipped_packs
from voicebot.compliance.rulebook import judge
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.ledger import FIRST, Decision, chained, inputs_of, told
from voicebot.domain.permission import Agreement, DialRequest, PastAttempt, Reached, Stop

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
NUMBER = "+8613800000001"


def questions() -> Mapping[str, DialRequest]:
    """Requests by what they stand for."""
    fresh = DialRequest(NOW, ("CN",), "debtor", NUMBER)
    month = tuple(PastAttempt(NOW - dt.timedelta(days=n, hours=1), NUMBER, Reached.NO_ANSWER) for n in range(1, 31))
    stops = (Stop("do_not_call", NUMBER, band=(dt.time(18), dt.time(20))), Stop("complaint", at=NOW - dt.timedelta(60)))
    consents = (Agreement("other_hours", (dt.time(7), dt.time(9))), Agreement("noon"))
    known = replace(fresh, history=month, stops=stops, consents=consents)
    night = replace(fresh, now=NOW.replace(hour=22))
    says = frozenset({"US-3", "US-9"})
    abroad = replace(fresh, jurisdictions=("CN", "US"), consents=(Agreement("artificial_voice"),), script_says=says)
    return {"allowed, nothing known": fresh, "refused, a month of history": known, "refused at night": night,
            "two jurisdictions": abroad}  # fmt: skip


def per_second(request: DialRequest, seconds: float) -> float:
    packs = shipped_packs()
    done, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for _ in range(50):
            judge(request, packs)
        done += 50
    return done / spent


def chained_per_second(request: DialRequest, seconds: float) -> float:
    """Ledger rows hashed, without the database."""
    row = told(Decision(1, NOW, True, None, "允许拨打", None, "0" * 64, NUMBER, inputs=inputs_of(request), position=1))
    done, begun, before = 0, time.process_time(), FIRST
    while (spent := time.process_time() - begun) < seconds:
        before = chained(row, before)
        done += 1
    return done / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each kind of question")
    wanted = parser.parse_args()
    found = {name: round(per_second(request, wanted.seconds)) for name, request in questions().items()}
    found["ledger rows chained"] = round(chained_per_second(questions()["refused, a month of history"], wanted.seconds))
    print(json.dumps({"per_cpu_second": found}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
