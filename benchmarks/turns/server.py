"""The server under test: a whole installation that is ordered to ring the far end, and what its processes used."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import socket
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.line.rows import cpu_s
from voicebot.app import running
from voicebot.config import Settings, host_port
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.journal import FactKind
from voicebot.domain.records import Number
from voicebot.evidence.reading import read_journal
from voicebot.evidence.verify import verify_bundle
from voicebot.store.cases import NewCase
from voicebot.store.store import Store
from voicebot.telephony.probe import probe
from voicebot.worker.commands import DIAL, address_of
from voicebot.worker.names import sip_address, worker_name
from voicebot.worker.supervisor import Child, Supervisor

READY_WITHIN_S = 180.0
CALL_WITHIN_S = 180.0
CREDITOR = Creditor("bench", "示范消费金融有限公司", "示范服务中心", "4008001234")


@dataclass(frozen=True, slots=True)
class Server:
    """A running installation; `far_end` answers its calls."""

    settings: Settings
    supervisor: Supervisor
    store: Store
    far_end: str
    url: str

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of line, brain and the far end so far."""
        names = {"line": "line-0", "brain": "brain-0", "far_end": "far-end"}
        return {name: cpu_s(_pid(self.supervisor.children[child])) for name, child in names.items()}

    async def ring(self, number: int) -> float:
        """One reminder call to its end; its length in seconds."""
        now = dt.datetime.now(dt.UTC)
        await self.store.cases.save([case_of(number, self.far_end, now)], now)
        call_id, began = f"turns-{number}", time.monotonic()
        target, case = f"sip:{number}@{self.far_end}", f"T-{number}"
        payload = {"call_id": call_id, "target": target, "script": "reminder", "case_id": case}
        await self.store.commands.issue(address_of(worker_name(0)), DIAL, now, by="benchmark", payload=payload)
        while time.monotonic() < began + CALL_WITHIN_S:
            record = await self.store.calls.find(call_id)
            if record is not None and record.ended_at is not None:
                break
            await asyncio.sleep(0.5)
        return time.monotonic() - began


@contextlib.asynccontextmanager
async def server(
    home: Path, calls: int, prompts: Path, *, workers: int = 1, phones: Sequence[str] = ()
) -> AsyncIterator[Server]:
    """Start everything for this many calls at once; on leaving it all has ended and logs and report are whole.

    `prompts`: a folder in which one server leaves to the next what it rendered at its start. `phones`: further options
    of the far end.
    """
    (home / "prompts").symlink_to(prompts)
    ports = _free_ports(workers + 1)  # the last one is the far end's
    sip, far_end = f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[-1]}"
    http = f"127.0.0.1:{_free(socket.SOCK_STREAM)}"
    settings = Settings(
        home=home, sip_listen=sip, http_listen=http, max_calls=calls + 2, drain_seconds=5, workers=workers
    )
    async with running(settings, home / "processes.log") as (supervisor, url), Store.from_url(url) as store:
        report = str(home / "far-end.json")
        supervisor.start(Child("far-end", "benchmarks.turns.far_end", (report, "--listen", far_end, *phones)))
        await _ready([*(_spelt(sip_address(settings, index)) for index in range(workers)), far_end])
        await store.cases.save_creditor(CREDITOR)
        yield Server(settings, supervisor, store, far_end, url)
        await supervisor.stop(["far-end"])


def heard(home: Path) -> dict[str, Any]:
    """What the far end measured."""
    figures: dict[str, Any] = json.loads((home / "far-end.json").read_text())
    return figures


def punctuality(home: Path) -> dict[str, int]:
    """Ticks of all lines and how many came more than 40 ms late, from their last words."""
    told = {"ticks": 0, "late_over_40_ms": 0}
    for line in (home / "processes.log").read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if entry.get("event") == "line stopped":
                told = {key: told[key] + int(entry[key]) for key in told}
    if not told["ticks"]:
        raise SystemExit(f"the line did not stop tidily, see {home / 'processes.log'}")
    return told


def turn_parts(bundles: Iterable[Path]) -> list[tuple[float, float]]:
    """Of every turn, by the journals: ms from the end of speech until the turn was over and its words were known, and
    from there to the first sound of the answer. ValueError where evidence does not verify."""
    parts = []
    for bundle in bundles:
        if failures := verify_bundle(bundle).failures:
            raise ValueError(f"{bundle}: {failures}")
        heard_ms = end_ms = 0.0
        for fact in read_journal(bundle):
            if fact.kind is FactKind.HEARD:
                heard_ms, end_ms = fact.ms, float(str(fact.data["end_ms"]))
            elif fact.kind is FactKind.LATENCY:
                parts.append((heard_ms - end_ms, fact.ms - heard_ms))
    return parts


async def _ready(addresses: Iterable[str]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    for address in addresses:
        while await probe(host_port(address), 1.0) not in (200, 480):
            if time.monotonic() > deadline:
                raise SystemExit(f"nobody answers at {address}")
            await asyncio.sleep(0.2)


def case_of(number: int, far_end: str, now: dt.datetime) -> NewCase:
    debtor = Debtor(f"turns-{number}", "李振海", id_last4="4321", birth_mmdd="0815")
    case = Case(f"T-{number}", debtor, CREDITOR, "消费分期", 126800, 3, now.date(), principal_fen=126800, fees_fen=0)
    return NewCase(case, (Number(f"sip:{number}@{far_end}"),))


def _pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def _spelt(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _free_ports(count: int) -> list[int]:
    """So many free ports for UDP, each two above the one before, as workers take them."""
    while True:
        first = _free(socket.SOCK_DGRAM)
        ports = list(range(first, first + 2 * count, 2))
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in ports:
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            return ports


def _free(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
