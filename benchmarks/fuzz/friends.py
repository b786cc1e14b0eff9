"""The callers who must not notice the attack: ten calls over UDP, TCP and TLS that speak all the time."""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

from benchmarks.fuzz.victim import Speaker
from sip import Call, CallState, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool
from sip.message import Response
from sip.transport import TlsSettings

HOST = "127.0.0.3"
TRANSPORTS = ("udp",) * 4 + ("tcp",) * 3 + ("tls",) * 3


class Friends:
    def __init__(self, target: str, udp: int, tls: int) -> None:
        self._target, self._ports = target, {"udp": udp, "tcp": udp, "tls": tls}
        self._wheel, self._pool = MediaWheel(), PortPool(27_000, 27_999)
        self._agent = UserAgent(
            (HOST, 0),
            media_factory=lambda: MediaSession(self._wheel, HOST, self._pool),
            tcp=True,
            tls=TlsSettings(verify=False),
        )
        self.calls: list[tuple[str, Call]] = []

    async def start(self) -> None:
        self._wheel.start()
        await self._agent.start()
        for transport in TRANSPORTS:
            uri = f"sip:bot@{self._target}:{self._ports[transport]};transport={transport}"
            call = self._agent.call(uri, from_uri="sip:friend@127.0.0.3")
            self.calls.append((transport, call))
            async with asyncio.timeout(10):
                async for _ in call.events():
                    if call.state is CallState.CONFIRMED:
                        break
            if call.media is not None:
                call.media.set_port(Speaker())

    def report(self) -> list[dict[str, object]]:
        return [
            {"transport": transport, "state": str(call.state), "received": stats.received, "lost": stats.lost}
            for transport, call in self.calls
            if call.media is not None and (stats := call.media.stats)
        ]

    async def hang_up(self) -> list[dict[str, object]]:
        before = self.report()
        await asyncio.gather(*(call.hangup() for _, call in self.calls))
        for row, (_, call) in zip(before, self.calls, strict=True):
            row["goodbye"] = any(
                isinstance(rung.message, Response) and rung.message.cseq.method == "BYE" and rung.message.status == 200
                for rung in self._agent.trace.rungs(call.id)
            )
        return before


async def main() -> None:
    friends = Friends(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    await friends.start()
    print(json.dumps(friends.report()), flush=True)
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(json.dumps(await friends.hang_up() if command == "hang up" else friends.report()), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
