"""baresip over TLS with SRTP that it insists on; and its wideband codecs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.sdp import Codec

from .baresip import OVER, Baresip, baresip
from .certificate import Certificate
from .peers import requires
from .station import Station, Talk, station, with_tls

pytestmark = requires("baresip", "openssl")
OURS_HZ, THEIRS_HZ = 440, 1000
ENCRYPTED = "mediaenc=srtp-mand;answermode=auto"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


async def converse(talk: Talk, peer: Baresip) -> None:
    """Both tones for a second, encrypted both ways, then the end from our side."""
    await talk.answered()
    await talk.hears(THEIRS_HZ, 900)
    await peer.hears(OURS_HZ, 900)
    assert talk.call.session.agreed is not None and talk.call.session.agreed.keys is not None
    await talk.call.hangup()


async def test_baresip_calls_us_over_tls_with_srtp(tmp_path: Path, certificate: Certificate) -> None:
    secure = {"certificate": certificate, "transport": "tls"}
    async with (
        station(OURS_HZ, **with_tls(certificate)) as ours,
        baresip(tmp_path, THEIRS_HZ, ENCRYPTED, **secure) as peer,
    ):
        await peer.tell("dial", ours.tls_uri)
        talk = await ours.call()
        await converse(talk, peer)
        await peer.says(OVER)


async def test_we_call_baresip_over_tls_with_srtp(tmp_path: Path, certificate: Certificate) -> None:
    secure = {"certificate": certificate, "transport": "tls"}
    async with (
        station(OURS_HZ, **with_tls(certificate)) as ours,
        baresip(tmp_path, THEIRS_HZ, ENCRYPTED, **secure) as peer,
    ):
        await converse(ours.dial(peer.uri, srtp="require"), peer)
        await peer.says(OVER)


async def test_a_callee_that_insists_on_srtp_refuses_a_plain_offer(tmp_path: Path, certificate: Certificate) -> None:
    async with (
        station(OURS_HZ, **with_tls(certificate)) as ours,
        baresip(tmp_path, THEIRS_HZ, ENCRYPTED, certificate=certificate, transport="tls") as peer,
    ):
        ended = await ours.dial(peer.uri, srtp="off").ended()
        assert ended.by in ("remote", "error") and (ended.status or 488) >= 400


async def test_a_stranger_s_certificate_is_not_taken(tmp_path: Path, certificate: Certificate) -> None:
    (tmp_path / "other").mkdir()
    options = with_tls(Certificate(tmp_path / "other"))
    async with (
        station(OURS_HZ, **options) as ours,
        baresip(tmp_path, THEIRS_HZ, ENCRYPTED, certificate=certificate, transport="tls") as peer,
    ):
        ended = await ours.dial(peer.uri, srtp="require").ended()
        assert ended.by == "error", ended
        assert "INVITE sip:" not in peer.said()


@pytest.mark.parametrize(
    ("codec", "name", "rate"), [("G722", "G722/16000/1", 16000), ("opus", "opus/48000/2", 48000)], ids=["G722", "Opus"]
)
@pytest.mark.parametrize("direction", ["out", "in"])
async def test_wideband(tmp_path: Path, codec: Codec, name: str, rate: int, direction: str) -> None:
    """Sound passes at the codec's rate; we hear and speak it at 8 kHz."""
    async with (
        station(OURS_HZ, codecs=(codec, "PCMA")) as ours,
        baresip(tmp_path, THEIRS_HZ, f"audio_codecs={name};answermode=auto", rate=rate) as peer,
    ):
        talk = await called(ours, peer.tell, direction, peer.uri)
        assert talk.call.session.agreed is not None and talk.call.session.agreed.codec == codec
        await talk.hears(THEIRS_HZ, 900)
        await peer.hears(OURS_HZ, 900)
        await talk.call.hangup()
        await peer.says(OVER)


async def called(ours: Station, tell, direction: str, uri: str) -> Talk:  # type: ignore[no-untyped-def]
    if direction == "out":
        talk = ours.dial(uri)
    else:
        await tell("dial", ours.uri)
        talk = await ours.call()
    await talk.answered()
    return talk


@pytest.mark.parametrize("theirs", ["mediaenc=srtp;answermode=auto", "answermode=auto"], ids=["both can", "we alone"])
async def test_srtp_where_both_ends_have_it(tmp_path: Path, theirs: str) -> None:
    """`offer`: keys beside a plain profile; whoever does not know them is spoken to in the clear."""
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ, theirs) as peer:
        talk = ours.dial(peer.uri, srtp="offer")
        await talk.answered()
        assert talk.call.session.agreed is not None
        assert (talk.call.session.agreed.keys is not None) == ("srtp" in theirs)
        await talk.hears(THEIRS_HZ, 600)
        await peer.hears(OURS_HZ, 900)
        await talk.call.hangup()
        await peer.says(OVER)
