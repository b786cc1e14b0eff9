"""Routes of the telephone in the browser: what the page asks of the gateway, and the stream of what happens there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from voicebot.console.gate import account_of
from voicebot.domain.ice import IceServer
from voicebot.softphone.link import ConsoleEnd, RefusedError

_QUIET_S: Final = 5.0
"""After so much silence the stream says that it lives; a page that is gone shows then at the latest."""

Session = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


class PageIn(BaseModel):
    """Which page asks: `session` is a number it made up for itself."""

    session: Session


class ConnectIn(PageIn):
    sdp: Annotated[str, Field(max_length=65_536)]


class KeysIn(PageIn):
    digits: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,32}$")]


class BeatIn(PageIn):
    """What the browser measured: milliseconds, and the share of packets lost."""

    jitter_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    loss: Annotated[float, Field(ge=0, le=1)] = 0.0
    rtt_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0


class SituationOut(BaseModel):
    """on, ringing or talking, and with whom; `number` grows with every change; `sdp` answers a connect."""

    state: str
    remote: str = ""
    number: int = 0
    sdp: str | None = None


class ServersOut(BaseModel):
    """What RTCPeerConnection wants to know; `agent` is whose telephone this account has."""

    agent: str
    ice_servers: list[dict[str, str]]


def softphone_routes(gateway: ConsoleEnd, servers: Sequence[IceServer]) -> APIRouter:
    """All routes below /api/softphone. Each account reaches the telephone of its own agent and no other."""
    router = APIRouter(prefix="/api/softphone", include_in_schema=False)

    async def ask(request: Request, verb: str, page: PageIn, **more: object) -> SituationOut:
        try:
            return SituationOut(**await gateway.ask(verb, _agent(request), page.session, **more))
        except RefusedError as refused:
            raise HTTPException(refused.status, str(refused)) from refused

    @router.get("")
    async def settings(request: Request) -> ServersOut:
        return ServersOut(agent=_agent(request), ice_servers=[_server(server) for server in servers])

    @router.post("/connect")
    async def connect(request: Request, page: ConnectIn) -> SituationOut:
        return await ask(request, "connect", page, sdp=page.sdp)

    @router.post("/answer")
    async def answer(request: Request, page: PageIn) -> SituationOut:
        return await ask(request, "answer", page)

    @router.post("/hangup")
    async def hang_up(request: Request, page: PageIn) -> SituationOut:
        return await ask(request, "hang_up", page)

    @router.post("/keys")
    async def keys(request: Request, page: KeysIn) -> SituationOut:
        return await ask(request, "keys", page, digits=page.digits)

    @router.post("/beat")
    async def beat(request: Request, page: BeatIn) -> SituationOut:
        return await ask(request, "beat", page, quality=page.model_dump(exclude={"session"}))

    @router.post("/leave")
    async def leave(request: Request, page: PageIn) -> SituationOut:
        return await ask(request, "leave", page)

    @router.post("/off")
    async def off(request: Request, page: PageIn) -> SituationOut:
        return await ask(request, "off", page)

    @router.get("/events")
    async def events(request: Request, session: Annotated[str, Query(max_length=64)]) -> StreamingResponse:
        """Server-sent events of this account's telephone."""
        stream = _events(gateway, _agent(request), session)
        headers = {"X-Accel-Buffering": "no"}  # a reverse proxy must not hold a ring back
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    return router


async def _events(gateway: ConsoleEnd, agent: str, session: str) -> AsyncIterator[str]:
    async with gateway.news(agent) as news:
        yield "retry: 1000\n\n"
        try:
            while True:
                try:
                    async with asyncio.timeout(_QUIET_S):
                        told = await news.get()
                except TimeoutError:
                    yield ": here\n\n"
                else:
                    yield f"data: {json.dumps(told, ensure_ascii=False)}\n\n"
        finally:
            await asyncio.shield(_left(gateway, agent, session))


async def _left(gateway: ConsoleEnd, agent: str, session: str) -> None:
    """The stream broke: the page was closed, or comes back in a moment."""
    with contextlib.suppress(RefusedError):
        await gateway.ask("leave", agent, session)


def _agent(request: Request) -> str:
    agent = account_of(request.scope).agent_id
    if agent is None:
        raise HTTPException(403, "this account has no agent: voicebot users add NAME --agent ID")
    return agent


def _server(server: IceServer) -> dict[str, str]:
    found: dict[str, Any] = {"urls": server.url, "username": server.username, "credential": server.password}
    return {name: value for name, value in found.items() if value}
