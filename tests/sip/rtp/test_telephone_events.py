"""Telephone events (RFC 4733): every press is told once, with any of its packets lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.rtp import DIGITS, Digit, EventReceiver, EventSender, RtpPacket, Sequencer, parse_rtp


def sent(digits: str, ticks: int = 400) -> list[RtpPacket]:
    sender, sequencer = EventSender(), Sequencer(1, 65530, 0xFFFFFF00)
    sender.queue(digits)
    packets = []
    for tick in range(ticks):
        if event := sender.tick(tick):
            packets.append(parse_rtp(sequencer.event(event.payload, 101, tick, event.started)))
    assert not sender.busy
    return packets


def told(packets: list[RtpPacket]) -> list[Digit]:
    receiver = EventReceiver()
    digits = list(itertools.chain.from_iterable(receiver.receive(each) for each in packets))
    return digits + [digit for _ in range(10) for digit in receiver.tick()]


def test_all_sixteen_digits_arrive_once_and_in_order():
    assert told(sent(DIGITS)) == [Digit(digit, 160) for digit in DIGITS]


def test_the_same_digit_twice_is_two_presses():
    assert [each.digit for each in told(sent("55"))] == ["5", "5"]


def test_a_press_on_the_wire_is_as_the_rfc_draws_it():
    packets = sent("7")
    assert [each.marker for each in packets] == [True] + [False] * 10
    assert {each.timestamp for each in packets} == {0xFFFFFF00}
    assert [each.sequence for each in packets][:8] == [65530, 65531, 65532, 65533, 65534, 65535, 0, 1]
    durations = [int.from_bytes(each.payload[2:]) for each in packets]
    assert durations == [160, 320, 480, 640, 800, 960, 1120, 1280] + [1280] * 3
    assert [each.payload[1] >> 7 for each in packets] == [0] * 8 + [1] * 3
    assert {each.payload[0] for each in packets} == {7}


@given(st.text(DIGITS, min_size=1, max_size=6), st.data())
def test_any_loss_that_leaves_one_packet_per_press_leaves_every_digit(digits, data):
    packets = sent(digits)
    kept = []
    for _, press in itertools.groupby(packets, key=lambda each: each.timestamp):
        whole = list(press)
        kept += data.draw(st.lists(st.sampled_from(whole), min_size=1, unique=True).map(
            lambda some: sorted(some, key=lambda each: (each.payload[1], each.payload[2:], each.sequence))))
    assert [each.digit for each in told(kept)] == list(digits)


def test_a_press_whose_end_was_lost_ends_after_120_ms_of_nothing():
    receiver = EventReceiver()
    for each in sent("3")[:5]:
        assert receiver.receive(each) == []
    assert [receiver.tick() for _ in range(6)] == [[]] * 5 + [[Digit("3", 100)]]
    assert receiver.tick() == []


def test_end_packets_that_come_late_are_not_a_second_press():
    one, two = sent("12")[:11], sent("12")[11:]
    assert [each.digit for each in told(one[:9] + two[:3] + one[9:] + two[3:])] == ["1", "2"]


def test_a_press_of_ten_seconds_in_two_segments_is_one():
    def event(timestamp: int, duration: int, end: int = 0, marker: bool = False) -> RtpPacket:
        return RtpPacket(101, marker, 0, timestamp, 1, bytes([5, 10 | end]) + duration.to_bytes(2))
    first = [event(100, 160, marker=True), event(100, 0xFFFF)]
    second = [event(100 + 0xFFFF, 160), event(100 + 0xFFFF, 14465, 0x80)]
    assert told(first + second) == [Digit("5", 10_000)]


@given(st.lists(st.tuples(st.binary(max_size=8), st.integers(0, 2**32 - 1), st.booleans())))
def test_no_payload_breaks_the_receiver(script):
    receiver = EventReceiver()
    for payload, timestamp, marker in script:
        for digit in receiver.receive(RtpPacket(101, marker, 0, timestamp, 1, payload)):
            assert digit.digit in DIGITS


def test_what_is_no_digit_is_refused_whole():
    sender = EventSender()
    with pytest.raises(ValueError, match="no DTMF digit"):
        sender.queue("12x")
    assert not sender.busy
