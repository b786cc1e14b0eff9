"""Best hour: in which part of the day somebody answers, learned from when they did and did not. Pure.

Each part of the day has a Beta distribution over the chance of an answer; the next try goes to the part with the best
mean, the soonest among equals. So an unanswered morning moves the next try to the afternoon, and whoever once answered
in the evening is rung in the evening. The rulebook may still put a try off, never bring it forward.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from voicebot.domain.clock import SHANGHAI

BANDS = ((dt.time(9), dt.time(12)), (dt.time(14), dt.time(17)), (dt.time(17), dt.time(20)))
"""Parts of the day in Shanghai time, [from, to); outside them nobody is rung."""

_ANSWERED, _MISSED = 1.0, 2.0
"""What we believe before the first try: one call in three is answered."""


@dataclass(frozen=True, slots=True)
class Try:
    """One earlier call: when it began, and whether somebody spoke with us."""

    at: dt.datetime
    answered: bool


def best_time(earliest: dt.datetime, tries: Sequence[Try], within: dt.timedelta) -> dt.datetime:
    """When to ring, from `earliest` on and at most `within` later; `earliest` where nothing speaks for waiting."""
    chances = [chance(band, tries) for band in range(len(BANDS))]
    best, when = -1.0, earliest
    for at, band in _openings(earliest, earliest + within):
        if chances[band] > best:
            best, when = chances[band], at
    return when


def chance(band: int, tries: Iterable[Try]) -> float:
    """The expected chance of an answer in BANDS[band], between 0 and 1."""
    here = [one.answered for one in tries if _band_of(one.at) == band]
    answered = sum(here)
    return (_ANSWERED + answered) / (_ANSWERED + _MISSED + len(here))


def _openings(first: dt.datetime, last: dt.datetime) -> Iterator[tuple[dt.datetime, int]]:
    """The moments worth a thought, in order: now if a part of the day runs, and the beginning of each later one."""
    band = _band_of(first)
    if band is not None:
        yield first, band
    day = first.astimezone(SHANGHAI).date()
    while (midnight := dt.datetime.combine(day, dt.time(), SHANGHAI)) <= last:
        for number, (opens, _) in enumerate(BANDS):
            at = dt.datetime.combine(midnight.date(), opens, SHANGHAI)
            if first < at <= last:
                yield at, number
        day += dt.timedelta(days=1)


def _band_of(at: dt.datetime) -> int | None:
    clock = at.astimezone(SHANGHAI).time()
    return next((number for number, (opens, closes) in enumerate(BANDS) if opens <= clock < closes), None)
