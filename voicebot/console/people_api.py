"""People API: users of the console and agents at the phones, as an administrator keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, HTTPException, Request

from voicebot.console.account_values import SessionOut, session_out
from voicebot.console.api_values import DoneOut
from voicebot.console.desk_values import AgentIn, LinkOut, UserIn, UserOut
from voicebot.console.gate import account_of
from voicebot.console.people_data import phone_of
from voicebot.console.queries import ConsoleData
from voicebot.console.sessions import Sessions
from voicebot.console.settings import ConsoleSettings
from voicebot.domain.operation import Action
from voicebot.domain.records import AgentRecord

log = structlog.get_logger(__name__)


def people_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions) -> APIRouter:
    """All routes below /api/people."""
    router = APIRouter(prefix="/api/people", tags=["people"])

    @router.get("/users")
    async def users() -> list[UserOut]:
        """Everybody who may log in, or might again."""
        having = await data.accounts.with_factor()
        return [
            UserOut(
                username=user.username,
                role=user.role,
                display_name=user.display_name,
                agent_id=user.agent_id,
                disabled=user.disabled,
                locked_until=user.locked_until,
                second_factor=user.username in having,
            )
            for user in await data.people.users()
        ]

    @router.post("/users")
    async def save_user(wanted: UserIn, request: Request) -> DoneOut:
        """Add a user, or change role, name and agent; a new one chooses a password through a link."""
        try:
            await data.people.save_user(
                wanted.username, wanted.role, wanted.display_name.strip(), wanted.agent_id or None
            )
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        sessions.forget()
        await _note(request, "save", wanted.username, role=wanted.role.value)
        return DoneOut()

    @router.get("/users/{username}/sessions")
    async def sessions_of(username: str) -> list[SessionOut]:
        """Where somebody is logged in."""
        idle = dt.timedelta(minutes=settings.door.idle_minutes)
        return [session_out(one, None) for one in await data.accounts.sessions(username, idle)]

    @router.post("/users/{username}/{change}")
    async def change_user(username: str, change: str, request: Request) -> DoneOut | LinkOut:
        """disable, enable, unlock, reset-factor, log-out; or link: a one-time address to choose a password at."""
        people = data.people
        changes: dict[str, Callable[[], Awaitable[object]]] = {
            "disable": lambda: people.set_disabled(username, True),
            "enable": lambda: people.set_disabled(username, False),
            "unlock": lambda: people.unlock(username),
            "reset-factor": lambda: people.forget_factor(username),
            "log-out": lambda: people.log_out(username),
        }
        if change != "link" and change not in changes:
            raise HTTPException(404, f"a user can be given: link, {', '.join(changes)}")
        try:
            link = await people.link(username) if change == "link" else None
            if link is None:
                await changes[change]()
        except LookupError as unknown:
            raise HTTPException(404, str(unknown)) from unknown
        except ValueError as wrong:
            raise HTTPException(409, str(wrong)) from wrong
        sessions.forget()
        await _note(request, change, username)
        return LinkOut(url=f"{_origin(request, settings)}/password?token={link}") if link else DoneOut()

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

    async def _note(request: Request, change: str, username: str, **detail: object) -> None:
        """Who changed whom: in the log of operations, where nobody takes it back."""
        who = account_of(request.scope)
        log.info("user changed", username_pii=username, change=change, by_pii=who.username)
        await data.evidence.note(who, Action.ACCESS, f"user:{username}", {"change": change, **detail})

    return router


def _origin(request: Request, settings: ConsoleSettings) -> str:
    """The console's address as this browser knows it."""
    host = request.headers.get("host")
    scheme = "https" if settings.door.https else request.url.scheme
    return f"{scheme}://{host}" if host else settings.url
