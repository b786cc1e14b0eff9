"""A transaction at work: one machine with its timers, its peer and whoever wants its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from sip.message import Message, Request, Response
from sip.transaction import Deliver, Effect, Failed, Send, StartTimer, State, Terminated, Timer, Transaction
from sip.transport import Address


class TimerHandle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic seconds and timers; an asyncio event loop is one."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], object], /) -> TimerHandle: ...


class Wire(Protocol):
    """What an exchange needs of its endpoint."""

    clock: Clock

    def send(self, message: Message, destination: Address) -> bool: ...


class Exchange:
    """Carries out the effects of one machine. `begin` before anything else."""

    machine: Transaction
    destination: Address

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._timers: dict[Timer, TimerHandle] = {}
        self._forget: Callable[[], object] = lambda: None

    def begin(self, machine: Transaction, destination: Address, forget: Callable[[], object]) -> None:
        self.machine, self.destination, self._forget = machine, destination, forget

    def receive(self, message: Message) -> None:
        self._perform(self.machine.receive(message))

    def stop(self) -> None:
        """No more timers; the endpoint forgets this transaction."""
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        self._forget()

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
            self._wire.clock.call_later(0, lambda: self._perform(self.machine.transport_failed()))

    def _deliver(self, message: Message) -> None:
        """A message for the transaction user; by default nobody wants it."""

    def _fail(self, failed: Failed) -> None:
        """The peer cannot be reached; by default nobody cares."""


class Outgoing(Exchange):
    """A request of ours on its way. Responses go to `on_response`; `on_failure` hears of silence, once."""

    def __init__(
        self, wire: Wire, on_response: Callable[[Response], None], on_failure: Callable[[Failed], None]
    ) -> None:
        super().__init__(wire)
        self.on_response, self.on_failure = on_response, on_failure

    def begin(self, machine: Transaction, destination: Address, forget: Callable[[], object]) -> None:
        super().begin(machine, destination, forget)
        self._perform(machine.start())

    @property
    def request(self) -> Request:
        """The request as it was sent, with its Via."""
        return self.machine.request

    def _deliver(self, message: Message) -> None:
        if isinstance(message, Response):
            self.on_response(message)

    def _fail(self, failed: Failed) -> None:
        self.on_failure(failed)


class Incoming(Exchange):
    """A request of the peer that waits for our answer. Its retransmissions are answered unasked."""

    def __init__(self, wire: Wire, request: Request, source: Address) -> None:
        super().__init__(wire)
        self.request = request
        self.source = source
        #: Called with the CANCEL that means this request.
        self.on_cancel: Callable[[Request], None] = lambda cancel: None

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
