"""Pacing: how many more numbers may be dialled at this moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on. `capacity` calls at once; None for agents means that nobody takes hand-overs."""

    running: int
    capacity: int
    lines_free: int | None = None
    handoffs_waiting: int = 0
    agents_ready: int | None = None


def pace(load: Load, most_at_once: int = 10) -> int:
    """New calls to start now: never more than lines and capacity hold, few at a time, none while people queue.

    Every call is answered by the bot itself, so nobody is ever rung without somebody to talk to: there is no
    over-dialling and no answer rate in this formula.
    """
    if load.handoffs_waiting > (load.agents_ready or 0):
        return 0
    room = load.capacity - load.running
    if load.lines_free is not None:
        room = min(room, load.lines_free)
    return max(0, min(room, most_at_once))
