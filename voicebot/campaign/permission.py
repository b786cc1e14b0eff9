"""Permission: the judge and the limits of the ledger, both from the rule packs of this installation."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.domain.attempt import Caps
from voicebot.domain.permission import DialRequest, Judge

_ASK_AGAIN = dt.timedelta(minutes=1)
"""What forbids because something on our side is missing may be mended any moment; the case waits for it."""


def judge_by(packs: Packs | None = None) -> Judge:
    """The judge for Store.attempts.lease: the shipped rule packs, or `packs`."""
    rulebook = packs or shipped_packs()

    def ask(request: DialRequest, now: dt.datetime) -> Verdict:
        verdict = judge(replace(request, now=now), rulebook)
        return replace(verdict, not_before=now + _ASK_AGAIN) if verdict.passing else verdict

    return ask


def caps_of(packs: Packs | None = None) -> Caps:
    """The limits of the ledger, which counts civil days in Shanghai: those of the pack of mainland China."""
    laws = (packs or shipped_packs()).laws
    cn = laws["CN"]
    return Caps(
        attempts_per_number_day=cn.figure("unanswered", "unanswered_per_number_per_day", 0),
        conversations_per_debtor_day=cn.figure("conversations", "conversations_per_day", 0),
        attempts_per_debtor_week=cn.figure("rolling", "attempts_per_rolling_days", 0),
        conversations_per_debtor_week=cn.figure("rolling", "conversations_per_rolling_days", 0),
    )
