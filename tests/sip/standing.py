"""For tests: calls that stand already, with a scripted peer or between two user agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sip import Answered, Call, CallState, UserAgent
from sip.message import Request
from sip.testing import ScriptedPeer
from tests.sip.laboratory import Laboratory


@dataclass
class Standing:
    """A call of ours to a peer without any behaviour of its own."""

    agent: UserAgent
    peer: ScriptedPeer
    call: Call
    invite: Request
    cseq: int = 10

    def within(self, method: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """Send a request of the peer inside the dialog."""
        if method != "ACK":
            self.cseq += 1
        request = self.peer.compose(
            method,
            "sip:95588@192.0.2.1",
            call_id=self.call.id,
            cseq=self.cseq,
            to_tag=self.call.local_tag,
            headers=headers,
            body=body,
        )
        self.peer.send(request, self.agent.address)
        return request

    async def bye(self) -> None:
        self.within("BYE")
        await self.peer.response(200)


async def standing(
    lab: Laboratory, *, answer: Sequence[tuple[str, str]] = (), agent: UserAgent | None = None, **options: object
) -> Standing:
    """Our call, answered by a scripted peer with the fields `answer`. `options` go to `UserAgent.call`."""
    agent = agent or await lab.agent()
    peer = lab.peer()
    call = agent.call("sip:13800138000@192.0.2.99", from_uri="sip:95588@192.0.2.1", **options)  # type: ignore[arg-type]
    invite = await peer.request("INVITE")
    peer.reply(invite, 200, sdp="sendrecv", headers=answer)
    await peer.request("ACK")
    assert call.state is CallState.CONFIRMED
    return Standing(agent, peer, call, invite)


async def pair(lab: Laboratory, within_s: float = 60, **options: object) -> tuple[Call, Call]:
    """A call between two user agents of ours: the caller's end and the callee's."""
    alice = await lab.agent("192.0.2.1", **options)  # type: ignore[arg-type]
    await lab.agent("192.0.2.2", **options)  # type: ignore[arg-type]
    call = alice.call("sip:bob@192.0.2.2", from_uri="sip:alice@192.0.2.1")
    async with asyncio.timeout(within_s):
        async for event in call.events():
            if event == Answered():
                break
    await asyncio.sleep(1)
    return call, lab.incoming[-1]
