"""Drives the transaction machines: bytes from a transport, timers from a clock, effects carried out.

Above it stands a `Core` (the user agent); below it a `Transport`. It decides nothing about calls.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Protocol

from sip.dialog import next_hop
from sip.errors import ResolveError, SipParseError
from sip.exchange import Clock, Incoming, Outgoing
from sip.message import Headers, Message, Request, Response, Uri, Via, parse_message
from sip.trace import Trace
from sip.transaction import RFC_TIMING, Failed, Timing, client_transaction, server_transaction
from sip.transport import Address, Transport, literal, resolve

log = logging.getLogger("sip")

MAGIC = "z9hG4bK"
#: Server transactions alive at once. A flood beyond it is dropped; its senders may come again.
MAX_INCOMING = 20_000
#: One line in the log for the first of so many unreadable datagrams.
LOG_EVERY = 100


class Core(Protocol):
    """The user agent core above the transactions (RFC 3261 section 5)."""

    def on_request(self, incoming: Incoming) -> None:
        """A new request other than ACK; answer it now or later through `incoming.respond`."""

    def on_ack(self, ack: Request) -> None:
        """The ACK of a 2xx: it belongs to a dialog, not to a transaction."""


class Endpoint:
    def __init__(
        self,
        transport: Transport,
        core: Core,
        *,
        clock: Clock,
        timing: Timing = RFC_TIMING,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.transport, self.clock, self.timing, self.new_id = transport, clock, timing, new_id
        self.trace = Trace()
        self.unreadable = 0
        self.faults = 0
        self._core = core
        self._outgoing: dict[tuple[str, ...], Outgoing] = {}
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
        destination: Address | None = None,
    ) -> Outgoing:
        """Send a request (without Via) through a client transaction.

        Every response that the machine delivers goes to `on_response`; `on_failure` is called at most once,
        with the reason, where no response can come any more. `destination`: an outbound proxy.
        """
        outgoing = Outgoing(self, on_response, on_failure)
        uri = next_hop(request)
        target = destination or literal(uri)
        if target is not None:
            self._launch(outgoing, request, target)
        else:
            self._later(self._resolve_and_launch(outgoing, request, uri))
        return outgoing

    def cancel(self, invite: Outgoing, cancel: Request) -> None:
        """Send a CANCEL the way its INVITE went; its own response says nothing about the call."""
        outgoing = Outgoing(self, lambda response: None, lambda failed: None)
        self._start(outgoing, cancel, invite.destination)

    def send_ack(self, ack: Request, destination: Address | None = None) -> None:
        """The ACK of a 2xx: outside all transactions, on a branch of its own (RFC 3261 13.2.2.4)."""
        uri = next_hop(ack)
        target = destination or literal(uri)
        if target is not None:
            self.send(self._with_via(ack, target), target)
        else:
            self._later(self._resolve_and_send(ack, uri))

    def send(self, message: Message, destination: Address) -> bool:
        """Put a message on the wire. False: the transport refuses this destination."""
        self.trace.note(self.clock.time(), True, destination, message)
        try:
            self.transport.send(message.encode(), destination)
        except OSError as error:
            log.debug("cannot send to %s:%s: %s", *destination, error)
            return False
        return True

    def _launch(self, outgoing: Outgoing, request: Request, destination: Address) -> None:
        self._start(outgoing, self._with_via(request, destination), destination)

    def _start(self, outgoing: Outgoing, request: Request, destination: Address) -> None:
        key = (request.via.branch, request.method)
        self._outgoing[key] = outgoing
        machine = client_transaction(request, self.timing)
        outgoing.begin(machine, destination, lambda: self._outgoing.pop(key, None))

    def _with_via(self, request: Request, destination: Address) -> Request:
        host, port = self.transport.local_address(destination)
        via = Via(
            "UDP",
            f"[{host}]" if ":" in host else host,
            port,
            (("branch", MAGIC + self.new_id()), ("rport", None)),
        )
        return request.with_headers(request.headers.on_top("Via", str(via)))

    async def _resolve_and_launch(self, outgoing: Outgoing, request: Request, uri: Uri) -> None:
        try:
            self._launch(outgoing, request, await resolve(uri))
        except ResolveError as error:
            outgoing.on_failure(Failed(str(error), 503))

    async def _resolve_and_send(self, ack: Request, uri: Uri) -> None:
        try:
            target = await resolve(uri)
        except ResolveError as error:
            log.debug("ACK not sent: %s", error)
            return
        self.send(self._with_via(ack, target), target)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Receiving -------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address) -> None:
        """One datagram. Nothing in it can raise out of here."""
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        try:
            self._dispatch(parse_message(data), source)
        except SipParseError as error:
            self._refuse(error, source)
        except Exception:
            self._fault("a message from %s:%s met a fault of ours", *source)

    def _dispatch(self, message: Message, source: Address) -> None:
        if isinstance(message, Response):
            outgoing = self._outgoing.get((message.via.branch, message.cseq.method))
            self.trace.note(self.clock.time(), False, source, message)
            if outgoing is not None:
                outgoing.receive(message)
            return
        request = _seen_from(message, source)
        self.trace.note(self.clock.time(), False, source, request)
        known = self._incoming.get(_server_key(request))
        if known is not None and not (request.method == "ACK" and known.is_accepted):
            known.receive(request)
        elif request.method == "ACK":
            self._core.on_ack(request)
        elif len(self._incoming) < MAX_INCOMING:
            self._admit(request, source)

    def _admit(self, request: Request, source: Address) -> None:
        key, origin = _server_key(request), _origin(request)
        incoming = Incoming(self, request, source)
        self._incoming[key] = incoming
        self._origins.setdefault(origin, incoming)

        def forget() -> None:
            self._incoming.pop(key, None)
            if self._origins.get(origin) is incoming:
                del self._origins[origin]

        incoming.begin(server_transaction(request, self.timing), _response_address(request.via, source), forget)
        try:
            self._core.on_request(incoming)
        except Exception:
            self._fault("serving %s from %s:%s failed", request.method[:20], *source)
            if not incoming.is_answered:
                incoming.respond(request.reply(500, to_tag=self.new_id()))

    def cancelled(self, cancel: Request) -> Incoming | None:
        """The INVITE that a CANCEL means (RFC 3261 9.2)."""
        return self._incoming.get(_server_key(cancel, "INVITE"))

    def is_merged(self, incoming: Incoming) -> bool:
        """The same request has come over another path before (RFC 3261 8.2.2.2)."""
        return self._origins.get(_origin(incoming.request)) is not incoming

    def _refuse(self, error: SipParseError, source: Address) -> None:
        """Answer an unreadable request as far as it can be answered; log the first of every hundred."""
        if self.unreadable % LOG_EVERY == 0:
            # What follows the colon quotes the peer and may name people; it stays out of the log.
            what = error.reason.partition(":")[0]
            log.warning("unreadable message from %s:%s (no. %d): %s", *source, self.unreadable + 1, what)
        self.unreadable += 1
        headers = Headers(error.fields)
        if error.method in (None, "ACK") or not all(n in headers for n in ("Via", "From", "To", "Call-ID", "CSeq")):
            return
        copied = [item for item in headers if item[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        response = Response(error.status, error.reason, Headers(copied))
        try:
            self.transport.send(response.encode(), source)
        except (OSError, ValueError):
            log.debug("no answer to an unreadable message from %s:%s", *source)

    def _fault(self, what: str, *details: object) -> None:
        """A fault of ours: log the first of every hundred, for a peer may know how to cause it."""
        if self.faults % LOG_EVERY == 0:
            log.exception(what, *details)
        self.faults += 1

    def close(self) -> None:
        """Forget everything: no timer and no task stays behind."""
        for running in [*self._outgoing.values(), *self._incoming.values()]:
            running.stop()
        for task in self._tasks:
            task.cancel()


def _server_key(request: Request, method: str | None = None) -> tuple[str, ...]:
    """RFC 3261 17.2.3: branch, sent-by, method; an ACK counts as its INVITE; 2543 peers lack the magic."""
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    via = request.via
    host, port = via.sent_by
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return via.branch, host, str(port), method
    number, from_tag = str(request.cseq.number), request.from_.tag or ""
    return request.call_id, from_tag, number, str(request.uri), host, str(port), method


def _origin(request: Request) -> tuple[str, str | None, str]:
    return request.call_id, request.from_.tag, str(request.cseq)


def _seen_from(request: Request, source: Address) -> Request:
    """Note the true source in the topmost Via (RFC 3261 18.2.1, RFC 3581)."""
    first, *others = request.headers.elements("Via")
    via = Via.parse(first).seen_from(source)
    return request.with_headers(request.headers.with_("Via", str(via), *others))


def _response_address(via: Via, source: Address) -> Address:
    """RFC 3261 18.2.2 and RFC 3581 section 4: back to where the request came from, at the port it wishes."""
    has_rport = any(name == "rport" for name, _ in via.parameters)
    return source if has_rport else (source[0], via.port or 5060)
