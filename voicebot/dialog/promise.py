"""The promise being made: what an utterance adds to it, and how far away its day may lie."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from voicebot.domain.case import Promise
from voicebot.domain.understanding import Slots, Tense

_EVERYTHING = re.compile("全部|全额|全还|全给|还清|结清|一次性|一次过|一把还|一分不少|都还上|搞清|还完")
_PAID = re.compile("[还打转交付](?:过|了|掉)了?(?:一部分|一点儿?|一些|点儿?|些)了?")
"""A part that was paid already is no part that is offered."""
_SHARE = re.compile(
    "先还|先打|先给|先住|先得|一部分|一点|点儿|点先|只有|就这么多|每个?月(?![^，。]{0,4}[号日发])|分期|最低"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one utterance states about paying: the day, the amount in fen, and whether it must be asked again."""

    date: dt.date | None = None
    amount_fen: int | None = None
    partial: bool = False
    everything: bool = False
    time: dt.time | None = None
    past: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """The promise so far; `partial` without an amount means that the share must still be asked for."""

    date: dt.date | None = None
    amount_fen: int | None = None
    partial: bool = False

    def merged(self, said: Said) -> Pending:
        """The later word wins; a day leaves the amount alone and the other way round."""
        if said.everything and not said.partial:
            return Pending(said.date or self.date, None, False)
        return Pending(
            said.date or self.date,
            said.amount_fen if said.amount_fen is not None else self.amount_fen,
            said.partial or (self.partial and said.amount_fen is None),
        )

    def changed_by(self, said: Said) -> bool:
        return self.merged(said) != self

    @property
    def needs_amount(self) -> bool:
        return self.partial and self.amount_fen is None

    def promise(self, full_fen: int, confirmed: bool) -> Promise | None:
        """The promise in full; without a spoken amount it covers everything that is due."""
        if self.date is None:
            return None
        return Promise(self.date, full_fen if self.amount_fen is None else self.amount_fen, confirmed)


def said_about_paying(slots: Slots, text: str, today: dt.date, full_fen: int, part_heard: bool) -> Said:
    """Read the slots of an utterance as an offer to pay; days before today are no offers."""
    day = slots.date_end or slots.date
    past = slots.tense is Tense.PAST
    text = _PAID.sub("", text)
    amount = _amount(slots, full_fen)
    whole = amount is not None and amount >= full_fen
    partial = (amount is not None and not whole) or (amount is None and (part_heard or bool(_SHARE.search(text))))
    return Said(
        date=day if day is not None and day >= today and not past else None,
        amount_fen=None if whole or past else amount,
        partial=partial and not past,
        everything=whole or (amount is None and bool(_EVERYTHING.search(text)) and not part_heard),
        time=slots.time,
        past=past,
        unclear=slots.ambiguous and day is None and amount is None,
    )


def _amount(slots: Slots, full_fen: int) -> int | None:
    """The amount offered, at most what is due; 'about' what is due is what is due."""
    low, high = slots.amount_min_fen, slots.amount_max_fen
    if low is not None and low <= full_fen <= (high if high is not None else low * 5 // 4):
        return full_fen
    for amount in (slots.amount_fen, slots.per_installment_fen, low, high):
        if amount is not None and amount > 0:
            return full_fen if abs(amount - full_fen) <= max(100, full_fen // 100) else min(amount, full_fen)
    if slots.ratio is not None and 0 < slots.ratio <= 1:
        return round(full_fen * slots.ratio)
    if slots.installments is not None and slots.installments > 1:
        return -(-full_fen // slots.installments)
    return None


def callback_at(said: Said, now: dt.datetime, day: dt.date | None) -> dt.datetime | None:
    """When to ring again: the named time, moved out of the night (22:00 to 8:00) that the law protects."""
    if day is None and said.time is None:
        return None
    time = said.time or dt.time(10, 0)
    at = dt.datetime.combine(day or now.date(), time, tzinfo=now.tzinfo)
    if at <= now:
        at += dt.timedelta(days=1)
    if at.hour >= 22:
        at = (at + dt.timedelta(days=1)).replace(hour=9, minute=0)
    return at.replace(hour=9, minute=0) if at.hour < 8 else at


def near_day(today: dt.date) -> dt.date:
    """The day we propose ourselves: three days from now."""
    return today + dt.timedelta(days=3)
