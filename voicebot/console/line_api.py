"""Line API: lines and trunks as the page shows them, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot.console.line_view import LineView, line_view
from voicebot.console.settings import ConsoleSettings


def line_routes(settings: ConsoleSettings) -> APIRouter:
    """GET /api/lines."""
    router = APIRouter(prefix="/api")

    @router.get("/lines", tags=["lines"])
    async def lines() -> LineView:
        """Trunks with state, use and last failure; workers with their load."""
        return line_view(settings.home)

    return router
