"""Line API: lines and trunks as the page shows them, for programs."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel

from voicebot.console.line_view import LineView, line_view
from voicebot.console.settings import ConsoleSettings


class WorkerOut(BaseModel):
    """One worker's line."""

    name: str
    calls: int
    admits: bool
    overloads: int
    brain_alive: bool
    brain_lag_ms: int
    late_share: float


class TrunkOut(BaseModel):
    """One trunk over all lines; times in ISO 8601."""

    name: str
    address: str
    state: str
    paused_s: int
    registration: str
    priority: int
    weight: int
    used: int
    channels: int
    per_second: float
    most_per_second: float
    tried: int
    answered: int
    failed: int
    inbound: int
    answer_rate: float | None
    last_failure: str
    last_failure_at: str | None


class LinesOut(BaseModel):
    """Lines and trunks of this installation."""

    workers: list[WorkerOut]
    trunks: list[TrunkOut]


def line_routes(settings: ConsoleSettings) -> APIRouter:
    """GET /api/lines."""
    router = APIRouter(prefix="/api")

    @router.get("/lines", tags=["lines"])
    async def lines() -> LinesOut:
        """Trunks with state, use and last failure; workers with their load."""
        return _out(line_view(settings.home))

    return router


def _out(view: LineView) -> LinesOut:
    trunks = []
    for trunk in view.trunks:
        at = trunk.last_failure_at
        row = asdict(trunk) | {"answer_rate": trunk.answer_rate, "last_failure_at": at.isoformat() if at else None}
        trunks.append(TrunkOut(**row))
    return LinesOut(workers=[WorkerOut(**asdict(worker)) for worker in view.workers], trunks=trunks)
