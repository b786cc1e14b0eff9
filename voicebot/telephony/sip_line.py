"""SipLine: the phone line on our own SIP stack, over trunks or straight to addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from urllib.parse import quote

import structlog

from sip.auth import DigestServer
from sip.call import Call
from sip.errors import SipError
from sip.media import Lateness, MediaSession, MediaWheel, PortPool
from sip.media.lateness import BOUNDS_MS
from sip.message import Request, Uri
from sip.transport import Hop, TlsSettings
from sip.user_agent import UserAgent
from voicebot.telemetry.logs import mask
from voicebot.telephony.fellows import Fellows, extension_of
from voicebot.telephony.leg import (
    CallLeg,
    Capabilities,
    Ended,
    IncomingHandler,
    NotWantedError,
    UndiallableError,
    Wanted,
    always,
)
from voicebot.telephony.numbers import identity_headers, shown, spelt
from voicebot.telephony.routed_leg import RoutedLeg
from voicebot.telephony.sip_leg import SipLeg
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_care import TrunkCare, credentials_of
from voicebot.telephony.trunk_desk import TrunkDesk

log = structlog.get_logger(__name__)

RESOLVED_WITHIN_S = 2.0
"""A name server that takes longer would keep the next calls waiting."""
Refusal = Callable[[], int | None]
"""Asked for every INVITE and OPTIONS of an allowed peer: None takes it, a status refuses it."""


class SipLine:
    """A Line. `allowed` networks and the peers of trunks may call in, everybody else gets 403.

    `tls_listen`, `public_address`, `tcp`, `tls`: as in UserAgent. `fellows`: the other workers, who may ring the
    agents' extensions here; `on_extension` gets those calls.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        *,
        rtp_ports: tuple[int, int],
        allowed: Sequence[str],
        caller_id: str,
        on_incoming: IncomingHandler,
        refusal: Refusal,
        trunks: Sequence[Trunk] = (),
        tcp: bool = False,
        tls: TlsSettings | None = None,
        tls_listen: tuple[str, int] | None = None,
        public_address: str | None = None,
        fellows: Fellows | None = None,
        on_extension: IncomingHandler | None = None,
    ) -> None:
        self._fellows, self._on_extension = fellows, on_extension
        self._allowed = [ipaddress.ip_network(network) for network in allowed]
        self._caller_id = caller_id
        self._on_incoming = on_incoming
        self._refusal = refusal
        self.trunks = TrunkDesk(trunks)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wheel = wheel = MediaWheel()
        ports = PortPool(*rtp_ports)
        self._agent = UserAgent(
            listen,
            media_factory=lambda: MediaSession(wheel, listen[0], ports),
            on_incoming=self._take,
            allow=self._allow,
            digest=self._guard,
            tcp=tcp or any(trunk.transport == "tcp" for trunk in trunks),
            tls=tls,
            tls_listen=tls_listen,
            public_address=public_address,
        )
        self._care = TrunkCare(self._agent, self.trunks)
        self._capabilities = Capabilities(tls=tls is not None)

    @property
    def address(self) -> tuple[str, int]:
        return self._agent.address

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

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

    async def start(self, *, register: bool = True) -> None:
        """Bind and listen, look after the trunks; `register` with those that want it. OSError when a port is taken."""
        await self._agent.start()
        self._wheel.start()
        self._care.start(register=register)

    def registers(self, trunk: str, ours: bool) -> None:
        self._care.registers(self.trunks.states[trunk].trunk, ours)

    async def withdraw(self) -> None:
        await self._care.unregister()

    async def close(self) -> None:
        await self._care.stop()
        await self._agent.close()
        self._wheel.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- out -----------------------------------------------------------------------------------------------

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> CallLeg:  # fmt: skip
        if target.startswith(("sip:", "sips:")):
            return await self._straight(target, ring_timeout_s, wanted)
        if not self.trunks:
            remedy = "set VOICEBOT_TRUNKS to a file of trunks, or VOICEBOT_TRUNK to host:port"
            raise UndiallableError(f"no trunk for {mask(target)!r}: {remedy}")
        chosen = await self.trunks.wait(trunk)

        async def send(over: Trunk) -> SipLeg:
            return await self._over(over, target, ring_timeout_s, caller_id, wanted)

        unreachable: set[str] = set()
        while True:
            try:
                first = await send(chosen)
                break
            except UndiallableError:
                self.trunks.unreachable(chosen)
                unreachable.add(chosen.name)
                following = None if trunk is not None else self.trunks.choose(unreachable)
                if following is None:
                    raise
                chosen = following
        return RoutedLeg(self.trunks, first, chosen, send, self._spawn, only=trunk is not None)

    async def _straight(self, uri: str, ring_timeout_s: float, wanted: Wanted) -> SipLeg:
        """Ring an address: an agent's telephone, a peer on our network, an extension of a PBX that is a trunk."""
        try:
            where = Uri.parse(uri)
            behind = self.trunks.of_address(where.hostname, where.port)
            if behind is not None:
                return SipLeg(await self._extension(behind, uri, ring_timeout_s))
            _, host = await self._towards(uri)
            _see_that(wanted, uri)
            ours = self._fellows is not None and extension_of(where) is not None
            call = self._agent.call(
                uri,
                from_uri=f"sip:{self._caller_id}@{host}",
                credentials=self._fellows.credentials if self._fellows is not None and ours else None,
                ring_timeout_s=ring_timeout_s,
            )
        except (SipError, TimeoutError) as error:
            raise _undiallable(uri, error) from error
        return SipLeg(call)

    async def _extension(self, trunk: Trunk, uri: str, ring_timeout_s: float) -> Call:
        """Ring an address behind a trunk that asks who we are. It is not one of the trunk's channels."""
        account = trunk.account
        assert account is not None  # of_address looks
        via, _ = await self._towards(trunk.hop_uri)
        return self._agent.call(
            uri,
            from_uri=f"sip:{account.user}@{trunk.aor_host}",
            credentials=credentials_of(trunk),
            via=via,
            ring_timeout_s=ring_timeout_s,
            contact_user=account.user,
        )

    async def _over(
        self, trunk: Trunk, number: str, ring_timeout_s: float, caller_id: str | None, wanted: Wanted
    ) -> SipLeg:
        """Send the INVITE for `number` to a trunk, the way that it wants it. UndiallableError."""
        caller = shown(trunk.caller, number, caller_id)
        user = quote(spelt(number, trunk.numbers), safe="+*-_.!~'()&=$,;?/")
        uri = f"sip:{user}@{trunk.uri_host}"
        if trunk.transport != "udp":
            uri += f";transport={trunk.transport}"
        try:
            via, ours = await self._towards(trunk.hop_uri)
            self.trunks.learn_peer(trunk, via.host)
            _see_that(wanted, number)
            domain = trunk.caller.domain or (trunk.aor_host if trunk.account else ours)
            call = self._agent.call(
                uri,
                from_uri=f"sip:{caller}@{domain}",
                display=trunk.caller.display,
                headers=identity_headers(trunk.caller, caller, domain),
                credentials=credentials_of(trunk),
                via=via if trunk.is_behind else None,
                ring_timeout_s=ring_timeout_s,
                codecs=trunk.codecs,
                srtp=trunk.srtp,
                contact_user=trunk.account.user if trunk.account else None,
                session_expires_s=trunk.session_expires_s,
            )
        except (SipError, TimeoutError) as error:
            raise _undiallable(number, error) from error
        return SipLeg(call, trunk)

    async def _towards(self, uri: str) -> tuple[Hop, str]:
        """Where a URI leads, and host:port of ours as it is seen from there."""
        async with asyncio.timeout(RESOLVED_WITHIN_S):
            hop, (host, port) = await self._agent.address_towards(uri)
        return hop, f"{f'[{host}]' if ':' in host else host}:{port}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- in ------------------------------------------------------------------------------------------------

    def script_of(self, leg: CallLeg) -> str | None:
        """The script that a leg's trunk wants for the number called, or for all its calls."""
        state = self.trunks.states.get(leg.trunk or "")
        if state is None or not isinstance(leg, SipLeg):
            return None
        return state.trunk.script_for(leg.called)

    async def _take(self, call: Call) -> None:
        if self._on_extension is not None and extension_of(call.local.uri) is not None:
            await self._on_extension(SipLeg(call))
            return
        trunk = self.trunks.of_source(call.hop.host) if call.hop is not None else None
        leg = SipLeg(call, trunk)
        if trunk is not None:
            self._spawn(self._count(leg, trunk))
        await self._on_incoming(leg)

    async def _count(self, leg: SipLeg, trunk: Trunk) -> None:
        """An incoming call uses a channel of its trunk until it ends."""
        self.trunks.received(trunk)
        async for event in leg.events():
            if isinstance(event, Ended):
                self.trunks.over(trunk, event, rung=True)

    def _guard(self, source: tuple[str, int], request: Request) -> DigestServer | None:
        """Callers of a trunk that wants a password must prove themselves, and so must who rings an extension."""
        if self._fellows is not None and extension_of(request.uri) is not None:
            return self._fellows.guard
        trunk = self.trunks.of_source(source[0])
        return self._care.guard_of(trunk) if trunk is not None else None

    def _allow(self, source: tuple[str, int], request: Request) -> int | None:
        if self._fellows is not None and extension_of(request.uri) is not None:
            return None if self._fellows.knows(source[0]) else 403
        address = ipaddress.ip_address(source[0])
        known = any(address in network for network in self._allowed) or self.trunks.of_source(source[0]) is not None
        if not known:
            return 403
        return self._refusal() if request.method in ("INVITE", "OPTIONS") else None


def _see_that(wanted: Wanted, target: str) -> None:
    if not wanted():
        raise NotWantedError(f"{mask(target)!r} is not to be rung any more")


def _undiallable(target: str, error: Exception) -> UndiallableError:
    reason = str(error) or "the name server does not answer"
    return UndiallableError(f"{mask(target)!r} can't be rung: {reason}")
