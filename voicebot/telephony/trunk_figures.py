"""TrunkFigures: a trunk at a moment, for the console and for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from voicebot.telephony.trunk_choice import FAILURES_TO_OPEN, Registered, TrunkState
from voicebot.telephony.trunk_desk import Tally, TrunkDesk


@dataclass(frozen=True, slots=True)
class TrunkFigures:
    """`state`: up, down (no answer to OPTIONS), unregistered, paused or trial; `last_failure_at`: Unix seconds."""

    name: str
    address: str
    state: str
    registration: str
    priority: int
    weight: int
    used: int
    channels: int
    per_second: float
    most_per_second: float
    paused_s: float
    tried: int
    rung: int
    answered: int
    failed: int
    inbound: int
    last_failure: str
    last_failure_at: float | None


def trunk_figures(
    desk: TrunkDesk, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
) -> tuple[TrunkFigures, ...]:
    """All trunks of a line, in the order of their settings."""
    now, offset = monotonic(), wall() - monotonic()
    return tuple(_figures(state, desk.tallies[name], now, offset) for name, state in desk.states.items())


def _figures(state: TrunkState, tally: Tally, now: float, offset: float) -> TrunkFigures:
    trunk, failed_at = state.trunk, tally.last_failure_at
    return TrunkFigures(
        name=trunk.name,
        address=f"{trunk.host}:{trunk.port}/{trunk.transport}",
        state=_state(state, now),
        registration=state.registered.value,
        priority=trunk.priority,
        weight=trunk.weight,
        used=state.running,
        channels=state.channels,
        per_second=tally.per_second(now),
        most_per_second=state.rate,
        paused_s=max(0.0, state.paused_until - now),
        tried=tally.tried,
        rung=tally.rung,
        answered=tally.answered,
        failed=tally.failed,
        inbound=tally.inbound,
        last_failure=tally.last_failure,
        last_failure_at=failed_at + offset if failed_at is not None else None,
    )


def _state(state: TrunkState, now: float) -> str:
    if state.registered in (Registered.WAITING, Registered.FAILED):
        return "unregistered"
    if not state.healthy:
        return "down"
    if state.on_trial or (state.failures >= FAILURES_TO_OPEN and now >= state.paused_until):
        return "trial"
    return "paused" if now < state.paused_until else "up"
