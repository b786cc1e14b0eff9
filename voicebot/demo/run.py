"""`voicebot demo`: start an installation, ring the simulated debtors, show and check what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.live import Live

from voicebot.app import running
from voicebot.config import Settings, SettingsError, host_port, load_settings
from voicebot.demo import foreign_phone
from voicebot.demo.board import Board, show_results
from voicebot.demo.case_file import NAME
from voicebot.demo.office import PROMISE, follow_ups, show_follow_ups, show_import, show_segments
from voicebot.demo.persona import Persona, load_personas
from voicebot.demo.results import DemoCall, result_of
from voicebot.demo.seed import (
    CREDITOR,
    DEMO_USER,
    Phones,
    agree_to_any_hour,
    case_id,
    import_file,
    save_cases,
    seat_people,
    start_campaign,
)
from voicebot.domain.campaign import Segment
from voicebot.domain.clock import SystemClock
from voicebot.domain.records import CallRecord
from voicebot.store.embedded import PostgresError
from voicebot.store.store import Store
from voicebot.strategy.policies import load_policies
from voicebot.telemetry.logs import setup_logs
from voicebot.telephony.probe import probe
from voicebot.worker.supervisor import Child, Supervisor

READY_WITHIN_S = 180.0
PATIENCE_S = 300.0
"""Most time for the first eight calls; each further call may take PER_CALL_S more."""
PER_CALL_S = 30.0
BOOKED_WITHIN_S = 10
"""Most time from the end of the last call until its promise is in the database."""
_KEPT = (
    "VOICEBOT_MODELS", "VOICEBOT_INTENT_MODEL", "VOICEBOT_SCRIPTS", "VOICEBOT_RECOGNIZER", "VOICEBOT_SYNTHESIZER",
    "VOICEBOT_RTP_PORTS", "VOICEBOT_OTLP_ENDPOINT",
)  # fmt: skip
"""What a demonstration takes over from the operator: what hears, speaks and decides, free ports, where traces go."""
WIDTH = 132
"""Columns of the table where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folder and addresses of one demonstration."""

    home: Path
    sip: str
    http: str
    phones: Phones
    latencies: Path

    @property
    def console(self) -> str:
        return f"http://{self.http}"


class NotReady(RuntimeError):
    """The installation did not come up; the message says where to read why."""


def run_demo(*, once: bool, calls: int, json_file: Path | None, home: Path | None) -> int:
    """Run the demonstration; the exit code is 0 only if every call ended, was recorded and verifies."""
    console = Console(stderr=True)
    if not console.is_terminal:
        console = Console(stderr=True, width=WIDTH)
    personas = _cast(calls)
    places = places_in((home or Path(tempfile.mkdtemp(prefix="voicebot-demo-"))).absolute(), personas)
    settle_in(places)
    try:
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # both end it tidily
        code: int = uvloop.run(_demo(places, console, personas, once=once, json_file=json_file))
        return code
    except KeyboardInterrupt:
        return 130
    except (NotReady, SettingsError, PostgresError) as error:
        console.print(f"[red]{error}[/]")
        return 1


def settle_in(places: Places) -> None:
    """An installation of its own: the operator's database, trunk and peers are no place for a demonstration."""
    for name in [name for name in os.environ if name.upper().startswith("VOICEBOT_")]:
        if name not in _KEPT:
            del os.environ[name]
    os.environ.update(
        VOICEBOT_HOME=str(places.home),
        VOICEBOT_SIP_LISTEN=places.sip,
        VOICEBOT_HTTP_LISTEN=places.http,
        VOICEBOT_WORKERS="1",
        VOICEBOT_DRAIN_SECONDS="20",
    )


async def _demo(
    places: Places, console: Console, personas: Sequence[Persona], *, once: bool, json_file: Path | None
) -> int:
    calls = len(personas)
    console.print(f"[bold]voicebot 演示[/] · {calls} 通电话 · 状态目录 {places.home}")
    async with on_stage(places, console, personas) as stage:
        await stage.open_the_day(places, personas, console)
        results = await stage.watch(personas, console)
        show_results(results, console, _latencies(places))
        await stage.close_the_day(results, console)
        _write(results, places, json_file)
        if not once:
            await _stay(places, stage.password, console, stage.supervisor)
    return 0 if len(results) == calls and all(call.verified for call in results) else 1


@dataclass(frozen=True, slots=True)
class OnStage:
    """An installation that runs, with its simulated people at their telephones and the campaign under way."""

    settings: Settings
    store: Store
    supervisor: Supervisor
    password: str

    async def open_the_day(self, places: Places, personas: Sequence[Persona], console: Console) -> None:
        """A lender's file comes in, is cut into segments, and is rung."""
        now = SystemClock().now()
        report = await import_file(self.store, personas, places.phones, now, places.home)
        show_import(report, NAME, console)
        ladder = load_policies(places.home).ladder
        everybody = Segment(creditor_id=CREDITOR.id)
        show_segments(await self.store.segments.portrait(everybody, now.date(), ladder), ladder, console)
        await agree_to_any_hour(self.store, len(personas), now)
        await start_campaign(self.store, "reminder", everybody, now)

    async def close_the_day(self, results: Sequence[DemoCall], console: Console) -> None:
        """What is left to be done, as soon as the last call is booked."""
        names = {call.record.case_id: call.persona.name for call in results if call.record.case_id}
        wanted = sum(call.promise is not None for call in results)
        for _ in range(BOOKED_WITHIN_S * 2):
            found = await follow_ups(self.store, names)
            if sum(one.what == PROMISE for one in found) >= wanted:
                break
            await asyncio.sleep(0.5)
        show_follow_ups(found, console)

    async def watch(self, personas: Sequence[Persona], console: Console) -> list[DemoCall]:
        """Follow the calls to their ends, then let the simulated people go home."""
        results = await _watch(self.store, self.settings, personas, console)
        await self.supervisor.stop(["debtors", "agents"])
        return results


@contextlib.asynccontextmanager
async def on_stage(
    places: Places, console: Console, personas: Sequence[Persona], *, script: str = "reminder", cast: Path | None = None
) -> AsyncIterator[OnStage]:
    """Start everything and the campaign; `cast` is the file of the personas where they are not the shipped ones."""
    setup_logs("WARNING")
    settings, log = load_settings(), places.home / "processes.log"
    async with running(settings, log) as (supervisor, url), Store.from_url(url) as store:
        people = () if cast is None else (str(cast),)
        debtors = Child("debtors", "voicebot.demo.far_end", (places.phones.far_end, str(places.latencies), *people))
        agents = Child("agents", "voicebot.demo.far_end", (places.phones.agents, str(places.home / "agents.json")))
        supervisor.start(debtors)
        supervisor.start(agents)
        _start_foreign_phones(supervisor, places)
        with console.status("正在启动：数据库、线路、识别、合成、控制台 …"):
            await _ready(places, log)
        password, now = secrets.token_urlsafe(6), SystemClock().now()
        await seat_people(store, places.phones, now, password)
        if cast is not None:
            await save_cases(store, personas, places.phones, now)
            await agree_to_any_hour(store, len(personas), now)
            await start_campaign(store, script, Segment(creditor_id=CREDITOR.id), now)
        yield OnStage(settings, store, supervisor, password)


def _cast(calls: int) -> list[Persona]:
    """`calls` personas; beyond the shipped ones they come again under another number."""
    shipped = load_personas()
    return [shipped[index % len(shipped)] for index in range(calls)]


def places_in(home: Path, personas: Sequence[Persona]) -> Places:
    home.mkdir(parents=True, exist_ok=True)
    wanted = dict.fromkeys(one.id for one in personas if one.foreign_phone) if foreign_phone.installed() else {}
    http, sip, debtors, agents, *foreign = (f"127.0.0.1:{port}" for port in _free_ports(3 + len(wanted)))
    phones = Phones(debtors, agents, dict(zip(wanted, foreign, strict=True)))
    return Places(home, sip, http, phones, home / "debtors.json")


def _free_ports(udp: int) -> list[int]:
    """Ports that are free now: one of TCP, then so many of UDP."""
    kinds = (socket.SOCK_STREAM, *[socket.SOCK_DGRAM] * udp)
    sockets = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _start_foreign_phones(supervisor: Supervisor, places: Places) -> None:
    """Put each persona that wants it on a phone we did not write."""
    for persona, address in places.phones.foreign.items():
        arguments = (address, str(places.home / "foreign-phone"), persona)
        supervisor.start(Child(f"foreign-phone-{persona}", "voicebot.demo.foreign_phone", arguments))


async def _ready(places: Places, log: Path) -> None:
    """Wait until line, brain and far end can take calls."""
    deadline = time.monotonic() + READY_WITHIN_S
    for address in (places.sip, places.phones.far_end, places.phones.agents):
        while await probe(host_port(address), 1.0) != 200:
            if time.monotonic() > deadline:
                raise NotReady(f"启动超时（{READY_WITHIN_S:.0f} 秒），原因见 {log}")
            await asyncio.sleep(0.2)


async def _watch(store: Store, settings: Settings, personas: Sequence[Persona], console: Console) -> list[DemoCall]:
    """Follow the calls until each case was rung once, or patience is over."""
    by_case = {case_id(number): persona for number, persona in enumerate(personas, 1)}
    board = Board(len(personas))
    ended: dict[str, CallRecord] = {}
    deadline = time.monotonic() + PATIENCE_S + PER_CALL_S * max(0, len(personas) - 8)
    with Live(board, console=console, refresh_per_second=6):
        follower = asyncio.create_task(_follow(store, board))
        try:
            while len(ended) < len(by_case) and time.monotonic() < deadline:
                await asyncio.sleep(0.5)
                records, _ = await store.calls.search(limit=500)
                for record in reversed(records):
                    if record.case_id in by_case:
                        board.begin(record.id, by_case[record.case_id])
                        if record.ended_at is not None and record.case_id not in ended:
                            ended[record.case_id] = record
                            board.end(record)
        finally:
            follower.cancel()
    return [
        await asyncio.to_thread(result_of, ended[case], persona, settings.recordings)
        for case, persona in by_case.items()
        if case in ended
    ]


async def _follow(store: Store, board: Board) -> None:
    async for live in store.facts.live():
        if live is not None:
            board.fact(live)


def _latencies(places: Places) -> list[float]:
    """What the far end measured: from the end of its answer to the first sound of the bot's."""
    try:
        return [float(ms) for ms in json.loads(places.latencies.read_text())["latencies_ms"]]
    except (OSError, ValueError, KeyError):
        return []


def _write(results: Sequence[DemoCall], places: Places, json_file: Path | None) -> None:
    if json_file is not None:
        rows = [call.row() for call in results]
        report = {"calls": rows, "console": places.console, "latencies_ms": _latencies(places)}
        json_file.write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")


async def _stay(places: Places, password: str, console: Console, supervisor: Supervisor) -> None:
    """Keep the console up until Ctrl-C."""
    login = f"用户 [bold]{DEMO_USER}[/]  密码 [bold]{password}[/]"
    console.print(f"控制台 [bold cyan]{places.console}[/]  {login}  Ctrl-C 结束")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
