"""Runs one table: events and timers in, effects out. No clock, no socket, no randomness."""

from __future__ import annotations

from dataclasses import dataclass

from sip.message import CSeq, Headers, Message, Request, Response
from sip.transaction.table import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Action,
    Event,
    State,
    Step,
    Table,
    Timer,
    Trigger,
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds (RFC 3261 section 17.1.1.1). Every other timer follows from these three."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def patience(self) -> float:
        """64*T1: how long anybody waits for anybody."""
        return 64 * self.t1


RFC_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Send:
    message: Message


@dataclass(frozen=True, slots=True)
class StartTimer:
    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class Deliver:
    message: Message


@dataclass(frozen=True, slots=True)
class Failed:
    """No response will come. `status` is the one to act as if it had: 408 or 503 (RFC 3261 8.1.3.1)."""

    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class Terminated:
    pass


#: Timers that repeat a message, which a reliable transport does itself (RFC 3261 table 4) …
_REPEATING = (Timer.A, Timer.E, Timer.G)
#: … and those that wait for repetitions of the peer, zero there.
_LINGERING = (Timer.D, Timer.I, Timer.J, Timer.K)

Effect = Send | StartTimer | Deliver | Failed | Terminated


class Transaction:
    """One transaction. Feed it `start`, `receive`, `respond`, `fire`; carry out the effects in order."""

    def __init__(self, table: Table, state: State, request: Request, timing: Timing, *, reliable: bool) -> None:
        self.state = state
        self.request = request
        self.response: Response | None = None
        self._table = table
        self._timing = timing
        self._interval = timing.t1
        self._is_reliable = reliable

    def start(self) -> list[Effect]:
        """Client side: send the request."""
        return self._step(Event.START, self.request)

    def receive(self, message: Message) -> list[Effect]:
        """A response to our request; or, on the server side, the request again or its ACK."""
        if isinstance(message, Response):
            return self._step(_class_of(message), message)
        return self._step(Event.ACK if message.method == "ACK" else Event.REQUEST, message)

    def respond(self, response: Response) -> list[Effect]:
        """Server side: the transaction user's response."""
        return self._step(_class_of(response), response)

    def fire(self, timer: Timer) -> list[Effect]:
        return self._step(timer, None)

    def transport_failed(self) -> list[Effect]:
        return self._step(Event.TRANSPORT_ERROR, None)

    def _step(self, trigger: Trigger, message: Message | None) -> list[Effect]:
        if self.state is State.TERMINATED:
            return []
        row = self._table[self.state][trigger]
        if isinstance(message, Response) and Action.SEND_RESPONSE in row.steps:
            self.response = message
        self.state = row.state
        effects = [effect for step in row.steps if (effect := self._effect(step, message)) is not None]
        return [*effects, Terminated()] if row.state is State.TERMINATED else effects

    def _effect(self, step: Step, message: Message | None) -> Effect | None:
        match step:
            case Timer():
                is_needless = self._is_reliable and step in _REPEATING
                return None if is_needless else StartTimer(step, self._seconds(step))
            case Action.SEND_REQUEST:
                return Send(self.request)
            case Action.SEND_RESPONSE:
                return Send(self.response) if self.response is not None else None
            case Action.SEND_ACK:
                return Send(ack_failure(self.request, message)) if isinstance(message, Response) else None
            case Action.DELIVER:
                return Deliver(message) if message is not None else None
            case Action.REPORT_TIMEOUT:
                return Failed("nobody answered", 408)
            case Action.REPORT_TRANSPORT_ERROR:
                return Failed("nothing can be sent there", 503)

    def _seconds(self, timer: Timer) -> float:
        if timer in _REPEATING:
            return self._next_interval(timer)
        if self._is_reliable and timer in _LINGERING:
            return 0.0
        if timer in (Timer.I, Timer.K):
            return self._timing.t4
        return self._timing.patience

    def _next_interval(self, timer: Timer) -> float:
        """Retransmission intervals double: A without limit, E and G up to T2 (17.1.1.2, 17.1.2.2)."""
        if timer is Timer.E and self.state is State.PROCEEDING:
            return self._timing.t2
        seconds = self._interval
        self._interval = seconds * 2 if timer is Timer.A else min(seconds * 2, self._timing.t2)
        return seconds


def client_transaction(request: Request, timing: Timing, *, reliable: bool = False) -> Transaction:
    """`reliable`: a transport that loses nothing, so that nothing is repeated and nothing lingers."""
    if request.method == "INVITE":
        return Transaction(INVITE_CLIENT, State.CALLING, request, timing, reliable=reliable)
    return Transaction(NON_INVITE_CLIENT, State.TRYING, request, timing, reliable=reliable)


def server_transaction(request: Request, timing: Timing, *, reliable: bool = False) -> Transaction:
    if request.method == "INVITE":
        return Transaction(INVITE_SERVER, State.PROCEEDING, request, timing, reliable=reliable)
    return Transaction(NON_INVITE_SERVER, State.TRYING, request, timing, reliable=reliable)


def _class_of(response: Response) -> Event:
    if response.status < 200:
        return Event.PROVISIONAL
    return Event.SUCCESS if response.status < 300 else Event.FAILURE


def ack_failure(invite: Request, response: Response) -> Request:
    """The ACK for a 3xx-6xx: same branch and Route as the INVITE, To of the response (RFC 3261 17.1.1.3)."""
    return _follow(invite, "ACK", response.headers.get("To") or "")


def cancel(invite: Request) -> Request:
    """The CANCEL of an INVITE: same branch, Route, From, To, Call-ID and CSeq number (RFC 3261 9.1)."""
    return _follow(invite, "CANCEL", invite.headers.get("To") or "")


def _follow(invite: Request, method: str, to: str) -> Request:
    fields = [("Via", str(invite.via)), ("Max-Forwards", "70")]
    fields += [("Route", value) for value in invite.headers.all("Route")]
    fields += [("From", invite.headers.get("From") or ""), ("To", to), ("Call-ID", invite.call_id)]
    fields += [("CSeq", str(CSeq(invite.cseq.number, method)))]
    return Request(method, invite.uri, Headers(fields))
