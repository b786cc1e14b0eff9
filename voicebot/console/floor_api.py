"""Floor API: what a supervisor does by click or by program, and the people behind it."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, HTTPException, Request

from voicebot.console.api_values import DoneOut
from voicebot.console.desk_api import agent_of, readable
from voicebot.console.desk_out import agent_out, alert_out, waiting_out
from voicebot.console.desk_values import (
    AgentIn,
    FetchIn,
    FloorOut,
    LinkOut,
    PresenceIn,
    SuperviseIn,
    UserIn,
    UserOut,
)
from voicebot.console.floor import LiveFloor
from voicebot.console.gate import account_of
from voicebot.console.people_data import phone_of
from voicebot.console.queries import ConsoleData
from voicebot.domain.records import AgentRecord, Role

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


def people_routes(data: ConsoleData, url: str) -> APIRouter:
    """All routes below /api/people; `url` is where the console is reached when a request does not say."""
    router = APIRouter(prefix="/api/people", tags=["people"])

    @router.get("/users")
    async def users() -> list[UserOut]:
        """Everybody who may log in, or might again."""
        return [
            UserOut(
                username=user.username,
                role=user.role,
                display_name=user.display_name,
                agent_id=user.agent_id,
                disabled=user.disabled,
            )
            for user in await data.people.users()
        ]

    @router.post("/users")
    async def save_user(wanted: UserIn, request: Request) -> DoneOut:
        """Add a user, or change role, name and agent; a new one chooses a password through a link."""
        try:
            await data.people.save_user(
                wanted.username, Role(wanted.role), wanted.display_name.strip(), wanted.agent_id or None
            )
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        by = account_of(request.scope).username
        log.info("user saved", username_pii=wanted.username, role=wanted.role, by_pii=by)
        return DoneOut()

    @router.post("/users/{username}/{change}")
    async def change_user(username: str, change: str, request: Request) -> DoneOut | LinkOut:
        """disable, enable, or link: a one-time address at which the user chooses a password."""
        try:
            if change == "link":
                return LinkOut(url=f"{_origin(request, url)}/password?token={await data.people.link(username)}")
            if change not in ("disable", "enable"):
                raise HTTPException(404, "a user can be disabled, enabled or given a link")
            await data.people.set_disabled(username, change == "disable")
        except LookupError as unknown:
            raise HTTPException(404, str(unknown)) from unknown
        except ValueError as wrong:
            raise HTTPException(409, str(wrong)) from wrong
        log.info("user changed", username_pii=username, change=change, by_pii=account_of(request.scope).username)
        return DoneOut()

    @router.post("/agents")
    async def save_agent(wanted: AgentIn, request: Request) -> DoneOut:
        """Add an agent, or change name, address, skills, languages and time for writing."""
        try:
            agent = AgentRecord(
                wanted.id,
                wanted.name.strip(),
                phone_of(wanted.address),
                tuple(wanted.skills) or ("general",),
                languages=tuple(wanted.languages),
                after_call_s=wanted.after_call_s,
            )
            await data.people.save_agent(agent)
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        log.info("agent saved", agent=wanted.id, by_pii=account_of(request.scope).username)
        return DoneOut()

    return router


def _origin(request: Request, url: str) -> str:
    """The console's address as this browser knows it."""
    host = request.headers.get("host")
    return f"{request.url.scheme}://{host}" if host else url
