"""A transaction at work: one machine with its timers, its peer and whoever wants its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from sip.message import Message, Request, Response
from sip.transaction import Deliver, Effect, Failed, Send, StartTimer, State, Terminated, Timer, Transaction
from sip.transport import Address, Hop


class TimerHandle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic seconds and timers; an asyncio event loop is one."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> TimerHandle: ...


class Wire(Protocol):
    """What an exchange needs of its endpoint."""

    clock: Clock

    def send(self, message: Message, hop: Hop) -> bool: ...


class Exchange:
    """Carries out the effects of one machine. `begin` before anything else."""

    machine: Transaction
    destination: Hop

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._timers: dict[Timer, TimerHandle] = {}
        self._forget: Callable[[], object] = lambda: None

    def begin(self, machine: Transaction, destination: Hop, forget: Callable[[], object]) -> None:
        self.machine, self.destination, self._forget = machine, destination, forget

    def receive(self, message: Message) -> None:
        self._perform(self.machine.receive(message))

    def stop(self) -> None:
        """No more timers; the endpoint forgets this transaction."""
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        self._forget()

    def fail_to_send(self) -> None:
        """What was sent has not gone out, and will not."""
        self._perform(self.machine.transport_failed())

    def _fire(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self._perform(self.machine.fire(timer))

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(message):
                    self._send(message)
                case StartTimer(timer, seconds):
                    self._start_timer(timer, seconds)
                case Deliver(message):
                    self._deliver(message)
                case Failed():
                    self._fail(effect)
                case Terminated():
                    self.stop()

    def _start_timer(self, timer: Timer, seconds: float) -> None:
        self._timers[timer] = self._wire.clock.call_later(seconds, lambda: self._fire(timer))

    def _send(self, message: Message) -> None:
        if not self._wire.send(message, self.destination):
            self._wire.clock.call_later(0, self.fail_to_send)

    def _deliver(self, message: Message) -> None:
        """A message for the transaction user; by default nobody wants it."""

    def _fail(self, failed: Failed) -> None:
        """The peer cannot be reached; by default nobody cares."""


class Attempt(Exchange):
    """One try to get a request answered at one hop; `move_on` goes to the next hop, None where this is the last."""

    def __init__(self, wire: Wire, outgoing: Outgoing, move_on: Callable[[], None] | None) -> None:
        super().__init__(wire)
        self.has_been_resent = False
        self.is_abandoned = False
        self._outgoing, self._move_on = outgoing, move_on
        #: Called once when an abandoned INVITE rings after all.
        self.on_late: Callable[[], None] = lambda: None
        self._patience: TimerHandle | None = None

    def begin(self, machine: Transaction, destination: Hop, forget: Callable[[], object]) -> None:
        super().begin(machine, destination, forget)
        self._perform(machine.start())

    def stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        super().stop()

    def be_patient(self, seconds: float) -> None:
        """Abandon this hop when nobody has answered until then."""
        self._patience = self._wire.clock.call_later(seconds, self.abandon)

    @property
    def is_unheard(self) -> bool:
        return self.machine.state in (State.CALLING, State.TRYING)

    def send_again(self) -> None:
        self.has_been_resent = True
        self._send(self.machine.request)

    def abandon(self) -> None:
        """Nobody has answered here for long enough: try the next hop. What comes late is put in order."""
        if self._move_on is not None and self.is_unheard and not self.is_abandoned:
            self.is_abandoned = True
            self._move_on()

    def _deliver(self, message: Message) -> None:
        if not isinstance(message, Response):
            return
        if self.is_abandoned:
            self._deliver_late(message)
        elif message.status == 503 and self._move_on is not None:
            self.is_abandoned = True
            self._move_on()
        else:
            if message.status > 100:
                self._move_on = None  # somebody is there: this hop it is (RFC 3263 4.3)
            self._outgoing.on_response(message)

    def _deliver_late(self, response: Response) -> None:
        if response.status < 200:
            on_late, self.on_late = self.on_late, lambda: None
            on_late()
        elif response.status < 300:
            self._outgoing.on_response(response)

    def _fail(self, failed: Failed) -> None:
        if self.is_abandoned:
            return
        if self._move_on is not None:
            self.is_abandoned = True
            self._move_on()
        else:
            self._outgoing.on_failure(failed)


class Outgoing:
    """A request of ours on its way, over one hop after another. `on_failure` hears, once, that none answers."""

    def __init__(self, on_response: Callable[[Response], None], on_failure: Callable[[Failed], None]) -> None:
        self.on_response, self.on_failure = on_response, on_failure
        self.attempts: list[Attempt] = []
        self.is_stopped = False

    @property
    def request(self) -> Request:
        """The request as it was sent last, with its Via."""
        return self.attempts[-1].machine.request

    @property
    def destination(self) -> Hop:
        return self.attempts[-1].destination

    def stop(self) -> None:
        """No more timers, no more tries."""
        self.is_stopped = True
        for attempt in self.attempts:
            attempt.stop()


class Incoming(Exchange):
    """A request of the peer that waits for our answer. Its retransmissions are answered unasked."""

    def __init__(self, wire: Wire, request: Request, hop: Hop) -> None:
        super().__init__(wire)
        self.request = request
        #: Where it came from.
        self.hop = hop
        #: Called with the CANCEL that means this request.
        self.on_cancel: Callable[[Request], None] = lambda cancel: None

    @property
    def source(self) -> Address:
        return self.hop.address

    def respond(self, response: Response) -> None:
        self._perform(self.machine.respond(response))

    @property
    def is_answered(self) -> bool:
        """A final response has gone out."""
        return self.machine.response is not None and self.machine.response.status >= 200

    @property
    def is_accepted(self) -> bool:
        """A 2xx has gone out: the ACK is the dialog's business now."""
        return self.machine.state is State.ACCEPTED
