"""Media sessions on loopback sockets, driven tick by tick without waiting for a clock."""

import itertools
import random
import socket
from collections.abc import AsyncIterator

import numpy as np
import pytest

from sip.codec import PCMA, PCMU
from sip.media import SILENCE, MediaSession, MediaWheel, PortPool, PortsExhaustedError
from sip.rtp import RtpPacket, build_rtp, parse_rtp
from sip.sdp import Negotiated

POOL = PortPool(42_000, 44_999)


def tone(hertz: float, tick: int, level: int = 8000) -> bytes:
    at = np.arange(tick * 160, (tick + 1) * 160)
    return (level * np.sin(2 * np.pi * hertz * at / 8000)).astype("<i2").tobytes()


def strongest(pcm: bytes) -> float:
    """The loudest frequency in Hz; 0 for silence."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    if not samples.any():
        return 0.0
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 8000 / len(samples))


class Phone:
    """A port that plays a tone and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self.hertz = hertz
        self.heard: list[bytes] = []

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.heard.append(received)
        return tone(self.hertz, tick)

    def last(self, frames: int = 20) -> float:
        return strongest(b"".join(self.heard[-frames:]))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """One session and a bare socket as its peer."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wheel = MediaWheel(self.clock)
        self.phone = Phone(440)
        self.session = MediaSession(self.wheel, "127.0.0.1", POOL, port=self.phone)
        self.peer = self.new_socket()
        self.ticks = 0
        self.sequence = 0

    def new_socket(self) -> socket.socket:
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        return peer

    async def begin(self, codec: str = "PCMA", **more: object) -> None:
        await self.session.open()
        self.start(codec, **more)

    def start(self, codec: str = "PCMA", direction: str = "sendrecv", events: int | None = 101) -> None:
        kind = {"PCMA": 8, "PCMU": 0}[codec]
        self.session.start(Negotiated(self.peer.getsockname(), codec, kind, events, direction))  # type: ignore[arg-type]

    def send(self, data: bytes, source: socket.socket | None = None) -> None:
        (source or self.peer).sendto(data, ("127.0.0.1", self.session.local_port))

    def speak(self, hertz: float = 1000, *, kind: int = 8, source: socket.socket | None = None) -> None:
        codec = PCMA if kind == 8 else PCMU
        payload = codec.encode(tone(hertz, self.sequence))
        number = self.sequence
        self.send(build_rtp(RtpPacket(kind, False, number & 0xFFFF, number * 160, 77, payload)), source)
        self.sequence += 1

    def turn(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.clock.now += 0.02
            self.session.tick(self.ticks)
            self.ticks += 1

    def talk(self, ticks: int, hertz: float = 1000, *, kind: int = 8) -> None:
        for _ in range(ticks):
            self.speak(hertz, kind=kind)
            self.turn()

    def got(self, source: socket.socket | None = None) -> list[RtpPacket]:
        packets = []
        while True:
            try:
                packets.append(parse_rtp((source or self.peer).recv(2048)))
            except BlockingIOError:
                return packets


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    made.session.close()
    made.peer.close()


@pytest.mark.parametrize(("codec", "kind"), [("PCMA", 8), ("PCMU", 0)])
async def test_speech_goes_both_ways(rig, codec, kind):
    await rig.begin(codec)
    rig.talk(40, kind=kind)
    assert rig.phone.last() == 1000
    packets = rig.got()
    assert len(packets) == 40
    assert {each.payload_type for each in packets} == {kind}
    decode = (PCMA if kind == 8 else PCMU).decode
    assert strongest(b"".join(decode(each.payload) for each in packets[-20:])) == pytest.approx(440, abs=3)


async def test_packets_are_numbered_evenly_and_marked_once(rig):
    await rig.begin()
    rig.turn(30)
    packets = rig.got()
    assert [each.marker for each in packets] == [True] + [False] * 29
    steps = {((b.sequence - a.sequence) & 0xFFFF, (b.timestamp - a.timestamp) & 0xFFFFFFFF)
             for a, b in itertools.pairwise(packets)}
    assert steps == {(1, 160)}


async def test_without_a_port_the_peer_hears_silence_so_that_nat_and_trunk_stay_open(rig):
    await rig.begin()
    rig.session.set_port(None)
    rig.turn(5)
    assert [each.payload for each in rig.got()] == [PCMA.silent_frame] * 5


@pytest.mark.parametrize(("direction", "hears", "sends"), [
    ("sendrecv", True, True), ("sendonly", False, True), ("recvonly", True, False),
    ("inactive", False, False)])
async def test_direction_is_obeyed_and_the_port_keeps_time(rig, direction, hears, sends):
    await rig.begin(direction=direction)
    rig.talk(20)
    assert len(rig.phone.heard) == 20
    assert (rig.phone.last(10) == 1000) is hears
    assert (len(rig.got()) == 20) is sends


async def test_hold_and_resume_with_another_codec(rig):
    await rig.begin("PCMA")
    rig.talk(10)
    rig.start("PCMA", "inactive")
    rig.turn(50)
    assert rig.phone.heard[-40:] == [SILENCE] * 40
    rig.got()
    rig.start("PCMU")
    rig.talk(30, kind=0)
    assert rig.phone.last() == 1000
    packets = rig.got()
    assert packets[0].payload_type == 0
    assert packets[0].marker


async def test_a_peer_that_changes_to_the_other_law_unasked_is_understood(rig):
    await rig.begin("PCMA")
    rig.talk(30, kind=0)
    assert rig.phone.last() == 1000


async def test_lost_packets_are_concealed_and_counted(rig):
    await rig.begin()
    rig.talk(20)
    rig.sequence += 1
    rig.turn()
    gaps = []
    for _ in range(20):
        rig.talk(1)
        gaps.append(rig.session.gap)
    assert gaps.count(True) == 1
    stats = rig.session.stats
    assert (stats.sent, stats.received, stats.lost, stats.concealed, stats.late) == (41, 40, 1, 1, 0)
    assert SILENCE not in rig.phone.heard[5:]


GARBAGE = [b"", b"\x80", bytes(7), bytes(11), b"\x80\x08", bytes(172), b"\xff" * 172,
           b"\x80\x63" + bytes(170),
           b"\x00\x01\x00\x00!\x12\xa4B" + bytes(12), b"\xa0\x08" + bytes(10), b"\x80\xe5" + bytes(10),
           b"\x90\x08" + bytes(12) + b"\xff", b"\x80\xe5" + bytes(10) + b"@", b"\x80\xc9\x00\x01abcd",
           b"INVITE sip:x SIP/2.0"]


async def test_garbage_from_the_peer_harms_nothing(rig):
    await rig.begin()
    rig.talk(10)
    chance = random.Random(5)
    for _ in range(60):
        for junk in GARBAGE:
            rig.send(junk)
        rig.send(b"\x80\x08" + chance.randbytes(60_000))
        rig.send(chance.randbytes(chance.randint(0, 300)))
        rig.talk(1)
    assert rig.phone.last(10) == 1000
    assert rig.session.stats.discarded > 500


async def test_what_looks_like_srtp_is_played_without_harm(rig):
    await rig.begin()
    for number in range(50):
        rig.send(build_rtp(RtpPacket(8, False, number, number * 160, 7, bytes(170))))
        rig.turn()
    assert all(len(each) == 320 for each in rig.phone.heard)


async def test_one_timestamp_of_the_far_future_costs_one_frame(rig):
    await rig.begin()
    rig.talk(20)
    rig.send(build_rtp(RtpPacket(8, False, rig.sequence, rig.sequence * 160 + 200_000_000, 77, bytes(160))))
    rig.sequence += 1
    rig.turn()
    rig.talk(30)
    assert rig.phone.last() == 1000


async def test_a_stranger_is_not_heard_and_gets_nothing(rig):
    await rig.begin()
    rig.talk(10)
    stranger = rig.new_socket()
    for _ in range(20):
        rig.speak(3000, source=stranger)
        rig.sequence -= 1
        rig.talk(1)
    assert rig.phone.last(15) == 1000
    assert rig.got(stranger) == []
    rig.turn(3)
    assert rig.session.stats.discarded == 20
    stranger.close()


async def test_media_follows_the_source_behind_a_nat(rig):
    await rig.begin()
    real = rig.new_socket()
    for _ in range(20):
        rig.speak(source=real)
        rig.turn()
    assert rig.session.remote == real.getsockname()
    assert rig.phone.last(10) == 1000
    assert len(rig.got(real)) == 20
    real.close()


async def test_digits_are_sent_instead_of_speech_and_told_by_the_other_end(rig):
    await rig.begin()
    pressed = []
    rig.session.on_dtmf = lambda digit, duration_ms: pressed.append((digit, duration_ms))
    rig.session.send_dtmf("4#")
    rig.turn(40)
    packets = rig.got()
    assert len(packets) == 40
    events = [each for each in packets if each.payload_type == 101]
    assert [each.payload[0] for each in events] == [4] * 11 + [11] * 11
    for each in events:  # what we send we also understand
        rig.send(build_rtp(each))
        rig.turn()
    assert pressed == [("4", 160), ("#", 160)]


async def test_digits_without_a_negotiated_event_type_wait(rig):
    await rig.begin(events=None)
    rig.session.send_dtmf("1")
    rig.turn(5)
    assert {each.payload_type for each in rig.got()} == {8}


async def test_a_callback_that_raises_does_not_end_the_call(rig, caplog):
    await rig.begin()

    class Broken:
        def exchange(self, received: bytes, tick: int) -> bytes | None:
            raise ValueError("no model")

    def refuse(digit: str, duration_ms: int) -> None:
        raise ValueError(digit)

    rig.session.set_port(Broken())
    rig.session.on_dtmf = refuse
    rig.send(build_rtp(RtpPacket(101, True, 0, 0, 7, b"\x01\x8a\x03\x20")))
    rig.turn(50)
    assert [each.payload for each in rig.got()] == [PCMA.silent_frame] * 50
    assert len(caplog.records) <= 4


async def test_a_port_that_returns_the_wrong_length_is_silence(rig):
    await rig.begin()

    class Short:
        def exchange(self, received: bytes, tick: int) -> bytes | None:
            return b"abc"

    rig.session.set_port(Short())
    rig.turn(3)
    assert [each.payload for each in rig.got()] == [PCMA.silent_frame] * 3


async def test_a_stall_of_the_process_adds_no_delay(rig):
    await rig.begin()
    rig.talk(30)
    for _ in range(25):
        rig.speak()
    rig.ticks += 24
    rig.turn()
    rig.talk(50)
    assert rig.session.stats.delay_ms <= 60
    packets = rig.got()
    gap = (packets[30].timestamp - packets[29].timestamp) & 0xFFFFFFFF
    assert (gap, packets[30].marker) == (25 * 160, True)


async def test_silence_is_measured_since_the_last_packet(rig):
    await rig.begin()
    rig.talk(5)
    rig.turn(100)
    assert rig.session.stats.silence_s == pytest.approx(2.0, abs=0.05)


async def test_hold_by_the_old_null_address_sends_nothing(rig):
    await rig.begin()
    rig.turn(3)
    rig.session.start(Negotiated(("0.0.0.0", 4000), "PCMA", 8, 101))
    rig.turn(10)
    assert len(rig.got()) == 3


async def test_opening_and_closing_gives_sockets_and_ports_back(rig):
    pool = PortPool(45_000, 45_003, quarantine_s=0)
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 45_001))
    for _ in range(3):
        session = MediaSession(rig.wheel, "127.0.0.1", pool)
        await session.open()
        assert session.local_port == 45_002
        session.close()
        session.close()
    assert pool.in_use == 0
    other = MediaSession(rig.wheel, "127.0.0.1", pool)
    await other.open()
    with pytest.raises(PortsExhaustedError):
        await MediaSession(rig.wheel, "127.0.0.1", pool).open()
    other.close()
    taken.close()


async def test_an_address_that_is_not_ours_is_an_error_and_leaks_no_port(rig):
    pool = PortPool(45_100, 45_110)
    with pytest.raises(OSError, match="assign"):
        await MediaSession(rig.wheel, "203.0.113.77", pool).open()
    assert pool.in_use == 0
