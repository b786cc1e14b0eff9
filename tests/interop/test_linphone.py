"""linphone (belle-sip) calls our stack and is called: sound both ways, hold, keys, transfer."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.auth import DigestServer
from sip.events import Ended, Held, Resumed

from .certificate import Certificate
from .linphone import linphone
from .peers import requires
from .station import station, with_tls
from .tones import tone_ms

pytestmark = requires("linphonec")
OURS_HZ, THEIRS_HZ = 440, 1000


async def test_linphone_calls_us(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hears(THEIRS_HZ, 1100)
        await peer.hears(OURS_HZ, 900)
        await peer.type("terminate")
        assert (await talk.ended()).by == "remote"


async def test_we_call_linphone(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hears(THEIRS_HZ, 1100)
        await peer.hears(OURS_HZ, 900)
        await talk.call.hangup()
        await peer.says("(?i)call .*ended|Call terminated|Released")


async def test_linphone_holds_and_resumes(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("pause")
        await talk.until(Held)
        await peer.says("(?i)paused")
        await peer.type("resume 1")
        await talk.until(Resumed)
        await talk.hears(THEIRS_HZ, 900)
        assert not talk.of(Ended)


async def test_keys_of_linphone_by_rfc_4733(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("5", "*", "#")
        assert await talk.keys(3) == "5*#"


async def test_keys_of_linphone_by_info(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ, info=True) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("5", "*", "#")
        assert await talk.keys(3) == "5*#"


@pytest.mark.parametrize("direction", ["out", "in"])
async def test_srtp_with_linphone(tmp_path: Path, direction: str) -> None:
    """SDES keys (RFC 4568) over UDP, as linphone offers them when it is told to insist on SRTP."""
    async with (
        station(OURS_HZ, srtp="require" if direction == "out" else "off") as ours,
        linphone(tmp_path, THEIRS_HZ, encryption="srtp") as peer,
    ):
        if direction == "out":
            talk = ours.dial(peer.uri)
        else:
            await peer.type(f"call {ours.uri}")
            talk = await ours.call()
        await talk.answered()
        assert talk.call.session.agreed is not None and talk.call.session.agreed.keys is not None
        await talk.hears(THEIRS_HZ, 1100)
        await peer.hears(OURS_HZ, 900)
        await talk.call.hangup()


async def test_the_session_interval_is_agreed_with_linphone(tmp_path: Path) -> None:
    """RFC 4028 from its side: it asks for 90 s, we take part and say who refreshes."""
    timer = "session_expires_enabled=1\nsession_expires_value=90\nsession_expires_refresher_value=2"
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ, more=timer) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        assert "90" in str(talk.call.headers.get("Session-Expires"))
        await talk.hear(1.0)
        assert "Session-Expires: 90" in peer.trace().split("SIP/2.0 200 OK", 1)[1]


async def test_linphone_is_held_by_us(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        await talk.call.hold()
        assert tone_ms(await talk.hear(1.0), THEIRS_HZ) < 300
        await talk.call.resume()
        await talk.hears(THEIRS_HZ, 900)
        await talk.call.hangup()


async def test_our_keys_reach_linphone(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        talk.call.send_dtmf("86")
        await peer.says("Receiving tone 8")
        await peer.says("Receiving tone 6")


@pytest.mark.parametrize("password", ["geheim", "falsch"])
async def test_linphone_proves_itself_by_sha_256(tmp_path: Path, password: str) -> None:
    """Both challenges of RFC 8760, SHA-256 on top."""
    digest = DigestServer("station", {"linphone": "geheim"}.get, b"secret", algorithms=("SHA-256", "MD5"))
    async with station(OURS_HZ, digest=digest) as ours, linphone(tmp_path, THEIRS_HZ, password=password) as peer:
        await peer.type(f"call {ours.uri}")
        if password == "geheim":
            await (await ours.call()).answered()
            assert "algorithm=SHA-256" in peer.trace()
        else:
            await peer.says("(?i)error|password|failed", within_s=15)
            assert not ours.talks


async def test_linphone_calls_us_over_tcp(tmp_path: Path) -> None:
    async with station(OURS_HZ, tcp=True) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri};transport=tcp")
        talk = await ours.call()
        await talk.answered()
        await talk.hears(THEIRS_HZ, 900)
        await talk.call.hangup()
        assert "SIP/2.0/TCP" in peer.trace()


@requires("openssl")
async def test_linphone_calls_us_over_tls_with_srtp(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    async with (
        station(OURS_HZ, **with_tls(certificate)) as ours,
        linphone(tmp_path, THEIRS_HZ, encryption="srtp", tls=certificate) as peer,
    ):
        await peer.type(f"call {ours.tls_uri}")
        talk = await ours.call()
        await talk.answered()
        assert talk.call.session.agreed is not None and talk.call.session.agreed.keys is not None
        await talk.hears(THEIRS_HZ, 1100)
        await peer.hears(OURS_HZ, 900)
        await peer.type("terminate")
        assert (await talk.ended()).by == "remote"


async def test_opus_with_linphone(tmp_path: Path) -> None:
    async with station(OURS_HZ, codecs=("opus", "PCMA")) as ours, linphone(tmp_path, THEIRS_HZ, wide=True) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        assert talk.call.session.agreed is not None and talk.call.session.agreed.codec == "opus"
        await talk.hears(THEIRS_HZ, 1100)
        await talk.hear(2.0)  # its recording tells its rate at the end alone
        await talk.call.hangup()
        await peer.stop()
        assert tone_ms(peer.heard(), OURS_HZ) > 900
