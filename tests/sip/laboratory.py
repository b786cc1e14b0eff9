"""For tests: user agents and scripted peers on one simulated network, with media that only remembers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sip.call import Call
from sip.events import Ended
from sip.sdp import Negotiated
from sip.session import MediaFactory
from sip.testing import ScriptedPeer, SimNetwork
from sip.user_agent import UserAgent

OnIncoming = Callable[[Call], Awaitable[None] | None]


@dataclass
class SilentMedia:
    """Stands for RTP: remembers what it was told."""

    local_port: int = 30000
    starts: list[tuple[Any, ...]] = field(default_factory=list)
    digits: str = ""
    is_open: bool = False
    is_closed: bool = False
    on_dtmf: Callable[[str, int], None] | None = None
    on_silent: Callable[[], None] | None = None
    stats: Any = None

    async def open(self) -> None:
        self.is_open = True

    def start(self, agreed: Negotiated) -> None:
        assert not self.is_closed, "media was started after the end of its call"
        told = (agreed.remote, agreed.codec, agreed.payload_type, agreed.telephone_event, agreed.direction)
        self.starts.append(told)

    def set_port(self, port: object) -> None: ...

    def send_dtmf(self, digits: str) -> None:
        self.digits += digits

    def close(self) -> None:
        self.is_closed = True


async def answer_at_once(call: Call) -> None:
    call.ring()
    await call.answer()


@dataclass
class Laboratory:
    network: SimNetwork = field(default_factory=SimNetwork)
    agents: list[UserAgent] = field(default_factory=list)
    medias: list[SilentMedia] = field(default_factory=list)
    incoming: list[Call] = field(default_factory=list)

    async def agent(self, ip: str = "192.0.2.1", *, takes: OnIncoming = answer_at_once, **options: Any) -> UserAgent:
        def on_incoming(call: Call) -> Awaitable[None] | None:
            self.incoming.append(call)
            return takes(call)

        factory: MediaFactory | None = options.pop("media_factory", self._media)
        agent = UserAgent(
            (ip, 5060),
            media_factory=factory,
            on_incoming=on_incoming,
            transport_factory=self.network.transport,
            **options,
        )
        await agent.start()
        self.agents.append(agent)
        return agent

    def _media(self) -> SilentMedia:
        self.medias.append(SilentMedia(30000 + 2 * len(self.medias)))
        return self.medias[-1]

    def peer(self, ip: str = "192.0.2.99") -> ScriptedPeer:
        return ScriptedPeer(self.network, (ip, 5060))


async def ended(call: Call) -> Ended:
    """Wait for the end of a call."""
    last = [event async for event in call.events()][-1]
    assert isinstance(last, Ended)
    return last
