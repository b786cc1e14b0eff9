"""coturn between an agent's browser and the gateway: where neither reaches the other, the relay carries the sound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

from tests.voicebot.softphone.test_gateway import Stage, strength, talk
from voicebot.domain.ice import parse_ice_servers

from .peers import Peer, requires
from .sipp import free_port

pytestmark = requires("turnserver")


@contextlib.asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[str]:
    """A TURN server for the user desk; its entry for VOICEBOT_ICE_SERVERS."""
    port, peer = free_port(), Peer("turnserver", folder)
    await peer.run(
        "turnserver", "-n", "--no-cli", "--no-tls", "--no-dtls", "-v", "--log-file=stdout", "--simple-log",
        "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(port), "--allow-loopback-peers", "--lt-cred-mech", "-u",
        "desk:s3cret", "-r", "voicebot", f"--pidfile={folder / 'pid'}",
    )  # fmt: skip
    await asyncio.sleep(1.0)
    try:
        yield f"turn:desk:s3cret@127.0.0.1:{port}"
    finally:
        await peer.stop()


async def test_the_sound_goes_through_a_relay(tmp_path: Path) -> None:
    async with coturn(tmp_path) as entry:
        servers = parse_ice_servers([entry])
        stage = Stage(servers)
        relayed = RTCConfiguration(
            [RTCIceServer(one.url, one.username, one.password) for one in servers],
            iceTransportPolicy=RTCIceTransportPolicy.RELAY,
        )
        try:
            browser = await stage.browser("page-one", configuration=relayed)
            leg = await stage.ring()
            await stage.gateway.obey("answer", "a1", "page-one", {})
            said = await talk(leg, 75, 500)
            assert strength(said[-320 * 25 :], 700) > 5000 and browser.strength(500) > 5000
            offered = browser.connection.localDescription.sdp
            assert "typ relay" in offered and "typ host" not in offered
        finally:
            await stage.gateway.close()
            await asyncio.gather(*(one.close() for one in stage.browsers))
