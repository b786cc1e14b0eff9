"""A line whose SIP is real and whose network is simulated: loss, delay and disorder on virtual time, sound by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sip.call import Call
from sip.media import MediaPort, MediaStats
from sip.testing import SimNetwork
from sip.user_agent import UserAgent
from voicebot.audio.frames import SILENCE
from voicebot.telephony.leg import Capabilities, Wanted, always
from voicebot.telephony.sip_leg import SipLeg

OURS, THEIRS = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
Takes = Callable[[Call], Awaitable[None] | None]


class Wire:
    """Media without packets: `tick` carries 20 ms each way while offer and answer allow it."""

    local_port = 30000
    gap = False
    stats = MediaStats(0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, None)
    on_dtmf: Callable[[str, int], None] | None = None
    on_silent: Callable[[], None] | None = None

    def __init__(self) -> None:
        self._port: MediaPort | None = None
        self._running = False

    async def open(self) -> None: ...

    def start(self, *agreed: object) -> None:
        self._running = True

    def set_port(self, port: MediaPort | None) -> None:
        self._port = port

    def send_dtmf(self, digits: str) -> None: ...

    def close(self) -> None:
        self._running = False

    def tick(self, number: int, said: bytes = SILENCE) -> bytes:
        """The other party says 20 ms and hears 20 ms."""
        if not self._running or self._port is None:
            return SILENCE
        return self._port.exchange(said, number) or SILENCE


class NetworkLine:
    """A Line with one caller, ourselves, and one callee, who does what `takes` says."""

    address = OURS

    def __init__(self, rung: Callable[[Wire], None], network: SimNetwork, takes: Takes) -> None:
        self._rung = rung
        self._wire = Wire()
        self._ours = UserAgent(OURS, media_factory=lambda: self._wire, transport_factory=network.transport)
        self.theirs = UserAgent(THEIRS, media_factory=Wire, on_incoming=takes, transport_factory=network.transport)

    async def start(self) -> None:
        await self._ours.start()
        await self.theirs.start()

    capabilities = Capabilities()

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> SipLeg:  # fmt: skip
        caller = f"sip:voicebot@{OURS[0]}:{OURS[1]}"
        call = self._ours.call(f"sip:debtor@{THEIRS[0]}:{THEIRS[1]}", from_uri=caller, ring_timeout_s=ring_timeout_s)
        self._rung(self._wire)
        return SipLeg(call)

    async def close(self) -> None:
        await self._ours.close()
        await self.theirs.close()
