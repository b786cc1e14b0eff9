"""Jitter buffer: order out, bounded delay, loss shown, strays and restarts survived."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.codec import PCMA
from sip.rtp import JitterBuffer, RtpPacket

FLOOR, CEILING = 2, 10


def buffer() -> JitterBuffer:
    return JitterBuffer(PCMA.silence, PCMA.magnitude, floor=FLOOR, ceiling=CEILING)


def frame(number: int, *, loud: bool = True) -> bytes:
    """160 codes that name their number; loud ones (A-law magnitude bits set) are never dropped as quiet."""
    body = number.to_bytes(4)
    return body + (b"\x2a" if loud else b"\xd5") * 156


def packet(number: int, *, ssrc: int = 7, start: int = 1000, marker: bool = False, offset: int = 0,
           loud: bool = True) -> RtpPacket:
    timestamp = (start + 160 * number + offset) & 0xFFFFFFFF
    return RtpPacket(8, marker, (number + offset) & 0xFFFF, timestamp, ssrc, frame(number, loud=loud))


def number(payload: bytes | None) -> int | None:
    return None if payload is None else int.from_bytes(payload[:4])


def play(arrivals: dict[int, list[RtpPacket]], ticks: int,
         jitter: JitterBuffer | None = None) -> list[int | None]:
    """What comes out at each tick when `arrivals[tick]` come in just before it."""
    jitter = jitter or buffer()
    heard = []
    for tick in range(ticks):
        for each in arrivals.get(tick, []):
            jitter.push(each)
        heard.append(number(jitter.pop()))
    return heard


def test_an_even_stream_comes_out_in_order_after_the_floor():
    heard = play({tick: [packet(tick)] for tick in range(200)}, 200)
    assert heard == [None] * FLOOR + list(range(200 - FLOOR))


def test_timestamp_and_sequence_wrap_unnoticed():
    start = 0xFFFFFFFF - 160 * 50
    heard = play({tick: [packet(tick, start=start)] for tick in range(100)}, 100)
    assert heard[FLOOR:] == list(range(100 - FLOOR))


def test_a_lost_packet_is_one_empty_frame():
    heard = play({tick: [packet(tick)] for tick in range(50) if tick != 20}, 50)
    assert heard[20 + FLOOR] is None
    assert [each for each in heard if each is not None] == [n for n in range(48) if n != 20]


def test_neighbours_that_changed_places_come_out_in_order():
    arrivals = {tick: [packet(tick)] for tick in range(50)}
    arrivals[20], arrivals[21] = [packet(21)], [packet(20)]
    assert play(arrivals, 50)[FLOOR:] == list(range(50 - FLOOR))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.floats(0, 0.3))
def test_whatever_the_network_does_frames_are_in_order_once_and_not_late(seed, spread, loss):
    chance = random.Random(seed)
    arrivals: dict[int, list[RtpPacket]] = {}
    sent_at = {}
    for sent in range(300):
        if chance.random() < loss:
            continue
        arrivals.setdefault(sent + chance.randint(0, spread), []).append(packet(sent))
        sent_at[sent] = sent
    for batch in arrivals.values():
        chance.shuffle(batch)
    heard = play(arrivals, 330)
    numbers = [each for each in heard if each is not None]
    assert numbers == sorted(set(numbers))
    for tick, each in enumerate(heard):
        if each is not None:
            assert 0 <= tick - sent_at[each] <= spread + CEILING + 1
    if spread <= FLOOR:
        assert len(numbers) >= len(sent_at) - spread - 1


def test_a_jittery_network_is_waited_for_after_the_second_late_packet():
    chance = random.Random(1)
    arrivals: dict[int, list[RtpPacket]] = {}
    for sent in range(400):
        arrivals.setdefault(sent + chance.randint(0, 6), []).append(packet(sent))
    jitter = buffer()
    play(arrivals, 100, jitter)
    late_at_first = jitter.late
    play({tick: arrivals.get(tick + 100, []) for tick in range(300)}, 300, jitter)
    assert late_at_first < 10
    assert jitter.late - late_at_first < 6


def test_delay_returns_to_the_floor_when_the_network_calms_down():
    jitter = buffer()
    arrivals = {tick: [packet(tick)] for tick in range(40)}
    arrivals |= {50: [packet(n) for n in range(40, 51)]}  # the network held everything for 200 ms
    arrivals |= {tick: [packet(tick, loud=tick % 2 == 0)] for tick in range(51, 400)}
    play(arrivals, 60, jitter)
    assert jitter.depth > FLOOR + 3
    play({tick: arrivals[tick + 60] for tick in range(340)}, 340, jitter)
    assert FLOOR - 1 <= jitter.depth <= FLOOR
    assert jitter.dropped > 0


def test_a_line_that_stays_even_is_played_a_frame_sooner():
    jitter = buffer()
    heard = play({tick: [packet(tick)] for tick in range(500)}, 500, jitter)
    assert heard[499] == 500 - FLOOR and jitter.depth == FLOOR - 1
    assert jitter.dropped == 1 and jitter.late == 0


def test_and_later_again_once_it_is_not():
    jitter = buffer()
    play({tick: [packet(tick)] for tick in range(500)}, 500, jitter)
    chance = random.Random(4)
    arrivals: dict[int, list[RtpPacket]] = {}
    for sent in range(500, 900):
        arrivals.setdefault(sent - 500 + chance.randint(0, 3), []).append(packet(sent))
    play(arrivals, 300, jitter)
    late_at_first = jitter.late
    play({tick: arrivals.get(tick + 300, []) for tick in range(100)}, 100, jitter)
    assert late_at_first < 8 and jitter.late - late_at_first < 3
    assert jitter.depth >= FLOOR


def test_a_sender_whose_clock_is_fast_does_not_build_up_delay():
    jitter = buffer()
    sent = 0
    for tick in range(3000):
        while sent <= tick * 1.003:
            jitter.push(packet(sent))
            sent += 1
        jitter.pop()
        assert jitter.depth <= FLOOR + 4


def test_a_sender_whose_clock_is_slow_is_heard_on():
    jitter = buffer()
    sent, heard = 0, []
    for tick in range(3000):
        while sent <= tick * 0.997:
            jitter.push(packet(sent))
            sent += 1
        heard.append(number(jitter.pop()))
    numbers = [each for each in heard if each is not None]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 0.98 * sent


@pytest.mark.parametrize("jump", [200_000_000, -200_000_000, 160 * 30])
def test_one_stray_timestamp_is_thrown_away(jump):
    arrivals = {tick: [packet(tick)] for tick in range(60)}
    arrivals[30] = [packet(30)._replace(timestamp=(1000 + 160 * 30 + jump) & 0xFFFFFFFF)]
    heard = play(arrivals, 60)
    assert heard[30 + FLOOR] is None
    assert heard[31 + FLOOR :] == list(range(31, 60 - FLOOR))


@pytest.mark.parametrize("jump", [200_000_000, -200_000_000, -160 * 100, 160 * 400])
def test_a_new_timeline_is_followed_when_a_second_packet_agrees(jump):
    arrivals = {tick: [packet(tick)] for tick in range(30)}
    arrivals |= {tick: [packet(tick, start=1000 + jump)] for tick in range(30, 80)}
    heard = play(arrivals, 80)
    assert heard[-40:] == list(range(40 - 3, 80 - 3))


def test_the_marker_starts_a_new_timeline_at_once():
    arrivals = {tick: [packet(tick)] for tick in range(30)}
    # The sender's clock stood still while it held us.
    arrivals |= {tick: [packet(tick - 20, marker=tick == 50)] for tick in range(50, 80)}
    heard = play(arrivals, 80)
    assert heard[50 + FLOOR :] == list(range(30, 60 - FLOOR))


def test_a_pause_of_the_sender_is_silence_and_then_goes_on():
    arrivals = {tick: [packet(tick)] for tick in range(300) if not 50 <= tick < 250}
    heard = play(arrivals, 300)
    assert heard[50 + FLOOR : 250 + FLOOR] == [None] * 200
    assert heard[250 + FLOOR :] == list(range(250, 300 - FLOOR))


def test_a_new_source_takes_over_and_a_stray_packet_of_another_does_not():
    arrivals = {tick: [packet(tick)] for tick in range(60)}
    arrivals[20].append(packet(999, ssrc=666))
    arrivals |= {tick: [packet(tick, ssrc=8, start=5)] for tick in range(60, 100)}
    heard = play(arrivals, 100)
    assert 999 not in heard
    assert heard[FLOOR : 60 + FLOOR - 2] == list(range(58))
    assert heard[-30:] == list(range(67, 97))


def test_two_mixed_sources_leave_the_first_one_whole():
    arrivals = {tick: [packet(tick), packet(tick, ssrc=9, start=70_000)] for tick in range(60)}
    assert play(arrivals, 60)[FLOOR:] == list(range(60 - FLOOR))


def test_a_stall_of_our_own_clock_adds_no_delay():
    jitter = buffer()
    play({tick: [packet(tick)] for tick in range(50)}, 50, jitter)
    for sent in range(50, 75):  # half a second in which nobody played
        jitter.push(packet(sent))
    jitter.skip(24)
    assert jitter.depth <= CEILING + 1
    heard = play({tick: [packet(tick + 75)] for tick in range(100)}, 100, jitter)
    assert jitter.depth <= FLOOR
    assert heard[-10:] == list(range(175 - FLOOR - 10, 175 - FLOOR))


@pytest.mark.parametrize("size", [40, 80, 100, 240, 320, 480, 960])
def test_packets_of_any_length_are_cut_into_frames(size):
    speech = bytes(random.Random(size).randbytes(size * 60))
    jitter = buffer()
    heard, sent = b"", 0
    for tick in range(len(speech) // 160):
        while sent < (tick + 1) * 160 and sent < len(speech):
            jitter.push(RtpPacket(8, False, sent // size, sent, 7, speech[sent : sent + size]))
            sent += size
        heard += jitter.pop() or b""
    assert speech.startswith(heard)
    assert len(heard) >= len(speech) - 160 * (FLOOR + 7)


STEPS = [160, 160, 160, 320, -160, 80, 800, 3200, 9600, -4800, 0]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 0xFFFFFFFF), st.lists(st.tuples(
    st.integers(0, 2), st.integers(0, 0xFFFF), st.sampled_from(STEPS) | st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0, 0, 0, 1]), st.booleans(), st.sampled_from([160, 160, 0, 7, 240, 960, 1200]),
    st.sampled_from([0, 0, 0, 3, 30])), max_size=80))
def test_no_sequence_of_packets_breaks_it_or_adds_delay_without_bound(timestamp, script):
    jitter = buffer()
    for pops, sequence, step, ssrc, marker, size, skipped in script:
        timestamp = (timestamp + step) & 0xFFFFFFFF
        jitter.push(RtpPacket(8, marker, sequence, timestamp, ssrc, b"\x55" * size))
        jitter.skip(skipped)
        for _ in range(pops):
            assert len(jitter.pop() or bytes(160)) == 160
        assert jitter.depth <= CEILING + 1 + 6 + 1  # and a packet of 120 ms off the grid
