"""Phone: one agent's telephone in the browser: on, ringing, talking, and what is left while the browser reconnects.

on --(INVITE)--> ringing --(answer)--> talking --(BYE of either side)--> on
any --(browser silent for AWAY_S, or LEFT_S after it said goodbye)--> gone: the leg ends, the extension too
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from voicebot.domain.ice import IceServer
from voicebot.softphone.headset import Headset
from voicebot.softphone.peer import Peer
from voicebot.telephony.leg import CallLeg, Ended

log = structlog.get_logger(__name__)

AWAY_S: Final = 16.0
"""A browser says every five seconds that it is there; after this silence it is not."""
LEFT_S: Final = 8.0
"""A page that was left comes back within this time when it was only changed for another one."""

News = dict[str, Any]
Tell = Callable[[News], None]


class StaleError(RuntimeError):
    """The command came from a page that is no longer this agent's telephone: another one has taken over."""


class Phone:
    """`tell` brings news for the browser: {"event": "ringing" | "answered" | "ended" | "peer" | "replaced", …}."""

    def __init__(self, agent_id: str, servers: Sequence[IceServer], tell: Tell, clock: Callable[[], float]) -> None:
        self.agent_id = agent_id
        self.session = ""
        self.quality: dict[str, float] = {}
        """What the browser last measured: jitter_ms, loss, rtt_ms."""
        self._servers, self._tell, self._clock = servers, tell, clock
        self._headset = Headset()
        self._peer: Peer | None = None
        self._leg: CallLeg | None = None
        self._talking = False
        self._number = 0
        self._following: asyncio.Task[None] | None = None
        self._gone_at = clock() + AWAY_S

    @property
    def state(self) -> str:
        """on, ringing or talking."""
        if self._leg is None:
            return "on"
        return "talking" if self._talking else "ringing"

    @property
    def gone(self) -> bool:
        return self._clock() >= self._gone_at

    @property
    def headset(self) -> Headset:
        return self._headset

    # --- the browser ---------------------------------------------------------------------------------------

    async def connect(self, session: str, offer: str) -> tuple[str, News]:
        """A page becomes this telephone: the SDP answer, and what goes on now. OfferError leaves the old page in."""
        peer = Peer(
            self._servers,
            lambda stamp, payload: self._heard(peer, stamp, payload),
            lambda state: self._peer_changed(peer, state),
        )
        try:
            answer = await peer.answer(offer)
        except BaseException:
            await peer.close()
            raise
        before, self._peer = self._peer, peer
        if self.session and self.session != session:
            self._say("replaced")
        self.session = session
        self._headset.plug(peer.send)
        self.beat(session, {})
        if before is not None:
            await before.close()
        return answer, self.situation()

    def situation(self) -> News:
        """on, ringing or talking, and with whom; `number` tells the newer of two that cross on their way."""
        return {"state": self.state, "remote": self._leg.remote if self._leg else "", "number": self._number}

    def beat(self, session: str, quality: dict[str, float]) -> None:
        """The page is still there."""
        self._expect(session)
        self._gone_at = self._clock() + AWAY_S
        self.quality = quality or self.quality

    def leave(self, session: str) -> None:
        """The page was closed, or changed for another one that will connect at once."""
        if session == self.session:
            self._gone_at = min(self._gone_at, self._clock() + LEFT_S)

    async def answer(self, session: str) -> None:
        """Take the call that rings; without effect when none does any more."""
        self._expect(session)
        if self._leg is None or self._talking:
            return
        self._talking = True
        self._headset.plug(self._peer.send if self._peer is not None else None)
        self._leg.connect(self._headset)
        await self._leg.answer()
        self._say("answered")

    async def hang_up(self, session: str) -> None:
        """End the call, or decline the one that rings (603)."""
        self._expect(session)
        await self._drop(603)

    def keys(self, session: str, digits: str) -> None:
        """Press keys. ValueError for others than 0-9 * # A-D."""
        self._expect(session)
        if self._leg is not None and self._talking:
            self._leg.send_keys(digits)

    async def close(self) -> None:
        """The extension ends: the caller is told that nobody hung up, the browser let go."""
        await self._drop(480, "the browser is gone")
        if self._following is not None:
            self._following.cancel()
        self._headset.plug(None)
        if self._peer is not None:
            await self._peer.close()

    # --- the line ------------------------------------------------------------------------------------------

    def ring(self, leg: CallLeg) -> None:
        """Somebody rings the extension: 486 while another call is here, 480 without a browser, else it rings."""
        if self._leg is not None:
            leg.reject(486)
        elif self._peer is None or self._peer.state in ("disconnected", "failed", "closed"):
            leg.reject(480)
        else:
            self._leg, self._talking = leg, False
            leg.ring()
            self._say("ringing")
            self._following = asyncio.get_running_loop().create_task(self._follow(leg))

    async def _follow(self, leg: CallLeg) -> None:
        async for event in leg.events():
            if isinstance(event, Ended):
                self._over(leg, event.by)

    def _over(self, leg: CallLeg, by: str) -> None:
        if leg is not self._leg:
            return
        missed = not self._talking
        remote = leg.remote
        self._leg, self._talking = None, False
        self._say("ended", by=by, missed=missed, remote=remote)

    async def _drop(self, status: int, why: str | None = None) -> None:
        leg = self._leg
        if leg is None:
            return
        if self._talking:
            await leg.hang_up(why)
        else:
            with contextlib.suppress(Exception):  # the caller may have given up in this moment
                leg.reject(status)
        self._over(leg, "local")

    # --- inside --------------------------------------------------------------------------------------------

    def _expect(self, session: str) -> None:
        if session != self.session:
            raise StaleError("another page is this agent's telephone now")

    def _heard(self, peer: Peer, stamp: int, payload: bytes) -> None:
        if peer is self._peer and self._talking:
            self._headset.take(stamp, payload)

    def _peer_changed(self, peer: Peer, state: str) -> None:
        if peer is self._peer:
            log.info("browser", agent=self.agent_id, webrtc=state)
            self._say("peer", webrtc=state)

    def _say(self, event: str, **more: object) -> None:
        self._number += 1
        self._tell({"agent": self.agent_id, "session": self.session, "event": event, **self.situation(), **more})
