"""Sound between browser and line: jitter, drift, loss, and what of a tone is left after both codecs."""

from __future__ import annotations

import random

import numpy as np
from av.packet import Packet
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.audio.frames import FRAME_BYTES, RATE
from voicebot.softphone.headset import Headset
from voicebot.softphone.jitter import LONGEST, SHORTEST, SLOT, JitterBuffer
from voicebot.softphone.opus import OpusDecoder, OpusEncoder


def tone(hz: float, frames: int, level: int = 8000) -> list[bytes]:
    t = np.arange(frames * 160) / RATE
    pcm = (level * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]


def packets(frames: list[bytes]) -> list[bytes]:
    encoder = OpusEncoder()
    return [bytes(packet) for tick, frame in enumerate(frames) for packet in encoder.encode(frame, tick)]


def strength(pcm: bytes, hz: float, rate: int = RATE) -> float:
    """Amplitude of one frequency, the median of 50 ms windows: a frame left out or made up shifts the phase once."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    windows = samples[: samples.size // (rate // 20) * (rate // 20)].reshape(-1, rate // 20)
    probe = np.exp(-2j * np.pi * hz * np.arange(rate // 20) / rate)
    return float(np.median(2 * np.abs(windows @ probe) / (rate // 20))) if windows.size else 0.0


def played(arrivals: list[tuple[float, int]], ticks: int) -> tuple[JitterBuffer, list[int | None]]:
    """Play packets (arrival in ticks, number) through a buffer; the numbers that came out, None for a gap."""
    buffer, waiting, out = JitterBuffer(), sorted(arrivals), []
    for tick in range(ticks):
        while waiting and waiting[0][0] <= tick:
            number = waiting.pop(0)[1]
            buffer.push(number * SLOT % (1 << 32), number.to_bytes(4, "big"))
        payload = buffer.pop()
        if buffer.surplus:
            payload = buffer.shorten()
        out.append(int.from_bytes(payload, "big") if payload is not None else None)
    return buffer, out


def test_an_even_stream_comes_out_whole_forty_milliseconds_later() -> None:
    _, out = played([(number, number) for number in range(200)], 202)
    assert out == [None] * SHORTEST + list(range(200))


def test_swapped_and_doubled_packets_come_out_in_order_once() -> None:
    arrivals = [(float(number), number) for number in range(100)]
    arrivals[10], arrivals[11] = (11.2, 10), (10.1, 11)
    arrivals += [(50.5, 50), (60.5, 59)]
    _, out = played(arrivals, 105)
    assert [number for number in out if number is not None] == list(range(100))


def test_the_buffer_grows_with_jitter_and_shrinks_when_it_is_over() -> None:
    chance = random.Random(7)
    rough = [(number + chance.uniform(0, 4.5), number) for number in range(500)]
    calm = [(float(number), number) for number in range(500, 1400)]
    buffer, out = played(rough, 500)
    assert buffer.stretched > 0 and buffer.depth > SHORTEST
    assert sum(number is None for number in out[150:]) < 12
    buffer, out = played(rough + calm, 1400)
    assert buffer.depth <= SHORTEST + 1
    heard = [number for number in out if number is not None]
    assert heard == sorted(set(heard)) and len(heard) > 1360


def test_a_fast_and_a_slow_browser_clock_are_followed() -> None:
    for rate in (0.998, 1.002):  # two per mille, twenty times what a bad sound card has
        buffer, out = played([(number * rate, number) for number in range(10_000)], 9_900)
        gaps = sum(number is None for number in out)
        assert buffer.depth <= LONGEST
        assert gaps + buffer.dropped < 60
        assert max(number for number in out if number is not None) > 9_800


def test_what_piled_up_during_a_stall_is_left_out_at_once() -> None:
    stalled = [(number if number < 100 or number > 125 else 125.5, number) for number in range(200)]
    buffer, out = played(stalled, 160)
    after = out[126:]
    assert buffer.depth <= LONGEST and buffer.dropped >= 15
    assert next(number for number in after if number is not None) > 115
    assert after[-1] is not None and after[-1] >= 159 - LONGEST


def test_a_pause_begins_a_new_timeline() -> None:
    first = [(float(number), number) for number in range(100)]
    second = [(200.0 + number, 5_000 + number) for number in range(100)]
    _, out = played(first + second, 310)
    assert [number for number in out if number is not None] == [*range(100), *range(5_000, 5_100)]


def test_time_stamps_wrap() -> None:
    buffer = JitterBuffer()
    out = []
    start = (1 << 32) - 10 * SLOT
    for number in range(40):
        buffer.push((start + number * SLOT) % (1 << 32), bytes([number]))
        out.append(buffer.pop())
    assert [payload[0] for payload in out if payload] == list(range(38))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, (1 << 32) - 1), st.binary(max_size=8)), max_size=80))
def test_no_stream_whatsoever_breaks_or_fills_it(stream: list[tuple[int, bytes]]) -> None:
    buffer = JitterBuffer()
    for stamp, payload in stream:
        buffer.push(stamp, payload)
        buffer.pop()
        assert len(buffer._packets) <= 60


def test_a_tone_survives_the_codec() -> None:
    decoder = OpusDecoder()
    pcm = b"".join(decoder.frame(packet) for packet in packets(tone(440, 100)))
    assert len(pcm) == 100 * FRAME_BYTES
    heard = pcm[20 * FRAME_BYTES :]
    assert 7000 < strength(heard, 440) < 9000
    assert strength(heard, 880) < 300


def test_a_gap_fades_and_then_falls_silent() -> None:
    decoder = OpusDecoder()
    for packet in packets(tone(440, 20)):
        decoder.frame(packet)
    peaks = [int(np.abs(np.frombuffer(decoder.frame(None), "<i2").astype(int)).max()) for _ in range(6)]
    assert peaks[0] > peaks[1] > peaks[2] > 0 and peaks[3:] == [0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_bytes_that_are_no_opus_harm_only_themselves(rubbish: bytes) -> None:
    decoder = OpusDecoder()
    assert len(decoder.frame(rubbish)) == FRAME_BYTES
    after = b"".join(decoder.frame(packet) for packet in packets(tone(440, 40)))
    assert strength(after[20 * FRAME_BYTES :], 440) > 6000


def test_a_headset_carries_both_ways_and_survives_a_change_of_browsers() -> None:
    headset, sent = Headset(), list[Packet]()
    assert headset.exchange(tone(500, 1)[0], 0) is None
    headset.plug(sent.append)
    spoken = packets(tone(900, 50))
    said = b""
    for tick, frame in enumerate(tone(500, 50), 1):
        headset.take(tick * SLOT, spoken[tick - 1])
        said += headset.exchange(frame, tick) or b""
    assert strength(said[20 * FRAME_BYTES :], 900) > 7000
    assert [packet.pts for packet in sent] == [tick * 960 for tick in range(1, 51)]
    headset.plug(None)
    assert headset.exchange(tone(500, 1)[0], 51) is None and len(sent) == 50
