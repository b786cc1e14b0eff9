"""Follow-up: what an outcome asks of us next: a reminder of a promise, a callback, another try, or nothing.

Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from voicebot.campaign.best_hour import Try, best_time
from voicebot.campaign.redial import RedialPolicy, next_try
from voicebot.domain.attempt import Attempt, NextAttempt, Outcome, Purpose
from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition

REMIND_AT = dt.time(15, 0)
"""Shanghai time at which a promise is spoken of on its day: in the morning there is a message."""

DAY_SCRIPT, MISSED_SCRIPT = "promise-day", "broken-promise"
"""What is said about a promise on its day, and after it was not kept."""

CALLBACK_AFTER = dt.timedelta(hours=2)
"""When to call back somebody who named no time."""

BEST_HOUR_WITHIN = dt.timedelta(days=1)
"""How long a better hour is waited for."""

_SOON_AGAIN = frozenset({Disposition.BUSY, Disposition.FAILED})
"""They are there, or we were at fault: no other hour is better."""

_FINAL = frozenset(
    {
        Disposition.DO_NOT_CALL,
        Disposition.WRONG_NUMBER,
        Disposition.THIRD_PARTY,
        Disposition.COMPLAINT,
        Disposition.VULNERABLE,
        Disposition.DISPUTE,
    }
)
"""After these a person decides whether anybody is rung again."""


def follow_up(
    attempt: Attempt,
    outcome: Outcome,
    past: Sequence[Disposition],
    now: dt.datetime,
    policy: RedialPolicy,
    tries: Sequence[Try] = (),
) -> tuple[NextAttempt, ...]:
    """What to plan after `outcome`; `past` are the case's dispositions in this campaign, this one last.

    `tries`: all calls to this debtor as far as known, for the hour at which they answer.
    """
    if outcome.disposition in _FINAL:
        return ()
    if outcome.promise is not None:
        return promise_reminders(outcome.promise, now)
    if attempt.purpose is Purpose.AGENT:
        return ()
    if outcome.callback_at is not None or outcome.callback_wanted:
        at = outcome.callback_at or now + CALLBACK_AFTER
        return (NextAttempt(max(at, now), Purpose.CALLBACK),)
    earliest = next_try(past, now, policy)
    if earliest is None:
        return ()
    if outcome.disposition in _SOON_AGAIN:
        return (NextAttempt(earliest, attempt.purpose),)
    return (NextAttempt(best_time(earliest, tries, BEST_HOUR_WITHIN), attempt.purpose),)


def promise_reminders(promise: Promise, now: dt.datetime) -> tuple[NextAttempt, ...]:
    """A call on the promised day, unless that is today: nobody is rung again about what they said an hour ago.

    Whoever pays before is not rung: a kept promise cancels what waits. What was not kept is found out when the days
    of grace are over, and rung about then (voicebot/campaign/keeper.py).
    """
    at = dt.datetime.combine(promise.date, REMIND_AT, SHANGHAI)
    later = promise.date > now.astimezone(SHANGHAI).date()
    return (NextAttempt(at, Purpose.PROMISE_DAY, script=DAY_SCRIPT),) if later else ()
