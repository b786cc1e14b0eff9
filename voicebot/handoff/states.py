"""States: the warm transfer as a table. The same table stands in docs/reference/warm-transfer.md."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a call stands on its way to a person."""

    BOT = "bot"  # the bot has the call, or the line alone where there is no bot
    QUEUED = "queued"
    RINGING = "ringing"
    BRIEFING = "briefing"
    JOINED = "joined"
    OVER = "over"


class Event(StrEnum):
    """What moves it on."""

    TRIGGERED = "triggered"
    AGENT_FREE = "agent_free"
    NOBODY = "no_agent"  # nobody is on duty who was not tried
    WAITED_OUT = "waited_out"
    ANSWERED = "answered"
    BUSY = "agent_busy"
    ABSENT = "agent_absent"  # no answer in time, or their phone can't be reached
    DECLINED = "agent_declined"  # refused the call, or the briefing by key or click
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "agent_silent"  # heard the briefing and did nothing, where accepting is asked for
    AGENT_GONE = "agent_hung_up"
    AGENT_LOST = "agent_lost"  # their line broke
    PASSED_ON = "passed_on"  # to a person who asked for it, or was asked: take-over, transfer, preview dial
    REFERRED = "referred"
    DEBTOR_GONE = "debtor_gone"


TABLE: dict[tuple[State, Event], State] = {
    (State.BOT, Event.TRIGGERED): State.QUEUED,
    (State.BOT, Event.PASSED_ON): State.JOINED,
    (State.BOT, Event.DEBTOR_GONE): State.OVER,
    (State.QUEUED, Event.AGENT_FREE): State.RINGING,
    (State.QUEUED, Event.NOBODY): State.BOT,
    (State.QUEUED, Event.WAITED_OUT): State.BOT,
    (State.QUEUED, Event.PASSED_ON): State.JOINED,
    (State.QUEUED, Event.DEBTOR_GONE): State.OVER,
    (State.RINGING, Event.ANSWERED): State.BRIEFING,
    (State.RINGING, Event.BUSY): State.QUEUED,
    (State.RINGING, Event.ABSENT): State.QUEUED,
    (State.RINGING, Event.DECLINED): State.QUEUED,
    (State.RINGING, Event.DEBTOR_GONE): State.OVER,
    (State.BRIEFING, Event.ACCEPTED): State.JOINED,
    (State.BRIEFING, Event.DECLINED): State.QUEUED,
    (State.BRIEFING, Event.NOT_ACCEPTED): State.QUEUED,
    (State.BRIEFING, Event.AGENT_GONE): State.QUEUED,
    (State.BRIEFING, Event.AGENT_LOST): State.QUEUED,
    (State.BRIEFING, Event.DEBTOR_GONE): State.OVER,
    (State.JOINED, Event.PASSED_ON): State.JOINED,
    (State.JOINED, Event.AGENT_GONE): State.OVER,
    (State.JOINED, Event.AGENT_LOST): State.QUEUED,
    (State.JOINED, Event.REFERRED): State.OVER,
    (State.JOINED, Event.DEBTOR_GONE): State.OVER,
}


class IllegalMoveError(RuntimeError):
    """Something happened that the table does not know in this state."""


def after(state: State, event: Event) -> State:
    """The next state; IllegalMoveError where the table has none."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise IllegalMoveError(f"{event.value} in state {state.value}") from None
