"""Redial: when to try again after nobody was reached. Pure.

The rulebook may put it off further, never nearer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait after an outcome: `base`, doubled with each repetition up to `longest`.

    After `tries` such outcomes in a row nobody is rung again. `next_day`: not before midnight in Shanghai.
    """

    base: dt.timedelta
    longest: dt.timedelta
    tries: int
    next_day: bool = False


@dataclass(frozen=True, slots=True)
class RedialPolicy:
    """Waits by outcome; an outcome without one is an answer, after which nobody is rung again by itself.

    Ours is the block `redial` of voicebot/campaign/follow_up.yaml, read by care.py.
    """

    waits: Mapping[Disposition, Wait]
    most_tries: int


def next_try(
    past: Sequence[Disposition],
    now: dt.datetime,
    policy: RedialPolicy,
    not_before: dt.datetime | None = None,
) -> dt.datetime | None:
    """When to ring again after the outcomes `past` of one case (oldest first), or None for never.

    The answer is later than `now` and not before `not_before`.
    """
    if not past or len(past) >= policy.most_tries:
        return None
    wait = policy.waits.get(past[-1])
    if wait is None:
        return None
    streak = sum(1 for _ in takewhile(past[-1].__eq__, reversed(past)))
    if streak >= wait.tries:
        return None
    doubled: dt.timedelta = wait.base * 2 ** (streak - 1)
    at = now + min(doubled, wait.longest)
    if wait.next_day:
        at = max(at, _midnight_after(now))
    return max(at, not_before) if not_before is not None else at


def _midnight_after(now: dt.datetime) -> dt.datetime:
    day = now.astimezone(SHANGHAI).date() + _DAY
    return dt.datetime.combine(day, dt.time(), SHANGHAI)
