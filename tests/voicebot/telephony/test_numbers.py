"""Numbers as carriers want them, and which of ours a callee sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telephony.numbers import identity_headers, shown, spelt
from voicebot.telephony.trunk import CallerIdentity, CallerRule, NumberFormat, Shape

POOL = ("+861082345678", "+8675588888888", "+862788888888")


@pytest.mark.parametrize(
    ("number", "wanted", "written"),
    [
        ("+8613800138000", NumberFormat(), "+8613800138000"),
        ("138 0013 8000", NumberFormat(), "+8613800138000"),
        ("+8613800138000", NumberFormat(Shape.DIGITS), "8613800138000"),
        ("+8613800138000", NumberFormat(Shape.NATIONAL), "13800138000"),
        ("+861082345678", NumberFormat(Shape.NATIONAL), "01082345678"),
        ("+8613800138000", NumberFormat(Shape.NATIONAL, prefix="9"), "913800138000"),
        ("+861082345678", NumberFormat(Shape.NATIONAL, strip="010"), "82345678"),
        ("+85223456789", NumberFormat(Shape.NATIONAL, prefix="00"), "0085223456789"),
        ("10086", NumberFormat(), "10086"),
        ("8001", NumberFormat(Shape.NATIONAL, prefix="9"), "98001"),
    ],
)
def test_spelling(number: str, wanted: NumberFormat, written: str) -> None:
    assert spelt(number, wanted) == written


@given(st.text(max_size=30), st.sampled_from(list(Shape)))
def test_anything_is_spelt_somehow(number: str, shape: Shape) -> None:
    assert isinstance(spelt(number, NumberFormat(shape)), str)


def test_only_numbers_of_the_pool_are_shown() -> None:
    identity = CallerIdentity(POOL)
    assert shown(identity, "+8613800138000") == POOL[0]
    assert shown(identity, "+8613800138000", wanted=POOL[2]) == POOL[2]
    assert shown(identity, "+8613800138000", wanted="+8612345") == POOL[0], "a number that is not ours"


def test_a_campaign_always_shows_the_same_number() -> None:
    identity = CallerIdentity(POOL, CallerRule.CAMPAIGN)
    seen = {campaign: shown(identity, "+8613800138000", campaign) for campaign in map(str, range(50))}
    assert set(seen.values()) == set(POOL), "the campaigns share the pool"
    assert all(shown(identity, "+8613900139000", campaign) == number for campaign, number in seen.items())


@pytest.mark.parametrize(
    ("callee", "number"),
    [("075512345678", POOL[1]), ("+8613602500000", POOL[1]), ("02012345678", POOL[1]), ("+8613800138000", POOL[0]),
     ("027-1234 5678", POOL[2]), ("+861012345678", POOL[0]), ("sip1001", POOL[0]), ("02812345678", POOL[0])],
)  # fmt: skip
def test_a_number_from_the_callees_own_place(callee: str, number: str) -> None:
    assert shown(CallerIdentity(POOL, CallerRule.AREA), callee) == number


def test_identity_headers() -> None:
    identity = CallerIdentity(POOL, asserted=True, preferred=True, diversion="4001", privacy="id")
    assert identity_headers(identity, "95588", "ims.example.net") == [
        ("P-Asserted-Identity", "<sip:95588@ims.example.net>"),
        ("P-Preferred-Identity", "<sip:95588@ims.example.net>"),
        ("Diversion", "<sip:4001@ims.example.net>;reason=unconditional"),
        ("Privacy", "id"),
    ]
    assert identity_headers(CallerIdentity(), "95588", "ims.example.net") == []
