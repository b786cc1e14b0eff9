"""Breaker: a campaign whose calls fail in a row rests, tries one call, and goes on when that one works. Pure.

It is read from the attempts themselves, so that a restart forgets nothing and every page sees the same.
"""

from __future__ import annotations

import datetime as dt

from voicebot.domain.pace import Breaker, BreakerState, Settled

FAILURES = 5
"""Failed calls in a row after which a campaign rests."""
FIRST_REST = dt.timedelta(seconds=30)
LONGEST_REST = dt.timedelta(minutes=10)
FORGOTTEN_AFTER = dt.timedelta(hours=1)
"""What failed so long ago says nothing about the lines of now."""


def breaker(past: tuple[Settled, ...], now: dt.datetime) -> Breaker:
    """What the campaign's latest attempts, by the time they were settled, say about the next.

    Each failed trial rests twice as long as the one before. Calls that were under way when a rest began do not
    lengthen it.
    """
    failures, rests, until = 0, 0, dt.datetime.min.replace(tzinfo=dt.UTC)
    for one in past:
        if one.settled_at < now - FORGOTTEN_AFTER:
            continue
        if not one.failed:
            failures, rests = 0, 0
            continue
        failures += 1
        if failures >= FAILURES and one.leased_at >= until:
            until = one.settled_at + min(FIRST_REST * 2**rests, LONGEST_REST)
            rests += 1
    if failures < FAILURES:
        return Breaker(failures=failures)
    state = BreakerState.OPEN if now < until else BreakerState.TRIAL
    return Breaker(state, failures, until)
