"""The four transaction machines of RFC 3261 section 17, with the corrections of RFC 6026, as tables.

A row answers "in this state, when this happens: which state next, and what to do". Every state has a row for
every trigger its machine can meet; `ignored` names those that change nothing. No time, bytes or sockets here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What happens to a machine, apart from timers. Clients receive responses, servers send them."""

    START = "start"
    REQUEST = "request"
    ACK = "ack"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    TRANSPORT_ERROR = "transport error"


class Timer(StrEnum):
    """RFC 3261 table 4; L and M are RFC 6026's."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741  the RFC's own letter
    J = "J"
    K = "K"
    L = "L"
    M = "M"


class Action(StrEnum):
    SEND_REQUEST = "send the request (again)"
    SEND_ACK = "acknowledge the final response"
    SEND_RESPONSE = "send the newest response (again)"
    DELIVER = "give the message to the transaction user"
    REPORT_TIMEOUT = "tell the transaction user that nobody answered"
    REPORT_TRANSPORT_ERROR = "tell the transaction user that nothing can be sent"


Trigger = Event | Timer
Step = Action | Timer


@dataclass(frozen=True, slots=True)
class Row:
    state: State
    steps: tuple[Step, ...] = ()


Table = Mapping[State, Mapping[Trigger, Row]]


def to(state: State, *steps: Step) -> Row:
    """A Timer among the steps starts that timer."""
    return Row(state, steps)


def ignored(state: State, *triggers: Trigger) -> dict[Trigger, Row]:
    return {trigger: Row(state) for trigger in triggers}


_S, _E, _A, _T = State, Event, Action, Timer
_TERMINATED = to(_S.TERMINATED)
_TIMEOUT = to(_S.TERMINATED, _A.REPORT_TIMEOUT)
_BROKEN = to(_S.TERMINATED, _A.REPORT_TRANSPORT_ERROR)

# RFC 3261 figure 5 with the Accepted state of RFC 6026 section 7.2: a 2xx may come again, from the same or
# from another fork, and each one must reach the user, who acknowledges it.
INVITE_CLIENT: Table = {
    _S.CALLING: {
        _E.START: to(_S.CALLING, _A.SEND_REQUEST, _T.A, _T.B),
        _T.A: to(_S.CALLING, _A.SEND_REQUEST, _T.A),
        _T.B: _TIMEOUT,
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.DELIVER),
        _E.SUCCESS: to(_S.ACCEPTED, _A.DELIVER, _T.M),
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_ACK, _A.DELIVER, _T.D),
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.CALLING, _T.D, _T.M),
    },
    _S.PROCEEDING: {
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.DELIVER),
        _E.SUCCESS: to(_S.ACCEPTED, _A.DELIVER, _T.M),
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_ACK, _A.DELIVER, _T.D),
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.PROCEEDING, _E.START, _T.A, _T.B, _T.D, _T.M),
    },
    _S.ACCEPTED: {
        _E.SUCCESS: to(_S.ACCEPTED, _A.DELIVER),
        _T.M: _TERMINATED,
        **ignored(_S.ACCEPTED, _E.START, _E.PROVISIONAL, _E.FAILURE, _E.TRANSPORT_ERROR, _T.A, _T.B, _T.D),
    },
    _S.COMPLETED: {
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_ACK),
        _E.TRANSPORT_ERROR: _BROKEN,
        _T.D: _TERMINATED,
        **ignored(_S.COMPLETED, _E.START, _E.PROVISIONAL, _E.SUCCESS, _T.A, _T.B, _T.M),
    },
}

# RFC 3261 figure 6.
NON_INVITE_CLIENT: Table = {
    _S.TRYING: {
        _E.START: to(_S.TRYING, _A.SEND_REQUEST, _T.E, _T.F),
        _T.E: to(_S.TRYING, _A.SEND_REQUEST, _T.E),
        _T.F: _TIMEOUT,
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.DELIVER),
        _E.SUCCESS: to(_S.COMPLETED, _A.DELIVER, _T.K),
        _E.FAILURE: to(_S.COMPLETED, _A.DELIVER, _T.K),
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.TRYING, _T.K),
    },
    _S.PROCEEDING: {
        _T.E: to(_S.PROCEEDING, _A.SEND_REQUEST, _T.E),
        _T.F: _TIMEOUT,
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.DELIVER),
        _E.SUCCESS: to(_S.COMPLETED, _A.DELIVER, _T.K),
        _E.FAILURE: to(_S.COMPLETED, _A.DELIVER, _T.K),
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.PROCEEDING, _E.START, _T.K),
    },
    _S.COMPLETED: {
        _T.K: _TERMINATED,
        **ignored(_S.COMPLETED, _E.START, _E.PROVISIONAL, _E.SUCCESS, _E.FAILURE, _E.TRANSPORT_ERROR, _T.E, _T.F),
    },
}

# RFC 3261 figure 7 with the Accepted state of RFC 6026 section 7.1: it absorbs the INVITE that comes again
# while the transaction user repeats its 2xx.
INVITE_SERVER: Table = {
    _S.PROCEEDING: {
        _E.REQUEST: to(_S.PROCEEDING, _A.SEND_RESPONSE),
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.SEND_RESPONSE),
        _E.SUCCESS: to(_S.ACCEPTED, _A.SEND_RESPONSE, _T.L),
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.G, _T.H),
        _E.TRANSPORT_ERROR: to(_S.PROCEEDING, _A.REPORT_TRANSPORT_ERROR),
        **ignored(_S.PROCEEDING, _E.ACK, _T.G, _T.H, _T.I, _T.L),
    },
    _S.ACCEPTED: {
        _E.SUCCESS: to(_S.ACCEPTED, _A.SEND_RESPONSE),
        _E.ACK: to(_S.ACCEPTED, _A.DELIVER),
        _T.L: _TERMINATED,
        _E.TRANSPORT_ERROR: to(_S.ACCEPTED, _A.REPORT_TRANSPORT_ERROR),
        **ignored(_S.ACCEPTED, _E.REQUEST, _E.PROVISIONAL, _E.FAILURE, _T.G, _T.H, _T.I),
    },
    _S.COMPLETED: {
        _E.REQUEST: to(_S.COMPLETED, _A.SEND_RESPONSE),
        _E.ACK: to(_S.CONFIRMED, _T.I),
        _T.G: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.G),
        _T.H: _TIMEOUT,
        _E.TRANSPORT_ERROR: to(_S.COMPLETED, _A.REPORT_TRANSPORT_ERROR),
        **ignored(_S.COMPLETED, _E.PROVISIONAL, _E.SUCCESS, _E.FAILURE, _T.I, _T.L),
    },
    _S.CONFIRMED: {
        _T.I: _TERMINATED,
        **ignored(
            _S.CONFIRMED,
            _E.REQUEST, _E.ACK, _E.PROVISIONAL, _E.SUCCESS, _E.FAILURE, _E.TRANSPORT_ERROR, _T.G, _T.H, _T.L,
        ),
    },
}  # fmt: skip

# RFC 3261 figure 8.
NON_INVITE_SERVER: Table = {
    _S.TRYING: {
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.SEND_RESPONSE),
        _E.SUCCESS: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.J),
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.J),
        **ignored(_S.TRYING, _E.REQUEST, _E.TRANSPORT_ERROR, _T.J),
    },
    _S.PROCEEDING: {
        _E.REQUEST: to(_S.PROCEEDING, _A.SEND_RESPONSE),
        _E.PROVISIONAL: to(_S.PROCEEDING, _A.SEND_RESPONSE),
        _E.SUCCESS: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.J),
        _E.FAILURE: to(_S.COMPLETED, _A.SEND_RESPONSE, _T.J),
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.PROCEEDING, _T.J),
    },
    _S.COMPLETED: {
        _E.REQUEST: to(_S.COMPLETED, _A.SEND_RESPONSE),
        _T.J: _TERMINATED,
        _E.TRANSPORT_ERROR: _BROKEN,
        **ignored(_S.COMPLETED, _E.PROVISIONAL, _E.SUCCESS, _E.FAILURE),
    },
}
