"""Counted: what the database knows of a call beside its journal when the call is counted, and what comes of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.tally import Tally


@dataclass(frozen=True, slots=True)
class CallSetting:
    """Amounts and days are those of the case now; a journal that says what they were in the call is believed more.

    `verdicts`: what reviewers said of the call's sentences, as (rule, confirmed). `age`: whole years on the day.
    """

    call_id: str
    direction: str
    started_at: dt.datetime
    script: str = ""
    campaign: str = ""
    strategy: str = ""
    debtor: str = ""
    region: str = ""
    age: int | None = None
    amount_fen: int = 0
    overdue_days: int | None = None
    bundle: str | None = None
    checked: bool = False
    slipped: int = 0
    agent_promised: bool = False
    verdicts: tuple[tuple[str, bool], ...] = ()

    @property
    def day(self) -> dt.date:
        """The civil day in Shanghai."""
        return self.started_at.astimezone(SHANGHAI).date()


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call as it stands in the table report_calls."""

    setting: CallSetting
    stage: str
    age: str
    tally: Tally
