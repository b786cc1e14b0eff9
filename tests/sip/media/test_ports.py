"""The pool of RTP ports."""

import pytest

from sip.media import PortPool, PortsExhaustedError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ports_are_even_and_leave_room_for_rtcp():
    pool = PortPool(5001, 5008)
    assert [pool.acquire() for _ in range(3)] == [5002, 5004, 5006]
    with pytest.raises(PortsExhaustedError, match="widen"):
        pool.acquire()


def test_a_port_rests_after_its_call():
    clock = Clock()
    pool = PortPool(5000, 5003, quarantine_s=10, clock=clock)
    first = pool.acquire()
    pool.release(first)
    assert pool.acquire() == 5002
    with pytest.raises(PortsExhaustedError, match="1 rest"):
        pool.acquire()
    clock.now = 10
    assert pool.available == 1
    assert pool.acquire() == first


def test_the_longest_unused_port_comes_first():
    pool = PortPool(5000, 5007, quarantine_s=0, clock=Clock())
    used = [pool.acquire() for _ in range(3)]
    for port in reversed(used):
        pool.release(port)
    assert [pool.acquire() for _ in range(4)] == [5006, 5004, 5002, 5000]


def test_giving_back_twice_does_not_hand_out_a_port_twice():
    pool = PortPool(5000, 5005, quarantine_s=0, clock=Clock())
    port = pool.acquire()
    pool.release(port)
    pool.release(port)
    ports = [pool.acquire() for _ in range(3)]
    assert len(set(ports)) == 3
    assert pool.in_use == 3


@pytest.mark.parametrize(("first", "last"), [(5001, 5001), (5000, 5000), (6000, 5000), (65535, 70000)])
def test_a_range_without_a_pair_is_refused(first, last):
    with pytest.raises(ValueError, match="at least two"):
        PortPool(first, last)
