"""Premises: what must stand on our side before we dial - rules, recorder, registered numbers, released words.

Looked at every few seconds; what could not be looked at counts as missing.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from voicebot.compliance.asking import asked
from voicebot.compliance.packs import Packs, load_packs
from voicebot.compliance.rulebook import Verdict
from voicebot.config import Settings
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.fleet import SKEW_STOPS_S
from voicebot.domain.permission import CallerId, DialRequest, Means, Recorder
from voicebot.domain.phone import same_line
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telemetry import metrics
from voicebot.telephony.trunk_file import trunks_of

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 5.0
STALE = dt.timedelta(seconds=60)
"""What was not looked at for that long is not known any more."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look. `problem`: why it failed, if it did."""

    at: dt.datetime
    packs: Packs
    recorder: Recorder
    registry: tuple[CallerId, ...]
    released: frozenset[str]


class Premises:
    """`judge` is the Judge of an installation. Run `keep` beside it, and wait for the first `look`.

    `shown`: numbers that the trunks may show; `alive_at`: when the recorder last showed a sign of life; `clock_off`:
    seconds by which our clock is before the database's.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        rules: Path,
        recordings: Path,
        shown: Sequence[str],
        alive_at: Callable[[], dt.datetime | None],
        clock_off: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._clock_off = clock_off
        self._store = store
        self._clock = clock
        self._rules = rules
        self._recordings = recordings
        self._shown = tuple(number for number in shown if _is_number(number))
        self._alive_at = alive_at
        self._stamp: tuple[tuple[str, int], ...] | None = None
        self._packs = load_packs()
        self._seen: _Seen | None = None
        self._warned: list[str] = []

    async def keep(self) -> None:
        """Look for ever, until cancelled; a database that is away leaves what was seen to grow stale."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def ready(self, stop: asyncio.Event, patience_s: float = 30.0) -> None:
        """Wait for the first look and for the recorder's first sign of life; without one it is not waited for ever."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        while not stop.is_set():
            if await self.look() and (self._recorder_lives() or loop.time() > until):
                return
            await asyncio.sleep(0.5)

    def _recorder_lives(self) -> bool:
        alive_at = self._alive_at()
        return alive_at is not None and self._clock.now() - alive_at < STALE

    async def look(self) -> bool:
        """Look once; False when the database is away."""
        try:
            registry = await self._store.caller_ids.all()
            on_air = await self._store.script_versions.on_air()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("what must stand before dialling can't be read", error=str(error))
            return False
        self._packs = await asyncio.to_thread(self._read_rules)
        self._seen = _Seen(
            self._clock.now(),
            self._packs,
            Recorder(self._alive_at(), await asyncio.to_thread(free_bytes, self._recordings)),
            tuple(registry),
            frozenset(entry.version.script for entry in on_air),
        )
        self._warn()
        return True

    @property
    def packs(self) -> Packs:
        return self._packs

    @property
    def least_free(self) -> int:
        """Bytes that must be free for recordings, or the rulebook lets nobody be dialled."""
        return least_free(self._packs)

    def judge(self, request: DialRequest, now: dt.datetime) -> Verdict:
        """The rulebook's answer, with what we would call with."""
        return asked(replace(request, now=now, means=self.means(request, now)), self._packs)

    def means(self, request: DialRequest, now: dt.datetime) -> Means:
        seen = self._seen
        if seen is None or now - seen.at > STALE:
            return Means(Recorder(None, 0))
        shown = () if request.number.startswith(("sip:", "sips:")) else self._shown
        recorder = replace(seen.recorder, clock_off_s=round(self._clock_off(), 1))
        return Means(recorder, shown, seen.registry, request.script in seen.released)

    def lacks(self) -> list[str]:
        """What is missing now besides rules and calendar, in the operator's words."""
        seen, now = self._seen, self._clock.now()
        if seen is None or now - seen.at > STALE:
            return ["数据库没有响应，拨打前的条件未知，已停止拨打"]
        alive_at = seen.recorder.alive_at
        missing = [] if alive_at and now - alive_at < STALE else ["录音机没有心跳，已停止拨打：请看语音进程"]
        if abs(off := self._clock_off()) > SKEW_STOPS_S:
            missing.append(f"本机时钟偏差 {off:+.0f} 秒，已停止拨打：请检查时间同步")
        numbers = unregistered(self._shown, seen.registry)
        return missing + [f"主叫号码 {number} 未登记，已停止拨打：请在规则页登记" for number in numbers]

    def _read_rules(self) -> Packs:
        """The packs, read again when a file of theirs changed."""
        stamp = tuple((file.name, file.stat().st_mtime_ns) for file in sorted(self._rules.glob("*.yaml")))
        if stamp == self._stamp:
            return self._packs
        self._stamp = stamp
        packs = load_packs(self._rules)
        for problem in packs.problems:
            log.error("a rule file can't be read: nobody is dialled until it is mended", problem=problem)
        return packs

    def _warn(self) -> None:
        """Say once what will keep us from dialling, and show how many days of calendar are left."""
        today = self._clock.now().astimezone(SHANGHAI).date()
        show_rules(self._packs, today)
        warnings = self._packs.warnings(today)
        for text in warnings:
            if text not in self._warned:
                log.warning("dialling will stop", why=text)
        self._warned = warnings


def premises_of(
    settings: Settings,
    store: Store,
    clock: Clock,
    alive_at: Callable[[], dt.datetime | None],
    clock_off: Callable[[], float] = lambda: 0.0,
) -> Premises:
    """The premises of an installation."""
    return Premises(
        store,
        clock,
        rules=settings.home / "rules",
        recordings=settings.recordings,
        shown=[number for trunk in trunks_of(settings) for number in trunk.caller.numbers],
        alive_at=alive_at,
        clock_off=clock_off,
    )


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder that may not exist yet; 0 when that can't be said."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0


def least_free(packs: Packs) -> int:
    """Bytes that must be free for recordings by the strictest of the packs."""
    return max((pack.figure("recorder", "recorder_free_mib", 0) for pack in packs.all), default=0) << 20


def disk_reserve_mb(settings: Settings) -> int:
    """What is kept free for calls that run: what the setting says, and never less than the rulebook wants."""
    return max(settings.disk_reserve_mb, least_free(load_packs(settings.home / "rules")) >> 20)


def show_rules(packs: Packs, today: dt.date) -> None:
    """Set the gauges: days of calendar left, and 1 for every pack in force."""
    left = [pack.calendar.last_day(today) for pack in packs.laws.values() if pack.rules_for("quiet")]
    days = (-1 if day is None else (day - today).days for day in left)
    metrics.CALENDAR_DAYS_LEFT.set(min(days, default=0))
    metrics.RULE_PACKS.clear()
    for pack in packs.all:
        metrics.RULE_PACKS.labels(pack.name, pack.version, pack.sha256[:12]).set(1)


def _is_number(text: str) -> bool:
    """Whether a caller identity is a telephone number; a user name is the carrier's to replace."""
    return same_line(text).isdigit()


def unregistered(shown: Iterable[str], registry: Iterable[CallerId]) -> list[str]:
    """Numbers that trunks may show and nobody registered."""
    known = {same_line(entry.number) for entry in registry}
    return [number for number in shown if _is_number(number) and same_line(number) not in known]
