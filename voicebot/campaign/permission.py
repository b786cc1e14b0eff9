"""Permission: what the ledger of counters lets through at most, from the rule packs."""

from __future__ import annotations

from voicebot.compliance.asking import judge_by as judge_by
from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.domain.attempt import Caps


def caps_of(packs: Packs | None = None) -> Caps:
    """The limits of the ledger, which counts civil days in Shanghai: those of the pack of mainland China."""
    cn = (packs or shipped_packs()).laws["CN"]
    return Caps(
        attempts_per_number_day=cn.figure("unanswered", "unanswered_per_number_per_day", 0),
        conversations_per_debtor_day=cn.figure("conversations", "conversations_per_day", 0),
        attempts_per_debtor_week=cn.figure("rolling", "attempts_per_rolling_days", 0),
        conversations_per_debtor_week=cn.figure("rolling", "conversations_per_rolling_days", 0),
    )
