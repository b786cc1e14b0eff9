"""Planning: which messages an agreement gives rise to, and when. Pure."""

from __future__ import annotations

import datetime as dt

from voicebot.domain.case import Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.message import MessageKind, PlannedMessage

RECAP_WITHIN = dt.timedelta(hours=12)
"""A recap that comes later than this would only puzzle."""
DUE_FROM, DUE_UNTIL = dt.time(9, 0), dt.time(18, 0)
"""Shanghai time between which a promise is brought to mind on its day."""


NOTICE_FROM = dt.time(9, 0)
NOTICE_BEFORE = dt.timedelta(minutes=30)
"""A call is announced at least so long before it, from this hour of its day."""


def promise_messages(promise: Promise, number: str, now: dt.datetime) -> tuple[PlannedMessage, ...]:
    """Right away what was agreed, and the day's reminder; none about a promise that was not confirmed.

    Only telephone numbers get messages, not `sip:` URIs.
    """
    if not promise.confirmed or not number.startswith("+"):
        return ()
    recap = PlannedMessage(MessageKind.PROMISE_RECAP, number, now, now + RECAP_WITHIN)
    due = due_message(promise.date, now, number)
    return (recap, due) if due is not None and due.not_before > now else (recap,)


def due_message(day: dt.date, now: dt.datetime, number: str = "") -> PlannedMessage | None:
    """What brings a promise to mind on its day; None when the day's hours are over. No number: the debtor's best."""
    morning = dt.datetime.combine(day, DUE_FROM, SHANGHAI)
    evening = dt.datetime.combine(day, DUE_UNTIL, SHANGHAI)
    return PlannedMessage(MessageKind.PROMISE_DUE, number, max(morning, now), evening) if now < evening else None


def recap_message(template: str, number: str, now: dt.datetime) -> PlannedMessage | None:
    """What is written after a call that ended without a promise."""
    return PlannedMessage(template, number, now, now + RECAP_WITHIN) if number.startswith("+") else None


def notice_message(template: str, number: str, call_at: dt.datetime, now: dt.datetime) -> PlannedMessage | None:
    """What announces a call: on the morning of its day, at least half an hour before; None when there is no time."""
    if not number.startswith("+"):
        return None
    local = call_at.astimezone(SHANGHAI)
    morning = dt.datetime.combine(local.date(), NOTICE_FROM, SHANGHAI)
    until = call_at - NOTICE_BEFORE
    at = max(min(morning, until), now)
    return PlannedMessage(template, number, at, until) if at < until else None
