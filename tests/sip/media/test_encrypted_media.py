"""SRTP on a session: keys, forgery, replay, the turn of the sequence number, and RTCP."""

import itertools
import socket
from collections.abc import AsyncIterator

import pytest

from sip.codec import PCMA
from sip.media import MediaSession, MediaWheel, PortPool
from sip.media.reports import INTERVAL_TICKS
from sip.media.shield import Shield
from sip.rtp import RtpPacket, build_rtcp, build_rtp, parse_rtcp, parse_rtp
from sip.sdp import Keys, Negotiated

OURS, THEIRS = bytes(range(30)), bytes(range(100, 130))
LOUD = PCMA.encode(b"\x00\x40" * 160)


class Ear:
    def __init__(self) -> None:
        self.loud = 0

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.loud += int.from_bytes(received[160:162], "little", signed=True) > 10_000
        return None


class Rig:
    """A session with keys, and its peer on a bare socket with the same keys the other way round."""

    def __init__(self, suite: str = "AES_CM_128_HMAC_SHA1_80") -> None:
        self.now = 0.0
        self.ear = Ear()
        self.keys = Keys(suite, OURS, THEIRS)  # type: ignore[arg-type]
        self.session = MediaSession(MediaWheel(lambda: self.now), "127.0.0.1", PortPool(47_000, 47_400), port=self.ear)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind(("127.0.0.1", 0))
        self.peer.setblocking(False)
        self.shield = Shield(Keys(suite, THEIRS, OURS))  # type: ignore[arg-type]
        self.ticks = itertools.count()

    def agree(self, direction: str = "sendrecv", *, mux: bool = False) -> None:
        remote = self.peer.getsockname()
        self.session.start(Negotiated(remote, "PCMA", 8, 101, direction, keys=self.keys, rtcp_mux=mux))  # type: ignore[arg-type]

    def send(self, data: bytes) -> None:
        self.peer.sendto(data, ("127.0.0.1", self.session.local_port))

    def speak(self, number: int) -> bytes:
        packet = RtpPacket(8, False, number & 0xFFFF, (number * 160) & 0xFFFFFFFF, 77, LOUD)
        data = self.shield.protect(build_rtp(packet))
        self.send(data)
        return data

    def turn(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.now += 0.02
            self.session.tick(next(self.ticks))

    def got(self) -> list[bytes]:
        packets = []
        while True:
            try:
                packets.append(self.peer.recv(2048))
            except BlockingIOError:
                return packets


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    await made.session.open()
    made.agree()
    yield made
    made.session.close()
    made.peer.close()


async def test_speech_is_encrypted_both_ways(rig):
    for number in range(30):
        rig.speak(number)
        rig.turn()
    sent = rig.got()
    assert rig.ear.loud >= 27
    assert len(sent) == 30 and all(len(each) == 12 + 160 + 10 for each in sent)
    assert PCMA.silent_frame not in sent[0]
    plain = [rig.shield.unprotect(each) for each in sent]
    assert [parse_rtp(each).payload for each in plain if each] == [PCMA.silent_frame] * 30


async def test_plain_forged_and_replayed_packets_are_dropped_and_counted(rig):
    first = rig.speak(0)
    rig.turn(5)
    before = rig.ear.loud
    rig.send(build_rtp(RtpPacket(8, False, 1, 160, 77, LOUD)))
    rig.send(first)
    rig.send(Shield(Keys("AES_CM_128_HMAC_SHA1_80", bytes(30), OURS)).protect(
        build_rtp(RtpPacket(8, False, 1, 160, 77, LOUD))))
    rig.send(b"\x80\x08" + bytes(2000))
    rig.turn(5)
    assert rig.ear.loud == before
    assert rig.session.stats.discarded == 4
    assert rig.session.stats.received == 1


async def test_the_counter_above_the_sequence_number_turns_with_it(rig):
    for number in range(65_500, 65_600):
        rig.speak(number)
        rig.turn()
    assert rig.ear.loud >= 97
    assert rig.session.stats.discarded == 0


async def test_hold_keeps_the_context_so_that_old_packets_stay_refused(rig):
    old = [rig.speak(number) for number in range(10)]
    rig.turn(10)
    rig.agree("sendonly")
    rig.agree("sendrecv")
    for data in old:
        rig.send(data)
    rig.turn(10)
    assert rig.session.stats.received == 10
    assert rig.session.stats.discarded == 10


async def test_proof_of_the_key_moves_the_call_to_another_address(rig):
    rig.speak(0)
    rig.turn()
    moved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    moved.bind(("127.0.0.1", 0))
    stranger_data = build_rtp(RtpPacket(8, False, 1, 160, 77, LOUD))
    moved.sendto(stranger_data, ("127.0.0.1", rig.session.local_port))
    rig.turn()
    assert rig.session.remote == rig.peer.getsockname()
    moved.sendto(rig.shield.protect(stranger_data), ("127.0.0.1", rig.session.local_port))
    rig.turn()
    assert rig.session.remote == moved.getsockname()
    moved.close()


async def test_reports_are_encrypted_on_the_shared_port(rig):
    rig.agree(mux=True)
    heard = build_rtcp(77, "peer", None, None)
    rig.speak(0)
    rig.send(rig.shield.protect_rtcp(heard))
    rig.turn(INTERVAL_TICKS)
    reports = [each for each in rig.got() if 192 <= each[1] <= 223]
    assert reports
    told = parse_rtcp(rig.shield.unprotect_rtcp(reports[0]) or b"")
    assert told.sender is not None
    assert rig.session.stats.discarded == 0
    assert Shield(Keys("AES_CM_128_HMAC_SHA1_80", OURS, THEIRS)).unprotect_rtcp(reports[0]) is None


async def test_the_short_tag():
    rig = Rig("AES_CM_128_HMAC_SHA1_32")
    await rig.session.open()
    rig.agree()
    for number in range(10):
        rig.speak(number)
        rig.turn()
    assert rig.ear.loud >= 7
    assert {len(each) for each in rig.got()} == {12 + 160 + 4}
    rig.session.close()
    rig.peer.close()


def test_a_new_key_of_the_peer_leaves_our_keystream_where_it_was():
    """Else packets after a turn of the sequence number are encrypted with a keystream that was used before."""
    suite = "AES_CM_128_HMAC_SHA1_80"
    peer = Shield(Keys(suite, THEIRS, OURS))
    ours = Shield(Keys(suite, OURS, THEIRS))

    def sent(shield: Shield, number: int) -> bytes:
        return shield.protect(build_rtp(RtpPacket(8, False, number & 0xFFFF, number * 160, 5, LOUD)))

    before = [sent(ours, number) for number in range(65_530, 65_545)]
    assert all(peer.unprotect(packet) for packet in before)
    renewed = Shield(Keys(suite, OURS, bytes(range(60, 90))), ours)
    assert peer.unprotect(sent(renewed, 65_545)) is not None, "the peer counts on"
    other = Shield(Keys(suite, bytes(range(50, 80)), THEIRS), renewed)
    assert peer.unprotect(sent(other, 65_546)) is None, "a key of ours that changed is another one"
