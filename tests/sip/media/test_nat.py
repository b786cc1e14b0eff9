"""Latching on the real source of media."""

import pytest

from sip.media import SourceLatch
from sip.media.nat import usable

SDP, REAL, STRANGER = ("192.0.2.1", 4000), ("198.51.100.7", 61000), ("203.0.113.9", 5)


def latch() -> SourceLatch:
    source = SourceLatch()
    source.signal(SDP)
    return source


def test_media_goes_to_the_signalled_address_until_another_sends():
    source = latch()
    assert source.remote == SDP
    assert source.admits(REAL)
    source.learn(REAL)
    assert source.remote == REAL


def test_once_learnt_strangers_are_ignored_and_counted():
    source = latch()
    source.learn(REAL)
    assert not source.admits(STRANGER)
    assert source.admits(REAL)
    assert (source.strangers, source.remote) == (1, REAL)


def test_the_signalled_peer_takes_the_call_back_from_a_faster_stranger():
    source = latch()
    source.learn(STRANGER)
    assert source.admits(SDP)
    source.learn(SDP)
    assert not source.admits(STRANGER)


def test_a_new_address_in_a_re_invite_starts_learning_anew_and_the_same_one_does_not():
    source = latch()
    source.learn(REAL)
    source.signal(SDP)
    assert source.remote == REAL
    source.signal(STRANGER)
    assert source.remote == STRANGER
    assert source.admits(REAL)


@pytest.mark.parametrize("address", [("0.0.0.0", 4000), ("192.0.2.1", 0), ("224.0.0.1", 4000), ("::", 9),
                                     ("media.example.com", 4000), ("192.0.2.1", 70000), ("", 1)])
def test_media_never_goes_where_it_must_not(address):
    assert usable(address) is None
    source = latch()
    source.signal(address)
    assert source.remote is None


def test_addresses_are_compared_in_canonical_form():
    assert usable(("2001:DB8:0::1", 8)) == ("2001:db8::1", 8)
