"""Trunks over TCP and TLS with SRTP, and what legs do in a call: hold, digits, transfer. On loopback."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sip.transport import TlsSettings
from tests.voicebot.telephony.carriers import HOST, Carrier, Takes, answer, carriers, eventually, line_over, until
from voicebot.telephony.leg import Answered, Ended, Held, KeyPressed, Resumed, TransferWanted
from voicebot.telephony.sip_leg import SipLeg

NUMBER = "+8613800138000"


class Frames:
    """Counts 20 ms frames with sound in them, and sends some."""

    def __init__(self) -> None:
        self.loud = 0

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.loud += any(received)
        return b"\x10\x27\xf0\xd8" * 80


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for loopback that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carrier")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "carrier.pem", tmp_path / "carrier.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files


def tls_port(carrier: Carrier) -> int:
    stream = carrier.line._agent._transport.stream("TLS")
    assert stream is not None
    return stream.address[1]


def answer_with(port: Frames) -> Takes:
    async def take(leg: SipLeg) -> None:
        leg.connect(port)
        await leg.answer()

    return take


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_call_over_a_connection(transport: str, certificate: tuple[Path, Path]) -> None:
    ours, theirs = Frames(), Frames()
    settings = TlsSettings(*certificate)
    async with carriers(answer_with(theirs), tcp=True, tls=settings) as (carrier,):
        port = tls_port(carrier) if transport == "tls" else carrier.line.address[1]
        trunk = carrier.trunk(
            "carrier", port=port, transport=transport, srtp="require" if transport == "tls" else "off"
        )
        async with line_over([trunk], tls=TlsSettings(authorities=certificate[0])) as line:
            leg = await line.dial(NUMBER)
            leg.connect(ours)
            await until(Answered, leg)
            taken = carrier.taken[0].sip_call
            assert taken.hop is not None and taken.hop.protocol == transport.upper()
            if transport == "tls":
                assert taken.session.agreed is not None and taken.session.agreed.keys is not None
            await eventually(lambda: ours.loud > 10 and theirs.loud > 10)
            await leg.hang_up()


async def test_hold_digits_and_the_end_reach_the_other_side() -> None:
    async with carriers(answer) as (carrier,):
        for how in ("rfc4733", "info"):
            async with line_over([carrier.trunk("carrier", dtmf=how)]) as line:
                leg = await line.dial(NUMBER)
                leg.connect(Frames())
                await until(Answered, leg)
                far = carrier.taken[-1]
                await leg.hold()
                await until(Held, far)
                await leg.resume()
                await until(Resumed, far)
                leg.send_keys("5")
                pressed = await until(KeyPressed, far)
                assert pressed == KeyPressed("5")
                await leg.hang_up()
                await until(Ended, far)


async def test_a_transfer_that_the_other_side_wants_is_told_and_declined() -> None:
    async with carriers(answer) as (carrier,), line_over([carrier.trunk("carrier")]) as line:
        leg = await line.dial(NUMBER)
        await until(Answered, leg)
        assert not await carrier.taken[0].refer("sip:boss@192.0.2.9")
        wanted = await until(TransferWanted, leg)
        assert isinstance(wanted, TransferWanted) and wanted.target == "sip:boss@192.0.2.9"
        await leg.hang_up()


async def test_only_a_trunk_that_wants_it_refers() -> None:
    async with carriers(answer) as (carrier,):
        trunks = [carrier.trunk("hands-on", transfer="refer"), carrier.trunk("keeps")]
        async with line_over(trunks) as line:
            refers, keeps = await line.dial(NUMBER, trunk="hands-on"), await line.dial(NUMBER, trunk="keeps")
            straight = await line.dial(f"sip:x@{HOST}:{carrier.line.address[1]}")
            assert (refers.refers, keeps.refers, straight.refers, straight.trunk) == (True, False, False, None)
            for leg in (refers, keeps, straight):
                await until(Answered, leg)
                await leg.hang_up()


async def test_early_media_is_not_heard_where_the_trunk_says_so() -> None:
    async def play(leg: SipLeg) -> None:
        leg.connect(Frames())
        await leg.sip_call.progress()

    for early, heard in ((True, True), (False, False)):
        port = Frames()
        async with carriers(play) as (carrier,), line_over([carrier.trunk("carrier", early_media=early)]) as line:
            leg = await line.dial(NUMBER)
            leg.connect(port)
            await eventually(lambda carrier=carrier: bool(carrier.taken))
            if heard:
                await eventually(lambda port=port: port.loud > 5)
            else:
                await eventually(lambda carrier=carrier: carrier.taken[0].sip_call.media is not None)
                await leg.hang_up()
                assert port.loud == 0
            await leg.hang_up()
