"""A short run of the attack in benchmarks/fuzz: processes of their own, UDP, TCP, TLS and RTP, ten calls up."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.__main__ import run
from benchmarks.fuzz.spoiling import Spoiler


def test_the_same_seed_spoils_the_same_way() -> None:
    first, second, other = (
        [Spoiler(seed).spoil(b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n") for _ in range(3)] for seed in (1, 1, 2)
    )
    assert first == second != other


@pytest.mark.slow
@pytest.mark.alone
async def test_calls_stand_through_an_attack() -> None:
    figures = await run(seconds=4, rate=1500, seed=7)
    after = figures["after"]
    assert figures["faults"] == 0 and after["friends_up"] == figures["calls_up"] == 10
    assert all(row["state"] == "confirmed" and row["goodbye"] for row in figures["calls"])
    assert after["unreadable"] > 100 and after["dropped_unread"] > 100, "the attack was read, and measured out"
    assert after["log_lines"] < 60, after["log_samples"]
