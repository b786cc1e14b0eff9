"""Callers: the number that an incoming call shows, and whose bill it may be about."""

from __future__ import annotations

import pytest

from tests.voicebot.store.samples import NOON, new_case
from voicebot.store import Store
from voicebot.worker.callers import KnownCallers, number_of


@pytest.mark.parametrize(
    ("remote", "number"),
    [
        ("sip:13800000001@192.0.2.4", "+8613800000001"),
        ("sip:+8613800000001@trunk.example:5060;user=phone", "+8613800000001"),
        ("sip:8613800000001@trunk.example", "+8613800000001"),
        ("sip:013800000001@trunk.example", "+8613800000001"),
        ("sip:01065529988@trunk.example", "+861065529988"),
        ("tel:+86-138-0000-0001", "+8613800000001"),
        ("sip:alice@10.0.0.5:5062;transport=udp", "sip:alice@10.0.0.5:5062"),
        ("sip:anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid"),
        ("sip:8001@pbx", "sip:8001@pbx"),
        ("sip:192.0.2.4", "sip:192.0.2.4"),
    ],
)
def test_the_number_is_written_as_cases_hold_it(remote: str, number: str) -> None:
    assert number_of(remote) == number


async def test_a_known_number_brings_its_largest_bill(store: Store) -> None:
    await store.cases.save([new_case(1), new_case(2, debtor=1)], NOON)
    known = await KnownCallers(store)("sip:13800000001@192.0.2.4")
    assert known.case is not None and known.case.id == "C0002"
    assert (await KnownCallers(store)("sip:13800000009@192.0.2.4")).case is None


async def test_a_number_of_two_debtors_tells_nobody_apart(store: Store) -> None:
    shared = "+8613800000001"
    await store.cases.save([new_case(1, number=shared), new_case(2, number=shared)], NOON)
    caller = await KnownCallers(store)("sip:13800000001@192.0.2.4")
    assert caller.case is None and caller.number == shared
