"""Canonical JSON: the examples of RFC 8785, and what it forbids."""

from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.evidence.journal import plain
from voicebot.evidence.spelling import canonical

NUMBERS = {  # RFC 8785 appendix B: IEEE 754 bits and their one spelling
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "spelled"), NUMBERS.items())
def test_numbers(bits: str, spelled: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == spelled.encode()


def test_members_are_sorted_by_utf_16_units() -> None:
    """RFC 8785 section 3.2.3."""
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(names)).values()) == [2, 4, 6, 7, 1, 5, 3]


def test_strings_and_literals() -> None:
    """RFC 8785 sections 3.2.2.1 and 3.2.2.2."""
    text = '€$\u000f\nA\'B"\\\\"/\u007f'
    assert canonical(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"'.encode()
    assert canonical([None, True, False, [], {}]) == b"[null,true,false,[],{}]"


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, "\ud800", {1, 2}, b"bytes"])
def test_what_json_lacks_is_refused(wrong: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical(wrong)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_itself(value: float) -> None:
    spelled = canonical(value)
    assert float(json.loads(spelled)) == value and canonical(json.loads(spelled)) == spelled


def test_facts_hold_no_number_that_readers_would_read_differently() -> None:
    assert plain([2**53, 2**53 - 1, 1.0, 1e300, math.nan]) == ["9007199254740992", 2**53 - 1, 1, "1e+300", None]
