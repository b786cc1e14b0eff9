"""Account API: what is one's own, and who may do what."""

from __future__ import annotations

import datetime as dt

import structlog
from fastapi import APIRouter, HTTPException, Request

from voicebot.console.access import TABLE
from voicebot.console.account_values import (
    AccessOut,
    AccountOut,
    DemandIn,
    EndedOut,
    FactorIn,
    NewTokenOut,
    PasswordIn,
    RouteOut,
    TokenIn,
    session_out,
    token_out,
)
from voicebot.console.api_values import DoneOut
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.sessions import Sessions
from voicebot.console.settings import ConsoleSettings
from voicebot.domain.operation import Action
from voicebot.store.users import LoginRefused

log = structlog.get_logger(__name__)
WRONG_PASSWORD = "密码不正确，或错误次数过多 / the password is wrong, or was wrong too often"


def account_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions) -> APIRouter:
    """All routes below /api/account."""
    router = APIRouter(prefix="/api/account", tags=["account"])
    idle = dt.timedelta(minutes=settings.door.idle_minutes)

    @router.get("")
    async def mine(request: Request) -> AccountOut:
        """Who asks, what they may do, where they are logged in, and their tokens (never the tokens themselves)."""
        who = account_of(request.scope)
        return AccountOut(
            username=who.username,
            display_name=who.display_name,
            role=who.role,
            permissions=sorted(who.permissions),
            second_factor=await data.accounts.factor(who.username) is not None,
            sessions=[session_out(one, who.session_id) for one in await data.accounts.sessions(who.username, idle)],
            tokens=[token_out(one) for one in await data.accounts.tokens(who.username)],
        )

    @router.post("/password")
    async def change_password(wanted: PasswordIn, request: Request) -> EndedOut:
        """Change one's own password; all other sessions end."""
        who = account_of(request.scope)
        try:
            ended = await data.accounts.change_password(who, wanted.old, wanted.new)
        except LoginRefused as refused:
            raise HTTPException(403, WRONG_PASSWORD) from refused
        except ValueError as short:
            raise HTTPException(422, str(short)) from short
        sessions.forget()
        log.info("password changed", username_pii=who.username)
        return EndedOut(ended=ended)

    @router.post("/factor/remove")
    async def remove_factor(wanted: FactorIn, request: Request) -> DoneOut:
        """Switch one's own second step off; not where the role demands it."""
        who = account_of(request.scope)
        try:
            await data.accounts.remove_factor(who, wanted.password)
        except LoginRefused as refused:
            raise HTTPException(403, WRONG_PASSWORD) from refused
        except ValueError as demanded:
            raise HTTPException(409, str(demanded)) from demanded
        log.info("second factor removed", username_pii=who.username)
        return DoneOut()

    @router.post("/sessions/end")
    async def end_others(request: Request) -> EndedOut:
        """End all one's sessions but this one."""
        who = account_of(request.scope)
        ended = await data.accounts.end_sessions(who.username, who.session_id)
        sessions.forget()
        return EndedOut(ended=ended)

    @router.post("/sessions/{session_id}/end")
    async def end_one(session_id: str, request: Request) -> DoneOut:
        """End one of one's sessions."""
        who = account_of(request.scope)
        mine = await data.accounts.sessions(who.username, idle)
        await data.accounts.end_session(who.username, _one([one.id for one in mine], session_id))
        sessions.forget()
        return DoneOut()

    @router.post("/tokens")
    async def make_token(wanted: TokenIn, request: Request) -> NewTokenOut:
        """A new API token, shown this once. It may never do more than its owner."""
        who = account_of(request.scope)
        try:
            token = await data.accounts.issue_token(who, wanted.label, wanted.days, wanted.wanted, wanted.role or None)
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        detail: dict[str, object] = {"change": "token", "label": wanted.label, "scopes": sorted(wanted.wanted)}
        await data.evidence.note(who, Action.ACCESS, f"user:{who.username}", detail)
        return NewTokenOut(token=token)

    @router.post("/tokens/{token_id}/revoke")
    async def revoke_token(token_id: str, request: Request) -> DoneOut:
        """Make one of one's tokens worthless at once."""
        who = account_of(request.scope)
        mine = await data.accounts.tokens(who.username)
        await data.accounts.revoke_token(who.username, _one([one.id for one in mine], token_id))
        sessions.forget()
        return DoneOut()

    return router


def access_routes(data: ConsoleData, sessions: Sessions) -> APIRouter:
    """All routes below /api/access."""
    router = APIRouter(prefix="/api/access", tags=["account"])

    @router.get("")
    async def access() -> AccessOut:
        """What each role may do, and what each address asks for."""
        return AccessOut(
            roles={role: sorted(may) for role, may in (await data.accounts.roles()).items()},
            second_factor_demanded=sorted(await data.accounts.demanded()),
            routes=[RouteOut(methods=methods.split(), path=path, needs=str(rule)) for methods, path, rule in TABLE],
        )

    @router.post("/roles/{role}/second-factor")
    async def demand(role: str, wanted: DemandIn, request: Request) -> DoneOut:
        """Demand a second factor of a role, or no longer; its users without one are logged out."""
        try:
            await data.accounts.demand(role, wanted.demanded)
        except ValueError as wrong:
            raise HTTPException(404, str(wrong)) from wrong
        sessions.forget()
        detail = {"change": "second factor demanded" if wanted.demanded else "second factor not demanded"}
        await data.evidence.note(account_of(request.scope), Action.ACCESS, f"role:{role}", detail)
        return DoneOut()

    return router


def _one(ids: list[str], begins: str) -> str:
    """The one id that begins so, of sixteen characters at least; 404 when it is nobody's of mine."""
    found = [one for one in ids if len(begins) >= 16 and one.startswith(begins)]
    if len(found) != 1:
        raise HTTPException(404, "there is nothing of yours with this id")
    return found[0]
