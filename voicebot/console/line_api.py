"""Line API: the fleet and its trunks as the page shows them, for programs; drain and resume."""

from __future__ import annotations

from typing import Protocol

import structlog
from fastapi import APIRouter, HTTPException, Request

from voicebot.console.api_values import DoneOut
from voicebot.console.fleet_data import FleetData
from voicebot.console.gate import account_of
from voicebot.console.line_view import LineView

log = structlog.get_logger(__name__)


class HasFleet(Protocol):
    @property
    def fleet(self) -> FleetData: ...


def line_routes(data: HasFleet) -> APIRouter:
    """GET /api/lines, POST /api/workers/NAME/drain and resume."""
    router = APIRouter(prefix="/api", tags=["lines"])

    @router.get("/lines")
    async def lines() -> LineView:
        """Trunks with state, use and last failure; workers and controls with load, version and clock."""
        return await data.fleet.view()

    @router.post("/workers/{name}/drain")
    async def drain(name: str, request: Request) -> DoneOut:
        """Take no further calls there; those that run go on. `name`: a worker, or a machine with all of its."""
        return await _order(name, request, True)

    @router.post("/workers/{name}/resume")
    async def resume(name: str, request: Request) -> DoneOut:
        """Take calls there again."""
        return await _order(name, request, False)

    async def _order(name: str, request: Request, on: bool) -> DoneOut:
        by = account_of(request.scope).username
        try:
            reached = await data.fleet.drain(name, by, on)
        except LookupError as unknown:
            raise HTTPException(404, str(unknown)) from unknown
        log.info("workers told to drain" if on else "workers told to take calls", workers=reached, by=by)
        return DoneOut()

    return router
