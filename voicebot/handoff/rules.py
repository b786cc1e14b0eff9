"""TransferRules: how long people are waited for, how they accept, whether they are announced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferRules:
    """`by_key`: an agent has to accept by key or click; else who stays to the end of the briefing has accepted.

    `greets`: both hear one short sentence when they are joined.
    """

    wait_s: float = 60.0
    urgent_wait_s: float = 45.0
    ring_s: float = 20.0
    urgent_ring_s: float = 10.0
    by_key: bool = False
    accept_within_s: float = 10.0
    greets: bool = True
    position_every_s: float = 20.0
    supervisors_after_s: float = 10.0
    most_agents: int = 5


DEFAULT = TransferRules()
