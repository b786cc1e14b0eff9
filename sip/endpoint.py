"""Drives the transaction machines: bytes from a transport, timers from a clock, effects carried out.

Above it stands a `Core` (the user agent); below it a `Transport`. It decides nothing about calls.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

from sip.addressing import MAGIC, origin, reachable, response_hop, seen_from, transaction_key, way_back
from sip.dialog import next_hop
from sip.errors import ResolveError, SipParseError
from sip.exchange import Attempt, Clock, Incoming, Outgoing, TimerHandle
from sip.flood import FloodGate
from sip.keep_alive import KeepAlive
from sip.message import MAX_MESSAGE, Headers, Message, Request, Response, Uri, Via, parse_message
from sip.seldom import Seldom
from sip.trace import Trace
from sip.transaction import RFC_TIMING, Failed, Timing, cancel, client_transaction, server_transaction
from sip.transport import MAX_STREAM_MESSAGE, Address, Hop, TransportLayer, as_hop, literal

log = logging.getLogger("sip")

#: Server transactions alive at once. A flood beyond it is dropped; its senders may come again.
MAX_INCOMING = 20_000
#: How many of them may be those of strangers.
MAX_FROM_STRANGERS = 4_000
#: Requests above this many bytes go by TCP where the peer has it (RFC 3261 18.1.1) …
MAX_DATAGRAM = 1300
#: … of which so many are for our Via.
VIA_ROOM = 100
#: Seconds for which a peer that refused a TCP connection is not asked again; how many such peers are remembered.
WITHOUT_TCP_S = 600.0
MAX_WITHOUT_TCP = 1000
#: Times T1 that a hop may be silent before the next one is tried, where there is one.
SILENCE_T1 = 12
#: Seconds between keep-alives: below the shortest UDP binding that translators hold (RFC 5626 4.4.2).
KEEP_ALIVE_S = 25.0


class Core(Protocol):
    """The user agent core above the transactions (RFC 3261 section 5)."""

    def on_request(self, incoming: Incoming) -> None:
        """A new request other than ACK; answer it now or later through `incoming.respond`."""

    def on_ack(self, ack: Request) -> None:
        """The ACK of a 2xx: it belongs to a dialog, not to a transaction."""


class Endpoint:
    def __init__(
        self,
        transport: TransportLayer,
        core: Core,
        *,
        clock: Clock,
        timing: Timing = RFC_TIMING,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.transport, self.clock, self.timing, self.new_id = transport, clock, timing, new_id
        self.trace = Trace()
        self.flood = FloodGate()
        self.unreadable = 0
        self.faults = 0
        self._from_strangers = 0
        self._log_unreadable, self._log_fault, self._log_flood = Seldom(), Seldom(), Seldom()
        self._core = core
        self._outgoing: dict[tuple[str, ...], Attempt] = {}
        self._without_tcp: dict[Address, float] = {}
        self._incoming: dict[tuple[str, ...], Incoming] = {}
        self._origins: dict[tuple[str, str | None, str], Incoming] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def number(self) -> int:
        """A number for the o= line of a session description."""
        return int(self.new_id()[:8], 16)

    # Sending ---------------------------------------------------------------------------------------

    def request(
        self,
        request: Request,
        on_response: Callable[[Response], None],
        on_failure: Callable[[Failed], None],
        *,
        destination: Hop | Address | None = None,
        alternatives: Sequence[Hop] = (),
        flow: Hop | None = None,
    ) -> Outgoing:
        """Send a request (without Via) through a client transaction.

        Every response that the machine delivers goes to `on_response`; `on_failure` is called at most once,
        with the reason, where no response can come any more. `destination`: an outbound proxy; `alternatives`:
        hops for the case that it fails. `flow`: where the peer of this dialog was last seen, for peers behind NAT.
        """
        outgoing = Outgoing(on_response, on_failure)
        uri = next_hop(request)
        hop = as_hop(destination) if destination is not None else literal(uri)
        if hop is not None:
            self._launch(outgoing, request, [reachable(hop, flow), *alternatives])
        else:
            self._later(self._resolve_and_launch(outgoing, request, uri))
        return outgoing

    def cancel(self, invite: Outgoing, cancel: Request) -> None:
        """Send a CANCEL the way its INVITE went; its own response says nothing about the call."""
        self._cancel_at(invite.destination, cancel)

    def send_ack(self, ack: Request, destination: Hop | Address | None = None, *, flow: Hop | None = None) -> None:
        """The ACK of a 2xx: outside all transactions, on a branch of its own (RFC 3261 13.2.2.4)."""
        uri = next_hop(ack)
        hop = as_hop(destination) if destination is not None else literal(uri)
        if hop is not None:
            self._send_first(ack, [reachable(hop, flow)])
        else:
            self._later(self._resolve_and_send(ack, uri))

    def send(self, message: Message, hop: Hop) -> bool:
        """Put a message on the wire. False: the transport refuses this hop."""
        if isinstance(message, Response) and not self.transport.has_connection(hop):
            hop = way_back(message.via, hop)
        now = self.clock.time()
        if _is_welcoming(message):
            self.flood.welcome(hop.host, now)
        self.trace.note(now, True, hop, message)
        try:
            self.transport.send(message.encode(), hop)
        except OSError as error:
            log.debug("cannot send to %s: %s", hop, error)
            return False
        return True

    def keep_open(self, hop: Hop, every_s: float = KEEP_ALIVE_S) -> TimerHandle:
        """Send keep-alives to a registrar or trunk until the handle is cancelled (RFC 5626 4.4)."""
        return KeepAlive(self.clock, self.transport, hop, every_s)

    def _launch(self, outgoing: Outgoing, request: Request, hops: Sequence[Hop]) -> None:
        self._attempt(outgoing, request, self._for_size(request, hops))

    def _attempt(self, outgoing: Outgoing, request: Request, hops: Sequence[Hop]) -> None:
        """Try the first hop; the others where it fails, answers 503 or stays silent (RFC 3263 4.3)."""
        if outgoing.is_stopped:
            return
        hop, *rest = hops
        move_on = (lambda: self._attempt(outgoing, request, rest)) if rest else None
        attempt = Attempt(self, outgoing, move_on)
        outgoing.attempts.append(attempt)
        self._start(attempt, self._with_via(request, hop), hop)
        if rest and not hop.is_reliable:
            attempt.be_patient(SILENCE_T1 * self.timing.t1)

    def _start(self, attempt: Attempt, request: Request, hop: Hop) -> None:
        key = (request.via.branch, request.method)
        self._outgoing[key] = attempt
        if request.method == "INVITE":
            attempt.on_late = lambda: self._cancel_at(hop, cancel(request))
        machine = client_transaction(request, self.timing, reliable=hop.is_reliable)
        attempt.begin(machine, hop, lambda: self._outgoing.pop(key, None))

    def _cancel_at(self, hop: Hop, cancel: Request) -> None:
        outgoing = Outgoing(lambda response: None, lambda failed: None)
        attempt = Attempt(self, outgoing, None)
        outgoing.attempts.append(attempt)
        self._start(attempt, cancel, hop)

    def _for_size(self, request: Request, hops: Sequence[Hop]) -> Sequence[Hop]:
        """RFC 3261 18.1.1: what may not fit one packet goes by TCP where that works, else by UDP all the same."""
        first = hops[0]
        if first.protocol != "UDP" or "TCP" not in self.transport.protocols:
            return hops
        if len(request.encode()) + VIA_ROOM <= MAX_DATAGRAM:
            return hops
        if self._without_tcp.get(first.address, 0.0) > self.clock.time():
            return hops
        return [Hop("TCP", *first.address), *hops]

    def _with_via(self, request: Request, hop: Hop) -> Request:
        try:
            host, port = self.transport.sent_by(hop)
        except OSError:  # no route to there: sending will fail, and say so
            host, port = self.transport.address
        parameters = [("branch", MAGIC + self.new_id()), ("rport", None), *([("alias", None)] * hop.is_reliable)]
        via = Via(hop.protocol, f"[{host}]" if ":" in host else host, port, tuple(parameters))
        return request.with_headers(request.headers.on_top("Via", str(via)))

    def _send_first(self, ack: Request, hops: Sequence[Hop]) -> None:
        for hop in hops:
            if self.send(self._with_via(ack, hop), hop):
                return

    async def _resolve_and_launch(self, outgoing: Outgoing, request: Request, uri: Uri) -> None:
        try:
            hops = await self.transport.resolve(uri)
        except ResolveError as error:
            outgoing.on_failure(Failed(str(error), 503))
        else:
            self._launch(outgoing, request, hops)

    async def _resolve_and_send(self, ack: Request, uri: Uri) -> None:
        try:
            self._send_first(ack, await self.transport.resolve(uri))
        except ResolveError as error:
            log.debug("ACK not sent: %s", error)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def lost(self, hop: Hop, opened: bool) -> None:
        """A connection has ended; `opened` False: it never stood. What nobody has answered yet can't wait for it."""
        if not opened and hop.protocol == "TCP":
            self._remember_without_tcp(hop.address)
        for attempt in [one for one in self._outgoing.values() if one.destination == hop and one.is_unheard]:
            if opened and not attempt.has_been_resent:
                attempt.send_again()
            else:
                attempt.fail_to_send()

    def _remember_without_tcp(self, address: Address) -> None:
        if len(self._without_tcp) >= MAX_WITHOUT_TCP:
            self._without_tcp.clear()
        self._without_tcp[address] = self.clock.time() + WITHOUT_TCP_S

    # Receiving -------------------------------------------------------------------------------------

    def receive(self, data: bytes, hop: Hop) -> None:
        """One message. Nothing in it can raise out of here."""
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        now = self.clock.time()
        if not self.flood.admits(hop.host, now):
            if (count := self._log_flood.due(now)) is not None:
                log.warning("too many messages from %s: %d dropped since the last such line", hop.host, count)
            return
        try:
            self._dispatch(parse_message(data, MAX_STREAM_MESSAGE if hop.is_reliable else MAX_MESSAGE), hop)
        except SipParseError as error:
            self._refuse(error, hop)
        except Exception:
            self._fault("a message from %s met a fault of ours", hop)

    def _dispatch(self, message: Message, hop: Hop) -> None:
        if isinstance(message, Response):
            outgoing = self._outgoing.get((message.via.branch, message.cseq.method))
            self.trace.note(self.clock.time(), False, hop, message)
            if outgoing is not None:
                outgoing.receive(message)
            return
        request = seen_from(message, hop)
        self.trace.note(self.clock.time(), False, hop, request)
        known = self._incoming.get(transaction_key(request))
        if known is not None and not (request.method == "ACK" and known.is_accepted):
            known.receive(request)
        elif request.method == "ACK":
            self._core.on_ack(request)
        elif len(self._incoming) < MAX_INCOMING and (
            self.flood.knows(hop.host) or self._from_strangers < MAX_FROM_STRANGERS
        ):
            self._admit(request, hop)

    def _admit(self, request: Request, hop: Hop) -> None:
        key, first_seen_as = transaction_key(request), origin(request)
        incoming = Incoming(self, request, hop)
        is_strange = not self.flood.knows(hop.host)
        self._incoming[key] = incoming
        self._origins.setdefault(first_seen_as, incoming)
        self._from_strangers += is_strange

        def forget() -> None:
            if self._incoming.pop(key, None) is not None:
                self._from_strangers -= is_strange
            if self._origins.get(first_seen_as) is incoming:
                del self._origins[first_seen_as]

        if hop.is_reliable and request.via.has("alias"):
            self.transport.alias(hop, request.via)
        machine = server_transaction(request, self.timing, reliable=hop.is_reliable)
        incoming.begin(machine, response_hop(request.via, hop), forget)
        try:
            self._core.on_request(incoming)
        except Exception:
            self._fault("serving %s from %s failed", request.method[:20], hop)
            if not incoming.is_answered:
                incoming.respond(request.reply(500, to_tag=self.new_id()))

    def cancelled(self, cancel: Request) -> Incoming | None:
        """The INVITE that a CANCEL means (RFC 3261 9.2)."""
        return self._incoming.get(transaction_key(cancel, "INVITE"))

    def is_merged(self, incoming: Incoming) -> bool:
        """The same request has come over another path before (RFC 3261 8.2.2.2)."""
        return self._origins.get(origin(incoming.request)) is not incoming

    def _refuse(self, error: SipParseError, hop: Hop) -> None:
        """Answer an unreadable request as far as it can be answered."""
        self.unreadable += 1
        if (count := self._log_unreadable.due(self.clock.time())) is not None:
            # What follows the colon quotes the peer and may name people; it stays out of the log.
            what = error.reason.partition(":")[0]
            log.warning("unreadable message from %s (%d since the last such line): %s", hop, count, what)
        headers = Headers(error.fields)
        if error.method in (None, "ACK") or not all(n in headers for n in ("Via", "From", "To", "Call-ID", "CSeq")):
            return
        copied = [item for item in headers if item[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        response = Response(error.status, error.reason, Headers(copied))
        try:
            self.transport.send(response.encode(), hop)
        except (OSError, ValueError):
            log.debug("no answer to an unreadable message from %s", hop)

    def _fault(self, what: str, *details: object) -> None:
        """A fault of ours, logged now and then, for a peer may know how to cause it."""
        self.faults += 1
        if self._log_fault.due(self.clock.time()) is not None:
            log.exception(what, *details)

    def close(self) -> None:
        """Forget everything: no timer and no task stays behind."""
        for running in [*self._outgoing.values(), *self._incoming.values()]:
            running.stop()
        for task in self._tasks:
            task.cancel()


def _is_welcoming(message: Message) -> bool:
    """A request of ours, or an answer that takes a call: whoever gets it is no stranger any more."""
    return isinstance(message, Request) or (message.cseq.method == "INVITE" and 100 < message.status < 300)
