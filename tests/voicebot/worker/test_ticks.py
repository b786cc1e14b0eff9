"""The tick protocol: every message survives the wire however it is cut, and garbage is refused by one error."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.case import CallFacts, Case, Creditor, Debtor
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import (
    Flush,
    GiveUp,
    Gone,
    HandedOver,
    HandOver,
    HangUpCall,
    KeyHeard,
    MachineFound,
    Note,
    Opened,
    PickedUp,
    Play,
    Played,
    Stored,
)
from voicebot.worker.ticks import Ack, Decoder, Hello, Sound, Tick, TickProtocolError, encode, encode_all

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
CREDITOR = Creditor("b", "示范银行", "示范中心", "4001")
CASE = Case("c1", Debtor("d1", "李振海"), CREDITOR, "分期", 126800, 3, dt.date(2026, 11, 24))
MESSAGES = [
    Hello(),
    Tick(2**40, ((1, b"\x01\x02" * 160), (7, bytes(320)))),
    Tick(0, ()),
    Ack(9),
    Sound(3, "u-1", b"\x00\x01" * 50, False),
    Sound(0, "apology", b"", True),
    Play(1, "u-1", "您好，请问是李振海先生吗？", "open", False, 77),
    Flush(1),
    HangUpCall(1),
    HandOver(1, "m_human", "general", "客户要求人工", True),
    Note(1, FactKind.HEARD, {"text": "是我", "confidence": 0.5, "start_ms": 20}),
    MachineFound(1, "voicemail", "beep"),
    GiveUp(1, "the recogniser failed"),
    Stored("apology", "抱歉"),
    Opened(1, CallFacts("abc", NOW, CASE, number="sip:p01@127.0.0.1"), "reminder", True),
    Opened(2, CallFacts("abd", NOW, None), "inbound", False),
    PickedUp(1),
    KeyHeard(1, "#"),
    Played(1, "u-1", 300, 900, True),
    HandedOver(1, False, "no_agent"),
    Gone(1),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_message_survives_the_wire(message: object) -> None:
    assert list(Decoder().feed(encode(message))) == [message]  # type: ignore[arg-type]


@given(st.integers(min_value=1, max_value=97))
def test_a_stream_may_be_cut_anywhere(step: int) -> None:
    data = encode_all(MESSAGES)  # type: ignore[arg-type]
    decoder = Decoder()
    got = [message for at in range(0, len(data), step) for message in decoder.feed(data[at : at + step])]
    assert got == MESSAGES


@given(st.binary(max_size=400))
def test_garbage_is_refused_by_one_error_or_waits_for_more(data: bytes) -> None:
    with contextlib.suppress(TickProtocolError):
        list(Decoder().feed(data))


@given(st.sampled_from(MESSAGES), st.data())
def test_a_broken_body_is_refused_or_still_a_message(message: object, data: st.DataObject) -> None:
    frame = bytearray(encode(message))  # type: ignore[arg-type]
    if len(frame) > 5:
        at = data.draw(st.integers(5, len(frame) - 1))
        frame[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(TickProtocolError):
        assert len(list(Decoder().feed(bytes(frame)))) == 1


def test_another_version_says_what_to_do() -> None:
    with pytest.raises(TickProtocolError, match="restart both"):
        list(Decoder().feed(encode(Hello(version=2))))


def test_an_endless_body_is_refused_at_once() -> None:
    with pytest.raises(TickProtocolError, match="longer than"):
        list(Decoder().feed(b"\xff\xff\xff\x7f\x02"))
