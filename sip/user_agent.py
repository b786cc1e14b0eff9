"""The user agent: places calls, admits requests, finds the call of a message (RFC 3261 sections 8, 13)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from sip.auth import Credentials, DigestClient
from sip.call import Call
from sip.call_context import CallContext, capabilities
from sip.doorkeeper import Allow, Doorkeeper, Guard
from sip.endpoint import Endpoint
from sip.errors import CallStateError, SipError
from sip.events import CallState
from sip.exchange import Clock, Incoming, TimerHandle
from sip.incoming_call import IncomingCall
from sip.message import NameAddr, Request, Uri
from sip.outgoing_call import OutgoingCall
from sip.probe import probe
from sip.redirection import Redirection, Redirects
from sip.registration import Registration
from sip.replacement import replaced_call
from sip.sdp import TELEPHONE_CODECS, Codec, Srtp
from sip.session import MediaFactory
from sip.trace import Trace
from sip.transaction import RFC_TIMING, Timing
from sip.transport import Address, Hop, TlsSettings, Transport, TransportLayer, UdpTransport, as_hop

log = logging.getLogger("sip")

OnIncoming = Callable[[Call], Awaitable[None] | None]
#: Stands for "as the user agent does".
Default = Literal["default"]


def _refuse_all(call: Call) -> None:
    call.reject(480)


class UserAgent:
    """One SIP address: `await start()`, then `call` or wait for `on_incoming`; `await close()`.

    `listen` is for UDP, and for TCP where `tcp`; `tls_listen` for TLS (default: the next port). Peers outside our own
    networks are told `public_address` in Contact and SDP.

    `allow(source, request)` judges every request outside a call: None admits it, a status refuses it. `digest` makes
    callers prove themselves (401); it may be a function of source and request. `media_factory` None makes calls without
    sound. `session_expires_s` (RFC 4028) is what we ask of peers that know session timers; None asks for none.
    `chance` decides the random waits that standards demand.
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
        digest: Guard = None,
        codecs: tuple[Codec, ...] = TELEPHONE_CODECS,
        timing: Timing = RFC_TIMING,
        tcp: bool = False,
        tls: TlsSettings | None = None,
        tls_listen: Address | None = None,
        public_address: str | None = None,
        session_expires_s: int | None = 1800,
        srtp: Srtp = "off",
        chance: random.Random | None = None,
    ) -> None:
        self._listen, self._name, self._media_factory, self._codecs = listen, name, media_factory, codecs
        self._session_expires_s, self._srtp, self._chance = session_expires_s, srtp, chance or random.Random()
        self._on_incoming, self._allow, self._guard = on_incoming, allow, digest
        self._clock, self._timing, self._tls_listen = clock, timing, tls_listen
        self._transport = TransportLayer(transport_factory(), tcp=tcp, tls=tls, public_address=public_address)
        self._calls: dict[tuple[str, str], Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._registrations: set[Registration] = set()
        self._endpoint: Endpoint | None = None

    # Life ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind and listen. OSError when an address is taken."""
        clock = self._clock or asyncio.get_running_loop()
        self._endpoint = Endpoint(self._transport, self, clock=clock, timing=self._timing)
        self._door = Doorkeeper(self._endpoint, self._name, self._codecs, self._allow, self._guard, self._calls)
        await self._transport.start(self._listen, self._tls_listen, self._endpoint.receive, self._endpoint.lost)

    async def close(self) -> None:
        """Hang up every call (bounded), then leave nothing behind."""
        leaving = [call.hangup("shutting down") for call in self.calls]
        leaving += [registration.stop() for registration in self._registrations]
        await asyncio.gather(*leaving, return_exceptions=True)
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
    def dropped(self) -> int:
        """How many messages were dropped unread, because their sources sent too many."""
        return self._running.flood.dropped

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
        codecs: tuple[Codec, ...] | None = None,
        srtp: Srtp | None = None,
        contact_user: str | None = None,
        session_expires_s: int | Default | None = "default",
        redirects: Redirects = "trunk",
    ) -> Call:
        """Send an INVITE; the call's events tell how it goes. `via` is an outbound proxy.

        `headers` may hold P-Asserted-Identity, Privacy, Diversion and the like; `contact_user` is the user part of
        our Contact where a trunk wants another than From has. `redirects` says which 3xx is followed.
        Raises SipParseError for a URI that is none and ValueError for a header field with a line break.
        """
        if any("\r" in text or "\n" in text for field in headers for text in field):
            raise ValueError("a header field must not hold a line break")
        caller = NameAddr(Uri.parse(from_uri), display or "")
        expires_s = self._session_expires_s if session_expires_s == "default" else session_expires_s
        context = self._context(codecs or self._codecs, srtp or self._srtp, expires_s, contact_user)
        return OutgoingCall(
            context,
            Uri.parse(uri),
            caller,
            DigestClient(credentials, self._running.new_id),
            headers=headers,
            redirection=Redirection(redirects, via),
            ring_timeout_s=ring_timeout_s,
        )

    def register(
        self,
        registrar: str,
        *,
        aor: str,
        credentials: Credentials | None,
        expires_s: int = 300,
        via: Hop | Address | None = None,
        contact_user: str | None = None,
    ) -> Registration:
        """Register `aor` at `registrar` (both URIs) and keep it so until `stop()` or `close()`.

        Returns at once; `wait` or `on_change` tell how it goes. SipParseError for a URI that is none.
        """
        address = NameAddr(Uri.parse(aor)).with_tag(self._running.new_id())
        registration = Registration(
            self._context(self._codecs, self._srtp, None, contact_user),
            Uri.parse(registrar),
            address,
            DigestClient(credentials, self._running.new_id),
            expires_s=expires_s,
            via=via,
            forget=self._registrations.discard,
        )
        self._registrations.add(registration)
        return registration

    async def options(self, uri: str, timeout_s: float, via: Hop | Address | None = None) -> int:
        """Ask whether anybody is there: the final status, 408 where nobody answers within `timeout_s`."""
        target = Uri.parse(uri)
        hops = [as_hop(via)] if via is not None else await self._transport.resolve(target)
        return await probe(self._running, self._name, target, hops, timeout_s)

    def _context(
        self, codecs: tuple[Codec, ...], srtp: Srtp, expires_s: int | None, contact_user: str | None
    ) -> CallContext:
        return CallContext(
            self._running,
            self._name,
            self._media_factory,
            codecs,
            self._calls,
            self.call,
            srtp,
            expires_s,
            contact_user,
            self._chance,
        )

    # Inwards (the Core of the endpoint) ------------------------------------------------------------

    def on_request(self, incoming: Incoming) -> None:
        request = incoming.request
        if request.method == "CANCEL":
            self._on_cancel(incoming)
        elif request.to.tag is not None:
            self._on_request_in_call(incoming, request.to.tag)
        elif (refusal := self._door.refusal(incoming)) is not None:
            incoming.respond(refusal)
        elif request.method == "OPTIONS":
            incoming.respond(self._door.reply(request, 200, capabilities()))
        elif request.method == "INVITE":
            self._admit(incoming)
        else:
            # A REFER outside a call would make us ring anybody on a stranger's word.
            incoming.respond(self._door.reply(request, 403 if request.method == "REFER" else 481))

    def on_ack(self, ack: Request) -> None:
        call = self._calls.get((ack.call_id, ack.to.tag or ""))
        if call is not None:
            call.on_ack(ack)

    def _on_cancel(self, incoming: Incoming) -> None:
        invite = self._running.cancelled(incoming.request)
        incoming.respond(self._door.reply(incoming.request, 481 if invite is None else 200))
        if invite is not None:
            invite.on_cancel(incoming.request)

    def _on_request_in_call(self, incoming: Incoming, tag: str) -> None:
        call = self._calls.get((incoming.request.call_id, tag))
        if call is None:
            incoming.respond(self._door.reply(incoming.request, 481))
        else:
            call.on_request(incoming)

    def _admit(self, incoming: Incoming) -> None:
        replaced = replaced_call(incoming.request, self._calls)
        if isinstance(replaced, int):
            incoming.respond(self._door.reply(incoming.request, replaced))
            return
        call = IncomingCall(self._context(self._codecs, self._srtp, self._session_expires_s, None), incoming)
        work = self._attend(call) if replaced is None else self._replace(replaced, call)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replace(self, old: Call, new: Call) -> None:
        """Answer at once what takes the place of a call (RFC 3891); where that fails the old call goes on."""
        try:
            await new.answer()
        except SipError as error:
            log.info("call %s could not be replaced: %s", old.id, error)
            return
        if old.state is CallState.ENDED:
            await new.hangup("the call to be replaced is over")
        else:
            old.replace_by(new)

    async def _attend(self, call: Call) -> None:
        """Let the application take the call; what it raises ends this call and nothing else."""
        try:
            attending = self._on_incoming(call)
            if attending is not None:
                await attending
        except CallStateError as error:  # the caller was quicker: nobody's fault, and nothing for the log
            log.debug("call %s was over before it was taken: %s", call.id, error)
            await call.hangup()
        except Exception:
            log.exception("taking call %s failed", call.id)
            await call.hangup("internal error")
