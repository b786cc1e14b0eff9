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


def promise_messages(promise: Promise, number: str, now: dt.datetime) -> tuple[PlannedMessage, ...]:
    """Right away what was agreed, and the day's reminder; none about a promise that was not confirmed.

    Only telephone numbers get messages, not `sip:` URIs.
    """
    if not promise.confirmed or not number.startswith("+"):
        return ()
    recap = PlannedMessage(MessageKind.PROMISE_RECAP, number, now, now + RECAP_WITHIN)
    morning = dt.datetime.combine(promise.date, DUE_FROM, SHANGHAI)
    if morning <= now:
        return (recap,)
    evening = dt.datetime.combine(promise.date, DUE_UNTIL, SHANGHAI)
    return (recap, PlannedMessage(MessageKind.PROMISE_DUE, number, morning, evening))
