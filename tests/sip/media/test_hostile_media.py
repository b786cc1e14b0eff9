"""Whatever arrives on the RTP port of any kind of call: the port hears 320 bytes per tick and the call goes on."""

import random

import pytest

from sip.codec import speech
from sip.rtp import RtpPacket, build_rtcp, build_rtp
from sip.sdp import Codec, Keys
from tests.sip.media.test_codecs_and_silence import NUMBERS, Peer, tone

KEYS = Keys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(range(30)))


def bad_datagram(chance: random.Random, codec: Codec, good: bytes) -> bytes:
    """Noise, a good packet with bytes changed or cut, or a header of ours with any payload."""
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        cut = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            cut[chance.randrange(len(cut))] = chance.randrange(256)
        return bytes(cut[: chance.randrange(len(cut) + 1)])
    if kind == 2:
        return bytes([0x80, chance.randrange(192, 224)]) + chance.randbytes(chance.randrange(120))
    if kind == 3:
        number = chance.choice([NUMBERS[codec], 101, 13, 0, 8, 127])
        packet = RtpPacket(number, chance.random() < 0.3, chance.randrange(65536), chance.randrange(2**32),
                           chance.choice([9, 10]), chance.randbytes(chance.choice([0, 1, 3, 4, 20, 160, 900])))
        return build_rtp(packet)
    return build_rtcp(chance.randrange(2**32), "x" * chance.randrange(300), None, None, goodbye=True)


@pytest.mark.parametrize("codec", ["PCMA", "G722", "opus"])
@pytest.mark.parametrize("mux", [False, True])
@pytest.mark.parametrize("keys", [None, KEYS])
async def test_no_datagram_stops_a_call(codec, mux, keys):
    peer, encoder, chance = Peer(), speech(codec), random.Random(f"{codec}{mux}")
    await peer.session.open()
    peer.agree(codec, rtcp_mux=mux, keys=keys)
    good = build_rtp(RtpPacket(NUMBERS[codec], False, 0, 0, 9, encoder.encode(tone(1000, 0))))
    for _ in range(40):
        for _ in range(6):
            data = bad_datagram(chance, codec, good)
            peer.sock.sendto(data, ("127.0.0.1", peer.session.local_port))
        peer.turn()
    assert {len(frame) for frame in peer.phone.heard} == {320}
    assert peer.session.stats.delay_ms <= 300
    assert peer.session.stats.sent == 40
    peer.session.close()
    peer.sock.close()
    if keys is not None:
        assert peer.session.stats.received == 0


@pytest.mark.parametrize("codec", ["PCMA", "G722", "opus"])
async def test_after_a_storm_speech_is_heard_again(codec):
    peer, encoder, chance = Peer(), speech(codec), random.Random(7)
    await peer.session.open()
    peer.agree(codec)
    frames = [encoder.encode(tone(1000, number)) for number in range(100)]
    for number, payload in enumerate(frames):
        good = build_rtp(RtpPacket(NUMBERS[codec], False, number, number * encoder.units, 9, payload))
        for _ in range(6 if number < 40 else 0):
            data = bad_datagram(chance, codec, good)
            peer.sock.sendto(data, ("127.0.0.1", peer.session.local_port))
        peer.sock.sendto(good, ("127.0.0.1", peer.session.local_port))
        peer.turn()
    assert peer.phone.hears(30) == pytest.approx(1000, abs=20)
    peer.session.close()
    peer.sock.close()
