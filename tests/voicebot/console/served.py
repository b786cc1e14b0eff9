"""A console of its own process, on its own database with a day of calls, for tests that talk HTTP to it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[3]


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """A running console: its address, its recordings, an API token of the administrator, its database."""

    url: str
    recordings: Path
    token: str
    database: str


@contextmanager
def serving(
    postgres: str, past_calls: int = 6, people: bool = False, scripts: bool = False, follow: bool = False,
    quality: bool = False,
) -> Iterator[Served]:  # fmt: skip
    """Start a console on a fresh database of the test server, with agents if `people`, with the library of call
    scripts and their designers if `scripts`, with promises, tickets and messages if `follow`,
    with calls checked, counted and drawn if `quality`; stop it at the end."""
    name = f"console_{os.getpid()}_{id(object())}"
    admin = postgres.replace("/voicebot?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE voicebot')
    url = postgres.replace("/voicebot?", f"/{name}?")
    with tempfile.TemporaryDirectory(prefix="vbconsole") as home:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.voicebot.console.served", url, home, str(past_calls)]
        wishes = {"people": people, "scripts": scripts, "follow": follow, "quality": quality}
        command += [name for name, wanted in wishes.items() if wanted]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the console did not start; its error is above"
            said = json.loads(line)
            yield Served(said["url"], Path(home) / "recordings", said["token"], url)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, "the console did not stop cleanly"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def _serve(
    url: str, home: Path, past_calls: int, people: bool, scripts: bool, follow: bool, quality: bool
) -> None:
    from tests.voicebot.console import day, floor_day, follow_day, quality_day, script_day
    from voicebot.console.server import serve_console
    from voicebot.console.settings import ConsoleSettings
    from voicebot.console.store_data import StoreData
    from voicebot.store import Store
    from voicebot.telemetry.logs import setup_logs

    setup_logs("WARNING")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Store.from_url(url) as store:
        now = day.morning()
        await day.seed(store, home / "recordings", now, past_calls)
        await day.run_call(store, 3, day.PROMISED, now, 22)
        if people:
            await floor_day.seed(store, now)
        if scripts:
            await script_day.seed(store, now)
        if follow:
            await follow_day.seed(store, now, day.PASSWORD)
        if quality:
            await quality_day.seed(store, home / "recordings", now)
        token = await store.tokens.issue("demo", "tests", now)

        def ready(address: str) -> None:
            print(json.dumps({"url": address, "token": token}), flush=True)

        settings = ConsoleSettings(
            port=0, recordings=home / "recordings", secret="a secret for tests", softphone=home / "softphone.sock",
            message_secret=follow_day.SECRET, wechat_token="a token for tests",
        )  # fmt: skip
        await serve_console(StoreData(store, home=home), settings, stop, ready)


if __name__ == "__main__":
    wanted = [name in sys.argv[4:] for name in ("people", "scripts", "follow", "quality")]
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), *wanted))
