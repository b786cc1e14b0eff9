"""Foreign telephones call the whole product: over TLS with SRTP, over TCP; each hears the opening, and is recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from voicebot.domain.journal import FactKind
from voicebot.evidence.reading import read_audio

from .baresip import baresip
from .installation import Installation
from .linphone import linphone
from .peers import requires
from .phone import loud_frames
from .tones import tone_ms

THEIRS_HZ = 1000
TALK_S = 4.0


@requires("baresip", "openssl")
async def test_baresip_over_tls_with_srtp(served: Installation, tmp_path: Path) -> None:
    account = "mediaenc=srtp-mand"
    async with (
        baresip(tmp_path, THEIRS_HZ, account, certificate=served.certificate, transport="tls") as peer,
        served.recording() as recording,
    ):
        await peer.tell("dial", served.tls_uri)
        await peer.says("Call established", within_s=15)
        await peer.says("SRTP is Enabled")
        await asyncio.sleep(TALK_S)
        await peer.tell("hangup")
        ours = recording()
        bundle = await ours.sealed()
        await peer.stop()
        assert ours.of(FactKind.SAYING)
        assert loud_frames(peer.heard().tobytes()) > 50, "baresip did not hear the opening"
        assert tone_ms(read_audio(bundle)[:, 1], THEIRS_HZ) > 2000, "baresip is not in the recording"


@requires("linphonec")
async def test_linphone_over_tcp(served: Installation, tmp_path: Path) -> None:
    async with linphone(tmp_path, THEIRS_HZ) as peer, served.recording() as recording:
        await peer.type(f"call {served.uri};transport=tcp")
        await peer.says("connected", within_s=15)
        await asyncio.sleep(TALK_S)
        await peer.type("terminate")
        ours = recording()
        bundle = await ours.sealed()
        await peer.stop()
        assert "SIP/2.0/TCP" in peer.trace()
        assert loud_frames(peer.heard().tobytes()) > 50, "linphone did not hear the opening"
        assert tone_ms(read_audio(bundle)[:, 1], THEIRS_HZ) > 2000, "linphone is not in the recording"
