"""SipLine: the phone line on our own SIP stack."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
from collections.abc import AsyncIterator, Callable, Sequence

import sip.events
from sip.call import Call
from sip.errors import SipError
from sip.media import Lateness, MediaSession, MediaWheel, PortPool
from sip.media.lateness import BOUNDS_MS
from sip.message import Request
from sip.transport import Hop
from sip.user_agent import UserAgent
from voicebot.telemetry.logs import mask
from voicebot.telephony.leg import (
    Answered,
    AudioPort,
    CallLeg,
    Capabilities,
    EarlyMedia,
    Ended,
    IncomingHandler,
    KeyPressed,
    Keys,
    LegEvent,
    Ringing,
    UndiallableError,
)

RESOLVED_WITHIN_S = 2.0
"""A name server that takes longer would keep the next calls waiting."""
Refusal = Callable[[], int | None]
"""Asked for every INVITE and OPTIONS of an allowed peer: None takes it, a status refuses it."""


class SipLeg:
    """A CallLeg on one SIP call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._port: AudioPort | None = None
        call.on_event = self._on_event

    @property
    def id(self) -> str:
        return self._call.id

    @property
    def remote(self) -> str:
        return self._call.remote_uri

    @property
    def local(self) -> str:
        return self._call.local_uri

    @property
    def trunk(self) -> str | None:
        return None

    @property
    def refers(self) -> bool:
        return False

    @property
    def media_gap(self) -> bool:
        media = self._call.media
        return media is None or media.gap

    def connect(self, port: AudioPort) -> None:
        self._port = port
        self._plug()

    async def events(self) -> AsyncIterator[LegEvent]:
        async for event in self._call.events():
            translated = _translate(event)
            if translated is not None:
                yield translated

    def ring(self) -> None:
        with contextlib.suppress(SipError):
            self._call.ring()

    async def answer(self) -> None:
        """Where the caller has gone meanwhile, or no port is free, the events tell of the end."""
        with contextlib.suppress(SipError):
            await self._call.answer()

    def reject(self, status: int, retry_after_s: int | None = None) -> None:
        headers = [("Retry-After", str(retry_after_s))] if retry_after_s is not None else []
        self._call.reject(status, headers=headers)

    async def hang_up(self) -> None:
        await self._call.hangup()

    def send_keys(self, digits: str, how: Keys = "auto") -> None:
        self._call.send_dtmf(digits)

    async def hold(self) -> None:
        """Not before the stack can; the bridge is silent meanwhile."""

    async def resume(self) -> None:
        """See hold."""

    async def refer(self, target: str | CallLeg) -> bool:
        return False

    def _on_event(self, event: sip.events.CallEvent) -> None:
        if isinstance(event, sip.events.EarlyMedia | sip.events.Answered):
            self._plug()

    def _plug(self) -> None:
        if self._port is not None and self._call.media is not None:
            self._call.media.set_port(self._port)


class SipLine:
    """A Line over UDP: `allowed` networks may call in, everybody else gets 403."""

    def __init__(
        self,
        listen: tuple[str, int],
        *,
        rtp_ports: tuple[int, int],
        allowed: Sequence[str],
        caller_id: str,
        trunk: tuple[str, int] | None,
        on_incoming: IncomingHandler,
        refusal: Refusal,
    ) -> None:
        self._allowed = [ipaddress.ip_network(network) for network in allowed]
        self._caller_id = caller_id
        self._trunk = trunk
        self._on_incoming = on_incoming
        self._refusal = refusal
        self._wheel = wheel = MediaWheel()
        ports = PortPool(*rtp_ports)
        self._agent = UserAgent(
            listen,
            media_factory=lambda: MediaSession(wheel, listen[0], ports),
            on_incoming=self._take,
            allow=self._allow,
        )

    @property
    def address(self) -> tuple[str, int]:
        return self._agent.address

    @property
    def lateness(self) -> Lateness:
        """How late the 20 ms ticks came."""
        return self._wheel.lateness

    @property
    def late_ticks(self) -> tuple[tuple[str, int], ...]:
        """Ticks that came at most so many seconds late, cumulative; the last bound is +Inf."""
        bounds = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]
        return tuple(zip(bounds, itertools.accumulate(self.lateness.counts), strict=True))

    def after_tick(self, callback: Callable[[int], None]) -> None:
        """Call back once per 20 ms, after all legs exchanged their frames."""
        self._wheel.after(callback)

    async def start(self) -> None:
        """Bind and listen. OSError when the address is taken."""
        await self._agent.start()
        self._wheel.start()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(transfer=False, hold=False, tls=False, srtp=False)

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None
    ) -> SipLeg:
        uri = self._uri(target)
        try:
            caller, via = await self._caller(uri)
            return SipLeg(self._agent.call(uri, from_uri=caller, via=via, ring_timeout_s=ring_timeout_s))
        except (SipError, TimeoutError) as error:
            reason = str(error) or "the name server does not answer"
            raise UndiallableError(f"{mask(target)!r} can't be rung: {reason}") from error

    async def _caller(self, uri: str) -> tuple[str, Hop | None]:
        """Our From, which must hold an address the other side can use, and where the INVITE goes if we know."""
        host, port = self.address
        destination: Hop | None = None
        if ipaddress.ip_address(host).is_unspecified:
            async with asyncio.timeout(RESOLVED_WITHIN_S):
                destination, (host, port) = await self._agent.address_towards(uri)
        return f"sip:{self._caller_id}@{f'[{host}]' if ':' in host else host}:{port}", destination

    async def close(self) -> None:
        await self._agent.close()
        self._wheel.stop()

    def _uri(self, target: str) -> str:
        if target.startswith(("sip:", "sips:")):
            return target
        if self._trunk is None:
            raise UndiallableError(f"no trunk for {mask(target)!r}: set VOICEBOT_TRUNK to host:port of the SIP trunk")
        host, port = self._trunk
        return f"sip:{target}@{host}:{port}"

    async def _take(self, call: Call) -> None:
        await self._on_incoming(SipLeg(call))

    def _allow(self, source: tuple[str, int], request: Request) -> int | None:
        address = ipaddress.ip_address(source[0])
        if not any(address in network for network in self._allowed):
            return 403
        return self._refusal() if request.method in ("INVITE", "OPTIONS") else None


def _translate(event: sip.events.CallEvent) -> LegEvent | None:
    match event:
        case sip.events.Ringing(status):
            return Ringing(status)
        case sip.events.EarlyMedia():
            return EarlyMedia()
        case sip.events.Answered():
            return Answered()
        case sip.events.Dtmf(digit=digit):
            return KeyPressed(digit)
        case sip.events.Ended():
            return Ended(event.by, event.status, event.reason, event.q850)
        case _:
            return None
