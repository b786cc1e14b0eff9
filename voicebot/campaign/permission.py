"""Permission: the judge and the limits of the ledger, both from the rule packs of this installation."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from voicebot.compliance.pack import RulePack, load_pack
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.domain.attempt import Caps
from voicebot.domain.permission import DialRequest, Judge


def judge_by(pack: RulePack | None = None) -> Judge:
    """The judge for Store.attempts.lease: the shipped rule pack, or `pack`."""
    rulebook = pack or load_pack()

    def ask(request: DialRequest, now: dt.datetime) -> Verdict:
        return judge(replace(request, now=now), rulebook)

    return ask


def caps_of(pack: RulePack | None = None) -> Caps:
    """The ledger's limits, from the same pack."""
    rulebook = pack or load_pack()
    return Caps(
        attempts_per_number_day=rulebook.unanswered_per_number_per_day,
        conversations_per_debtor_day=rulebook.conversations_per_day,
        attempts_per_debtor_week=rulebook.attempts_per_rolling,
        conversations_per_debtor_week=rulebook.conversations_per_rolling,
    )
