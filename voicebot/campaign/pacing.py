"""Pacing: how many more numbers may be dialled at this moment, for a process and for a campaign by its mode. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.pace import CampaignMode, Flow, Share

UNLIMITED = 1_000_000
MOST_AHEAD = 400
"""So many calls under way are as many as any campaign with people has."""
_MISSED = 0.002
"""With hand-over: the chance, at most, that somebody who wants a person finds none free."""
_DEVIATIONS = 1.64
"""How many standard deviations above what was seen a share is taken to be, to be on the safe side."""
_ANSWERED = Share(1, 2)
_HANDED = Share(1, 2)
"""What is believed before the first call: one in two. Too high starts slowly, too low leaves somebody waiting."""
_SPENT = 0.8
"""Of the calls that may be abandoned, this part is planned for; the rest is for bad luck."""
_AT_ONCE = 0.25
"""Of what may still be abandoned, this part is risked at one moment."""
_BOLD = 4.0
"""While few were abandoned of late, a moment may expect so many times the ceiling."""
_LOG_CHOICES = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, 4096)))))
"""Logarithms of the factorials."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on in a process. `capacity` calls at once; None for `lines_free`: nothing limits them."""

    running: int
    capacity: int
    lines_free: int | None = None
    handoffs_waiting: int = 0
    agents_ready: int | None = None


def pace(load: Load, most_at_once: int = 10) -> int:
    """New calls to start now: never more than lines and capacity hold, few at a time, none while people queue.

    Which campaign may have them is said by `allowance`.
    """
    if load.handoffs_waiting > (load.agents_ready or 0):
        return 0
    room = load.capacity - load.running
    if load.lines_free is not None:
        room = min(room, load.lines_free)
    return max(0, min(room, most_at_once))


def allowance(flow: Flow) -> int:
    """New calls that a campaign's mode lets it start now.

    With people, those who wait and those who may soon ask for one count first.
    """
    if flow.mode is CampaignMode.ROBOT:
        return UNLIMITED
    if flow.mode is CampaignMode.PREVIEW:
        return 0
    free = flow.free - flow.waiting
    if flow.mode is CampaignMode.PROGRESSIVE:
        return max(0, free - flow.ringing - flow.talking)
    return _with_hand_over(flow, free) if flow.mode is CampaignMode.HAND_OVER else _predictive(flow, free)


def _with_hand_over(flow: Flow, free: int) -> int:
    """The most calls with which more people than are free are wanted once in 500 times."""
    if free <= 0:
        return 0
    handed = likely(flow.handed, _HANDED)
    wanted = likely(flow.answered, _ANSWERED) * handed
    talking = _binomial(flow.talking, handed)

    def is_safe(ringing: int) -> bool:
        return float(np.convolve(talking, _binomial(ringing, wanted))[free + 1 :].sum()) <= _MISSED

    return _most(is_safe, flow.ringing)


def _predictive(flow: Flow, free: int) -> int:
    """The most calls whose expected abandoned ones, with those of late, stay below the ceiling.

    Who is answered wants a person at once, so those who talk with the bot are as good as waiting. One call for each
    person who is free is always allowed: it can't be too many.
    """
    answer = likely(flow.answered, _ANSWERED)
    left = free - flow.talking
    taken = _binomial(flow.with_people, 1 - flow.soon_free)  # who still talks when the ringing ones are answered
    spare = max(0.0, _SPENT * flow.ceiling * (flow.abandoned.of + 1) - flow.abandoned.count)

    def is_safe(ringing: int) -> bool:
        wanted = np.convolve(_binomial(ringing, answer), taken)
        over = np.arange(len(wanted)) - (left + flow.with_people)
        missed = float((np.clip(over, 0, None) * wanted).sum())
        return missed <= min(spare * _AT_ONCE, _BOLD * flow.ceiling * ringing * answer)

    return max(_most(is_safe, flow.ringing), left - flow.ringing, 0)


def _most(is_safe: Callable[[int], bool], ringing: int) -> int:
    """How many more than `ringing` are safe; safety must not come back once it is lost."""
    low, high = 0, MOST_AHEAD
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_safe(middle) else (low, middle - 1)
    return max(0, low - ringing)


def likely(seen: Share, before: Share) -> float:
    """A share that is hardly exceeded: Wilson's upper bound after what was believed before."""
    of = seen.of + before.of
    share = (seen.count + before.count) / of
    z = _DEVIATIONS
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return min(1.0, (middle + spread) / (1 + z * z / of))


def _binomial(n: int, p: float) -> NDArray[np.float64]:
    """The chances of 0..n of n, in logarithms so that nothing underflows on the way."""
    if n == 0 or p <= 0.0 or p >= 1.0:
        sure = np.zeros(n + 1)
        sure[n if p >= 1.0 else 0] = 1.0
        return sure
    k = np.arange(n + 1)
    chances: NDArray[np.float64] = np.exp(
        _LOG_CHOICES[n] - _LOG_CHOICES[k] - _LOG_CHOICES[n - k] + k * math.log(p) + (n - k) * math.log1p(-p)
    )
    return chances
