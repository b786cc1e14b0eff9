"""Server: the console as one web application, run inside the loop of whoever starts it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import nicegui
import structlog
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from nicegui import ui
from starlette.staticfiles import StaticFiles

from voicebot import __version__
from voicebot.console.account_api import access_routes, account_routes
from voicebot.console.api import api_routes
from voicebot.console.campaign_api import campaign_routes
from voicebot.console.case_api import case_routes
from voicebot.console.consult_api import consult_routes
from voicebot.console.desk_api import desk_routes
from voicebot.console.dialling_api import dialling_routes
from voicebot.console.dialling_board import DiallingBoard
from voicebot.console.evidence_api import evidence_routes
from voicebot.console.floor import LiveFloor
from voicebot.console.floor_api import floor_routes
from voicebot.console.follow_api import follow_routes
from voicebot.console.gate import Gate
from voicebot.console.icons import icon
from voicebot.console.limits import Limits
from voicebot.console.line_api import line_routes
from voicebot.console.live import LiveBoard
from voicebot.console.login import login_routes
from voicebot.console.pages import (
    access,
    account,
    calibration,
    call,
    calls,
    campaigns,
    case,
    case_import,
    cases,
    desk,
    dialling,
    finding,
    lines,
    messages,
    my_reviews,
    people,
    promises,
    reports,
    review,
    rulebook,
    running,
    script,
    scripts,
    search,
    segments,
    strategies,
    tickets,
    trial,
    vault,
    wall,
    workbench,
)
from voicebot.console.people_api import people_routes
from voicebot.console.quality_api import quality_routes
from voicebot.console.queries import ConsoleData
from voicebot.console.report_api import report_routes
from voicebot.console.rulebook_api import rulebook_routes
from voicebot.console.script_api import script_routes
from voicebot.console.second_step import second_step_routes
from voicebot.console.sessions import Sessions, create_admin_link
from voicebot.console.settings import ConsoleSettings
from voicebot.console.shell import ASSETS, Console, error_page
from voicebot.console.single_sign_on import single_sign_on_routes
from voicebot.console.softphone_api import softphone_routes
from voicebot.domain.clock import Clock, SystemClock
from voicebot.softphone.link import ConsoleEnd
from voicebot.telemetry.metrics import CONTENT_TYPE, exposition

log = structlog.get_logger(__name__)


def build_app(data: ConsoleData, settings: ConsoleSettings, clock: Clock | None = None) -> FastAPI:
    """Everything below one gate: pages, REST API, health and metrics."""
    board = LiveBoard(data)
    floor = LiveFloor(data)
    dialling_board = DiallingBoard(data)
    sessions = Sessions(data, settings)
    softphones = ConsoleEnd(settings.softphone)
    app = FastAPI(
        title="voicebot",
        version=__version__,
        description="Calls, cases, campaigns and evidence of one voicebot.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_following(board, floor, dialling_board, softphones),
    )
    app.include_router(login_routes(data, settings, sessions, clock or SystemClock()))
    app.include_router(second_step_routes(data, settings, sessions, clock or SystemClock()))
    app.include_router(single_sign_on_routes(data, settings, sessions))
    app.include_router(account_routes(data, settings, sessions))
    app.include_router(access_routes(data, sessions))
    app.include_router(api_routes(data, settings))
    app.include_router(consult_routes(data, settings))
    app.include_router(evidence_routes(data, settings))  # before the cases, whose ids may hold slashes
    app.include_router(campaign_routes(data))  # before the cases, whose ids may hold anything
    app.include_router(case_routes(data))
    app.include_router(follow_routes(data, settings))
    app.include_router(line_routes(data))
    app.include_router(dialling_routes(data))
    app.include_router(rulebook_routes(data))
    app.include_router(desk_routes(data, floor))
    app.include_router(floor_routes(data, floor))
    app.include_router(people_routes(data, settings, sessions))
    app.include_router(report_routes(data))
    app.include_router(quality_routes(data))
    app.include_router(script_routes(data, settings.synthesizer))
    app.include_router(softphone_routes(softphones, settings.ice_servers))
    _plain_routes(app)
    app.mount(ASSETS, StaticFiles(directory=Path(str(files("voicebot.console").joinpath("static")))))
    console = Console(data, settings, board, floor, dialling_board)
    pages = (
        running, calls, call, cases, case_import, case, segments, strategies, campaigns, dialling,
        promises, tickets, messages, desk, wall, people, lines, rulebook, vault, reports, review, workbench, search,
        my_reviews, calibration, scripts, script, finding, trial, account,
        access,
    )  # fmt: skip
    for page in pages:
        page.register(console)
    nicegui.app.on_page_exception(error_page)
    ui.run_with(
        app,
        title="voicebot",
        favicon=icon("brand").replace("currentColor", "#0b7a66"),
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=5.0,
    )
    door = settings.door
    limits = Limits(door.logins_per_minute, door.api_per_minute, door.exports_per_minute)
    app.add_middleware(
        Gate,
        sessions=sessions,
        limits=limits,
        https=door.https,
        behind_proxy=door.behind_proxy,
    )
    return app


async def serve_console(
    data: ConsoleData,
    settings: ConsoleSettings,
    stop: asyncio.Event,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set, then finish what is being answered. OSError when the address is taken.

    `on_ready` is called once with the console's address as soon as it answers; port 0 takes any free port.
    """
    listening = _listen(settings)
    settings = replace(settings, port=listening.getsockname()[1])
    config = uvicorn.Config(
        build_app(data, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=settings.door.certificate[0] if settings.door.certificate else None,
        ssl_keyfile=settings.door.certificate[1] if settings.door.certificate else None,
        timeout_graceful_shutdown=3,
        ws_max_size=1 << 20,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    ready = asyncio.create_task(server.ready.wait())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            log.info("console is open", address=settings.url)
            await _welcome(data, settings)
            if on_ready:
                on_ready(settings.url)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        ready.cancel()
        stopping.cancel()
        await serving
        listening.close()


async def _welcome(data: ConsoleData, settings: ConsoleSettings) -> None:
    """Tell whoever started us how to log in for the first time; the link must not reach a log file masked."""
    try:
        link = await create_admin_link(data, settings)
    except Exception as away:  # the console still comes up, and shows its error page until the database is back
        log.warning("the database did not answer", reason=str(away))
        return
    if link:
        print(f"首次使用，请打开此链接创建管理员 / first start, create the administrator:\n  {link}", file=sys.stderr)


def _listen(settings: ConsoleSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=128)
    except OSError as taken:
        address = f"{settings.host}:{settings.port}"
        raise OSError(
            taken.errno, f"the console cannot listen on {address} ({taken.strerror}); set VOICEBOT_HTTP_LISTEN"
        ) from taken


class _Server(uvicorn.Server):
    """Says when it answers, and leaves the signals to the process that runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _plain_routes(app: FastAPI) -> None:
    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        """Answers while the process serves; needs no login and tells nothing else."""
        return JSONResponse({"status": "ok"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE)


def _following(
    *followers: LiveBoard | LiveFloor | DiallingBoard | ConsoleEnd,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        following = [asyncio.create_task(follower.run()) for follower in followers]
        try:
            yield
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    return lifespan
