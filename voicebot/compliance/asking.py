"""Asking: the rulebook as the one who dials asks it, with every refusal that may pass worth another question."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.domain.permission import DialRequest, Judge

_ASK_AGAIN = dt.timedelta(minutes=1)
"""What forbids because something on our side is missing may be mended any moment; the case waits for it."""


def judge_by(packs: Packs | None = None) -> Judge:
    """The judge for Store.attempts.lease: the shipped rule packs, or `packs`."""
    rulebook = packs or shipped_packs()

    def ask(request: DialRequest, now: dt.datetime) -> Verdict:
        return asked(replace(request, now=now), rulebook)

    return ask


def asked(request: DialRequest, packs: Packs) -> Verdict:
    """The verdict with the request it answers; where it may pass, with the time to ask again."""
    verdict = judge(request, packs)
    soon = request.now + _ASK_AGAIN if verdict.passing else None
    again = verdict.not_before or soon
    return replace(verdict, not_before=again, asked=request)
