"""The user agent: places calls, admits requests, finds the call of a message (RFC 3261 sections 8, 13)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sip.auth import Credentials, DigestClient, DigestServer
from sip.call import ALLOW, FOREIGN, Call, CallContext, capabilities, warning
from sip.endpoint import Endpoint
from sip.errors import SdpError
from sip.events import CallState
from sip.exchange import Clock, Incoming, TimerHandle
from sip.incoming_call import IncomingCall
from sip.message import CSeq, Headers, NameAddr, Request, Response, Uri
from sip.outgoing_call import OutgoingCall
from sip.sdp import Codec, OfferAnswer
from sip.session import MediaFactory
from sip.trace import Trace
from sip.transaction import RFC_TIMING, Timing
from sip.transport import Address, Hop, TlsSettings, Transport, TransportLayer, UdpTransport, as_hop

log = logging.getLogger("sip")

OnIncoming = Callable[[Call], Awaitable[None] | None]
Allow = Callable[[Address, Request], int | None]
#: Seconds a refused peer should stay away after a 503.
RETRY_AFTER_S = 5


def _refuse_all(call: Call) -> None:
    call.reject(480)


class UserAgent:
    """One SIP address: `await start()`, then `call` or wait for `on_incoming`; `await close()`.

    `listen` is for UDP, and for TCP where `tcp`; `tls_listen` for TLS (default: the next port). Peers outside our own
    networks are told `public_address` in Contact and SDP.

    `allow(source, request)` judges every request outside a call: None admits it, a status refuses it.
    `digest` makes callers prove themselves (401). `media_factory` None makes calls without sound.
    """

    def __init__(
        self,
        listen: Address,
        *,
        media_factory: MediaFactory | None,
        name: str = "voicebot",
        on_incoming: OnIncoming = _refuse_all,
        allow: Allow = lambda source, request: None,
        clock: Clock | None = None,
        transport_factory: Callable[[], Transport] = UdpTransport,
        digest: DigestServer | None = None,
        codecs: tuple[Codec, ...] = ("PCMA", "PCMU"),
        timing: Timing = RFC_TIMING,
        tcp: bool = False,
        tls: TlsSettings | None = None,
        tls_listen: Address | None = None,
        public_address: str | None = None,
    ) -> None:
        self._listen, self._name, self._media_factory, self._codecs = listen, name, media_factory, codecs
        self._on_incoming, self._allow, self._digest = on_incoming, allow, digest
        self._clock, self._timing, self._tls_listen = clock, timing, tls_listen
        self._transport = TransportLayer(transport_factory(), tcp=tcp, tls=tls, public_address=public_address)
        self._calls: dict[tuple[str, str], Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._endpoint: Endpoint | None = None

    # Life ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind and listen. OSError when an address is taken."""
        clock = self._clock or asyncio.get_running_loop()
        self._endpoint = Endpoint(self._transport, self, clock=clock, timing=self._timing)
        await self._transport.start(self._listen, self._tls_listen, self._endpoint.receive, self._endpoint.lost)

    async def close(self) -> None:
        """Hang up every call (bounded), then leave nothing behind."""
        await asyncio.gather(*(call.hangup("shutting down") for call in self.calls), return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in tuple(self._calls.values()):
            call.forget()
        if self._endpoint is not None:
            self._endpoint.close()
        await self._transport.close()

    @property
    def address(self) -> Address:
        return self._transport.address

    async def address_towards(self, uri: str) -> tuple[Hop, Address]:
        """Where `uri` leads first, and the address of ours that is reached from there. SipError where it leads nowhere.

        Where the host is an IP address nothing is waited for.
        """
        hop, *_ = await self._transport.resolve(Uri.parse(uri))
        return hop, self._transport.local_address(hop)

    def keep_open(self, hop: Hop) -> TimerHandle:
        """Send keep-alives to a registrar or trunk until the handle is cancelled."""
        return self._running.keep_open(hop)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that have not ended."""
        return tuple(call for call in self._calls.values() if call.state is not CallState.ENDED)

    @property
    def trace(self) -> Trace:
        """Ladders by Call-ID."""
        return self._running.trace

    @property
    def unreadable(self) -> int:
        """How many datagrams were no SIP message."""
        return self._running.unreadable

    @property
    def _running(self) -> Endpoint:
        if self._endpoint is None:
            raise RuntimeError("start the user agent first")
        return self._endpoint

    # Outwards --------------------------------------------------------------------------------------

    def call(
        self,
        uri: str,
        *,
        from_uri: str,
        display: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        credentials: Credentials | None = None,
        via: Hop | Address | None = None,
        ring_timeout_s: float = 45.0,
    ) -> Call:
        """Send an INVITE; the call's events tell how it goes. `via` is an outbound proxy.

        Raises SipParseError for a URI that is none and ValueError for a header field with a line break.
        """
        if any("\r" in text or "\n" in text for field in headers for text in field):
            raise ValueError("a header field must not hold a line break")
        caller = NameAddr(Uri.parse(from_uri), display or "")
        digest = DigestClient(credentials, self._running.new_id)
        return OutgoingCall(
            self._context(),
            Uri.parse(uri),
            caller,
            digest,
            headers=headers,
            via=via,
            ring_timeout_s=ring_timeout_s,
        )

    async def options(self, uri: str, timeout_s: float, via: Hop | Address | None = None) -> int:
        """Ask whether anybody is there: the final status, 408 where nobody answers within `timeout_s`."""
        target = Uri.parse(uri)
        hops = [as_hop(via)] if via is not None else await self._transport.resolve(target)
        host, port = self._transport.local_address(hops[0])
        host = f"[{host}]" if ":" in host else host
        me = NameAddr(Uri("sip", self._name, host, port)).with_tag(self._running.new_id())
        fields = [
            ("Max-Forwards", "70"),
            ("From", str(me)),
            ("To", f"<{target}>"),
            ("Call-ID", self._running.new_id()),
        ]
        fields += [
            ("CSeq", str(CSeq(1, "OPTIONS"))),
            ("Accept", "application/sdp"),
            ("User-Agent", self._name),
        ]
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def settle(value: int) -> None:
            if value >= 200 and not status.done():
                status.set_result(value)

        outgoing = self._running.request(
            Request("OPTIONS", target, Headers(fields)),
            lambda response: settle(response.status),
            lambda failed: settle(failed.status),
            destination=hops[0],
            alternatives=hops[1:],
        )
        timer = self._running.clock.call_later(timeout_s, lambda: settle(408))
        try:
            return await status
        finally:
            timer.cancel()
            outgoing.stop()

    def _context(self) -> CallContext:
        return CallContext(
            self._running,
            self._name,
            self._media_factory,
            self._codecs,
            self._calls,
        )

    # Inwards (the Core of the endpoint) ------------------------------------------------------------

    def on_request(self, incoming: Incoming) -> None:
        request = incoming.request
        if request.method == "CANCEL":
            self._on_cancel(incoming)
        elif request.to.tag is not None:
            self._on_request_in_call(incoming, request.to.tag)
        elif (refusal := self._refusal(incoming)) is not None:
            incoming.respond(refusal)
        elif request.method == "OPTIONS":
            incoming.respond(self._reply(request, 200, capabilities()))
        elif request.method == "INVITE":
            self._admit(incoming)
        else:
            incoming.respond(self._reply(request, 481))

    def on_ack(self, ack: Request) -> None:
        call = self._calls.get((ack.call_id, ack.to.tag or ""))
        if call is not None:
            call.on_ack(ack)

    def _on_cancel(self, incoming: Incoming) -> None:
        invite = self._running.cancelled(incoming.request)
        incoming.respond(self._reply(incoming.request, 481 if invite is None else 200))
        if invite is not None:
            invite.on_cancel(incoming.request)

    def _on_request_in_call(self, incoming: Incoming, tag: str) -> None:
        call = self._calls.get((incoming.request.call_id, tag))
        if call is None:
            incoming.respond(self._reply(incoming.request, 481))
        else:
            call.on_request(incoming)

    def _refusal(self, incoming: Incoming) -> Response | None:
        """Why a request outside a call is not served, in the order of RFC 3261 section 8.2."""
        request = incoming.request
        if (status := self._allow(incoming.source, request)) is not None:
            return self._reply(request, status, [("Retry-After", f"{RETRY_AFTER_S}")] if status == 503 else [])
        if self._digest is not None and request.method == "INVITE":
            verdict = self._digest.verify(request, self._running.clock.time())
            if verdict.username is None:
                now = self._running.clock.time()
                return self._reply(request, 401, self._digest.challenges(now, verdict.stale))
        if request.method not in ALLOW:
            return self._reply(request, 405 if request.method in FOREIGN else 501, capabilities())
        if request.uri.scheme not in ("sip", "sips", "tel"):
            return self._reply(request, 416)
        if self._running.is_merged(incoming):
            return self._reply(request, 482)
        if required := request.headers.elements("Require"):
            return self._reply(request, 420, [("Unsupported", ", ".join(required))])
        return self._invite_refusal(request) if request.method == "INVITE" else None

    def _invite_refusal(self, request: Request) -> Response | None:
        if request.contact is None:
            return self._reply(request, 400, reason="an INVITE needs a Contact")
        if request.body and (request.content_type != "application/sdp" or "Content-Encoding" in request.headers):
            return self._reply(request, 415, [("Accept", "application/sdp"), ("Accept-Encoding", "identity")])
        if request.body:
            try:
                OfferAnswer(("0.0.0.0", 9), 0, self._codecs).check(request.body)
            except SdpError as error:
                return self._reply(request, error.status, [warning(error)])
        return None

    def _reply(
        self,
        request: Request,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
        reason: str | None = None,
    ) -> Response:
        fields = [("Server", self._name), *headers]
        return request.reply(status, reason, to_tag=self._running.new_id(), headers=fields)

    def _admit(self, incoming: Incoming) -> None:
        call = IncomingCall(self._context(), incoming)
        task = asyncio.get_running_loop().create_task(self._attend(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, call: Call) -> None:
        """Let the application take the call; what it raises ends this call and nothing else."""
        try:
            attending = self._on_incoming(call)
            if attending is not None:
                await attending
        except Exception:
            log.exception("taking call %s failed", call.id)
            await call.hangup("internal error")
