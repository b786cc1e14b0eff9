"""Floor API: what a supervisor does by click or by program."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request

from voicebot.console.api_values import DoneOut
from voicebot.console.desk_api import agent_of, readable
from voicebot.console.desk_out import agent_out, alert_out, waiting_out
from voicebot.console.desk_values import (
    FetchIn,
    FloorOut,
    PresenceIn,
    SuperviseIn,
)
from voicebot.console.floor import LiveFloor
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData

log = structlog.get_logger(__name__)


def floor_routes(data: ConsoleData, floor: LiveFloor) -> APIRouter:
    """All routes below /api/floor."""
    router = APIRouter(prefix="/api/floor", tags=["floor"])

    @router.get("")
    async def now() -> FloorOut:
        """Agents, queue and open alerts of this moment."""
        return FloorOut(
            agents=[agent_out(agent) for agent in await data.floor.agents()],
            queue=[waiting_out(call) for call in await data.floor.queue()],
            alerts=[alert_out(alert) for alert in await data.floor.alerts()],
        )

    @router.post("/calls/{call_id}/supervise")
    async def supervise(call_id: str, wanted: SuperviseIn, request: Request) -> DoneOut:
        """Join a call: my phone is rung; or change my role in it, or leave."""
        agent_id, account = agent_of(request)
        with readable(request):
            await data.floor.supervise(call_id, agent_id, wanted.mode, account.username)
        log.info("command", verb=wanted.mode, target=call_id, by_pii=account.username)
        return DoneOut()

    @router.post("/calls/{call_id}/fetch-person")
    async def fetch_person(call_id: str, wanted: FetchIn, request: Request) -> DoneOut:
        """Hand a call that the bot conducts to a person."""
        account = account_of(request.scope)
        with readable(request):
            await data.floor.fetch_person(call_id, wanted.skill.strip() or "general", account.username)
        log.info("command", verb="fetch person", target=call_id, by_pii=account.username)
        return DoneOut()

    @router.post("/agents/{agent_id}/presence")
    async def presence(agent_id: str, wanted: PresenceIn, request: Request) -> DoneOut:
        """Set somebody's presence; offline signs them out of the queue."""
        with readable(request):
            await data.floor.set_presence(agent_id, wanted.presence)
        by = account_of(request.scope).username
        log.info("presence", agent=agent_id, presence=wanted.presence, by_pii=by)
        await floor.refresh()
        return DoneOut()

    @router.post("/alerts/{alert_id}/acknowledge")
    async def acknowledge(alert_id: int, request: Request) -> DoneOut:
        """I saw it and act; the alert goes from all walls."""
        await data.floor.acknowledge(alert_id, account_of(request.scope).username)
        await floor.refresh()
        return DoneOut()

    return router
