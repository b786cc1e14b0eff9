"""A desk phone on a host of its own: registers at the proxy over TLS, calls a worker, and says what it heard.

python caller.py OWN_IP PROXY_IP FOLDER_OF_CERTIFICATE USER PASSWORD DOMAIN; a line of JSON per step.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import numpy as np

from sip.auth import Credentials
from sip.call import Call
from sip.events import Answered, Ended
from sip.media import MediaSession, MediaWheel, PortPool
from sip.transport import Hop, TlsSettings
from sip.user_agent import UserAgent

LOUD, LISTENS_S = 500, 20.0
ENOUGH = 50
"""Frames in which somebody spoke: then it is the bot."""


class Ear:
    """Counts the frames in which somebody speaks; `heard`: it was enough of them."""

    def __init__(self) -> None:
        self.loud, self.heard = 0, asyncio.Event()

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.loud += bool(np.abs(np.frombuffer(received, "<i2").astype(int)).max(initial=0) > LOUD)
        if self.loud == ENOUGH:
            self.heard.set()
        return None


def say(**row: object) -> None:
    print(json.dumps(row), flush=True)


async def main(ip: str, proxy: str, pem: Path, user: str, password: str, domain: str) -> None:
    wheel, ports = MediaWheel(), PortPool(46000, 47998)
    tls = TlsSettings(pem / "cert.pem", pem / "key.pem", pem / "cert.pem")
    agent = UserAgent((ip, 5070), media_factory=lambda: MediaSession(wheel, ip, ports), name="desk phone", tls=tls)
    await agent.start()
    wheel.start()
    edge = Hop("TLS", proxy, 5061, proxy)
    aor, credentials = f"sip:{user}@{domain}", Credentials(user, password)
    registered = agent.register(f"sip:{domain}", aor=aor, credentials=credentials, expires_s=60, via=edge)
    say(registered=await registered.wait(10))
    call = agent.call(f"sip:reception@{domain}", from_uri=aor, credentials=credentials, via=edge)
    ear, listening = Ear(), None
    async for event in call.events():
        if isinstance(event, Answered):
            assert call.media is not None
            call.media.set_port(ear)
            listening = asyncio.create_task(_listen(call, ear))
        if isinstance(event, Ended):
            say(status=event.status, by=event.by, loud_ms=20 * ear.loud)
    if listening is not None:
        listening.cancel()
    await agent.close()


async def _listen(call: Call, ear: Ear) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ear.heard.wait(), LISTENS_S)
    await call.hangup()


if __name__ == "__main__":
    own, edge_ip, folder, name, word, realm = sys.argv[1:]
    asyncio.run(main(own, edge_ip, Path(folder), name, word, realm))
