"""Sessions in wide-band codecs, comfort noise, digits on another clock, peers that fall silent or move."""

import socket
from dataclasses import replace

import numpy as np
import pytest

from sip.codec import speech
from sip.media import SILENCE, MediaSession, MediaWheel, PortPool
from sip.rtp import RtpPacket, build_rtcp, build_rtp, parse_rtp
from sip.sdp import Codec, Negotiated

NUMBERS: dict[Codec, int] = {"PCMA": 8, "PCMU": 0, "G722": 9, "opus": 111}


def tone(hertz: float, tick: int) -> bytes:
    at = np.arange(tick * 160, (tick + 1) * 160)
    return (8000 * np.sin(2 * np.pi * hertz * at / 8000)).astype("<i2").tobytes()


class Phone:
    def __init__(self, hertz: float) -> None:
        self.hertz, self.heard = hertz, list[bytes]()

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.heard.append(received)
        return tone(self.hertz, tick)

    def hears(self, frames: int = 20) -> float:
        samples = np.frombuffer(b"".join(self.heard[-frames:]), "<i2").astype(float)
        return float(np.argmax(np.abs(np.fft.rfft(samples))) * 8000 / len(samples)) if samples.any() else 0.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Pair:
    """Two sessions that talk to each other, ticked in turn."""

    def __init__(self) -> None:
        self.clock, self.ticks = Clock(), 0
        self.wheel = MediaWheel(self.clock)
        pool = PortPool(47_500, 47_900)
        self.phones = Phone(500), Phone(1500)
        self.sessions = [MediaSession(self.wheel, "127.0.0.1", pool, port=phone) for phone in self.phones]

    async def open(self) -> None:
        for session in self.sessions:
            await session.open()

    def agree(self, codec: Codec, **more: object) -> None:
        for session, other in (self.sessions, self.sessions[::-1]):
            agreed = Negotiated(("127.0.0.1", other.local_port), codec, NUMBERS[codec], 101,
                                event_clock=48_000 if codec == "opus" else 8000)
            session.start(replace(agreed, **more))  # type: ignore[arg-type]

    def turn(self, ticks: int) -> None:
        for _ in range(ticks):
            self.clock.now += 0.02
            for session in self.sessions:
                session.tick(self.ticks)
            self.ticks += 1

    def close(self) -> None:
        for session in self.sessions:
            session.close()


@pytest.fixture
async def pair():
    made = Pair()
    await made.open()
    yield made
    made.close()


@pytest.mark.parametrize("codec", ["PCMA", "G722", "opus"])
async def test_both_hear_each_other_and_each_others_digits(pair, codec):
    pressed: list[tuple[str, int]] = []
    pair.agree(codec)
    pair.sessions[1].on_dtmf = lambda digit, duration_ms: pressed.append((digit, duration_ms))
    pair.sessions[0].send_dtmf("7")
    pair.turn(60)
    assert [phone.hears() for phone in pair.phones] == [1500, 500]
    assert pressed == [("7", 160)]
    figures = pair.sessions[0].stats
    assert (figures.lost, figures.late, figures.discarded) == (0, 0, 0)
    assert figures.delay_ms <= 60


async def test_a_call_changes_its_codec_and_its_clock(pair):
    pair.agree("PCMA")
    pair.turn(30)
    pair.agree("opus")
    pair.turn(50)
    assert [phone.hears() for phone in pair.phones] == [1500, 500]
    pair.agree("G722")
    pair.turn(50)
    assert [phone.hears() for phone in pair.phones] == [1500, 500]


class Peer:
    """A bare socket opposite one session."""

    def __init__(self) -> None:
        self.clock, self.ticks = Clock(), 0
        self.phone = Phone(440)
        self.session = MediaSession(MediaWheel(self.clock), "127.0.0.1", PortPool(48_000, 48_400), port=self.phone)
        self.sock = self.new_socket()
        self.silent: list[float] = []
        self.session.on_silent = lambda: self.silent.append(self.clock.now)

    def new_socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        return sock

    def agree(self, codec: Codec = "PCMA", **more: object) -> None:
        agreed = Negotiated(self.sock.getsockname(), codec, NUMBERS[codec], 101)
        self.session.start(replace(agreed, **more))  # type: ignore[arg-type]

    def send(self, kind: int, number: int, payload: bytes, sock: socket.socket | None = None, ssrc: int = 9) -> None:
        data = build_rtp(RtpPacket(kind, False, number, number * 160, ssrc, payload))
        (sock or self.sock).sendto(data, ("127.0.0.1", self.session.local_port))

    def turn(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.clock.now += 0.02
            self.session.tick(self.ticks)
            self.ticks += 1


@pytest.fixture
async def peer():
    made = Peer()
    await made.session.open()
    yield made
    made.session.close()
    made.sock.close()


async def test_lost_opus_packets_are_concealed(peer):
    encoder = speech("opus")
    peer.agree("opus")
    for number in range(40):
        payload = encoder.encode(tone(1000, number))
        if number != 30:
            data = build_rtp(RtpPacket(111, number == 0, number, number * 960, 9, payload))
            peer.sock.sendto(data, ("127.0.0.1", peer.session.local_port))
        peer.turn()
    assert peer.session.stats.concealed == 1
    assert SILENCE not in peer.phone.heard[6:]


async def test_comfort_noise_is_heard_quietly_until_speech_comes(peer):
    peer.agree()
    for number in range(10):
        peer.send(8, number, bytes([0x55 ^ 0x2A]) * 160)
        peer.turn()
    peer.send(13, 10, bytes([50]))
    peer.turn(30)
    pause = np.frombuffer(b"".join(peer.phone.heard[-10:]), "<i2").astype(float)
    assert 60 < np.sqrt((pause**2).mean()) < 170, "50 dB under full scale is 104"
    for number in range(60, 80):
        peer.send(8, number, bytes([0xD5]) * 160)
        peer.turn()
    assert np.abs(np.frombuffer(peer.phone.heard[-1], "<i2")).max() < 20


async def test_a_silent_peer_is_told_of_after_30_seconds(peer):
    peer.agree()
    peer.send(8, 0, bytes(160))
    peer.turn(1400)
    assert peer.silent == []
    peer.turn(200)
    assert len(peer.silent) == 1 and 30 <= peer.silent[0] <= 31.1


@pytest.mark.parametrize("direction", ["sendonly", "recvonly", "inactive"])
async def test_on_hold_nobody_need_speak_and_resuming_starts_the_time_anew(peer, direction):
    peer.agree()
    peer.turn(1000)
    peer.agree(direction=direction)
    peer.turn(3000)
    assert peer.silent == []
    peer.agree()
    peer.turn(1400)
    assert peer.silent == []
    peer.turn(200)
    assert len(peer.silent) == 1


async def test_reports_are_a_sign_of_life(peer):
    peer.agree(rtcp_mux=True)
    for _ in range(20):
        peer.sock.sendto(build_rtcp(9, "peer", None, None), ("127.0.0.1", peer.session.local_port))
        peer.turn(100)
    assert peer.silent == []


async def test_a_stream_that_moves_after_a_pause_is_followed_and_a_stranger_is_not(peer):
    peer.agree()
    real, stranger = peer.new_socket(), peer.new_socket()
    for number in range(10):
        peer.send(8, number, bytes(160))
        peer.turn()
    peer.send(8, 11, bytes(160), real)
    peer.turn()
    assert peer.session.remote == peer.sock.getsockname(), "nobody moves in the middle of speech"
    peer.turn(260)
    peer.send(8, 12, bytes(160), stranger, ssrc=10)
    peer.turn()
    assert peer.session.remote == peer.sock.getsockname()
    peer.send(8, 13, bytes(160), real)
    peer.turn()
    assert peer.session.remote == real.getsockname()
    real.close()
    stranger.close()


async def test_reports_go_where_the_peer_reads_them(peer):
    reader = peer.new_socket()
    peer.agree(rtcp=reader.getsockname())
    peer.turn(260)
    assert reader.recv(2048)[1] == 200
    with pytest.raises(BlockingIOError):
        while True:
            parse_rtp(peer.sock.recv(2048))
    reader.close()
