"""Fleet: what a control knows of all workers and controls; who leads takes the silent for dead."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from voicebot.domain.fleet import DEAD_AFTER_S, SKEW_STOPS_S, SKEW_WARNS_S, ControlSeen, WorkerSeen, WorkerState
from voicebot.domain.records import AlertKind
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telemetry import metrics
from voicebot.telemetry.process_figures import read_trunks
from voicebot.worker.fleet_clock import FleetClock, skew_s

log = structlog.get_logger(__name__)

EVERY_S = 1.0
_COUNTS_S = 2.0
"""A pause between two looks counts as so much silence at most: perhaps it was we who did not hear."""
_USABLE = ("up", "trial")


@dataclass(frozen=True, slots=True)
class Me:
    """The control that looks: its name, version, newest migration, and where its console is."""

    name: str
    version: str
    schema: str
    http: str


class Watch:
    """How long each name has said nothing new, by our own steady clock: a database that was away kills nobody."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._silent: dict[str, tuple[dt.datetime, float]] = {}
        self._looked_at: float | None = None

    def look(self, signs: Mapping[str, dt.datetime]) -> set[str]:
        """The names that have been silent for DEAD_AFTER_S of the time in which somebody looked."""
        now = self._monotonic()
        watched = min(now - self._looked_at, _COUNTS_S) if self._looked_at is not None else 0.0
        self._looked_at = now
        before = self._silent
        self._silent = {
            name: (at, before[name][1] + watched if name in before and before[name][0] == at else 0.0)
            for name, at in signs.items()
        }
        return {name for name, (_, seconds) in self._silent.items() if seconds >= DEAD_AFTER_S}


class Fleet:
    """`leads`: whether this control leads now. `clock` is set by what the database says. Run `keep` beside it."""

    def __init__(
        self, store: Store, me: Me, clock: FleetClock, leads: Callable[[], bool] = lambda: False
    ) -> None:
        self._store, self._me, self.clock, self._leads = store, me, clock, leads
        self._watch, self._watch_controls = Watch(clock.monotonic), Watch(clock.monotonic)
        self._warned: set[str] = set()
        self.workers: tuple[WorkerSeen, ...] = ()
        self.controls: tuple[ControlSeen, ...] = ()
        self.dead_controls: frozenset[str] = frozenset()
        """Names of controls that were silent for long; what they dialled is for others to see to."""
        self.skew_s = 0.0
        """How far our machine's clock is before the database's."""
        self.alive_at: dt.datetime | None = None
        """When any worker, which records, last showed a sign of life; by the database's clock."""

    async def keep(self) -> None:
        """Look every second until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not is_away(error):
                    log.exception("the fleet can't be seen")
            await asyncio.sleep(EVERY_S)

    async def leave(self) -> None:
        """This control ends."""
        with contextlib.suppress(Exception):  # a database that is away sees it by itself
            await self._store.workers.leave_control(self._me.name)

    async def look(self) -> None:
        """Show a sign of life, and see who else does."""
        await self._beat()
        self.workers = tuple(await self._store.workers.all())
        self.controls = tuple(await self._store.workers.controls())
        now = self.clock.now()
        ages = [worker.age_s for worker in self.workers if worker.living]
        self.alive_at = now - dt.timedelta(seconds=min(ages)) if ages else None
        self.dead_controls = frozenset(self._watch_controls.look({one.name: one.seen_at for one in self.controls}))
        silent = self._watch.look({worker.name: worker.seen_at for worker in self.workers if worker.living})
        if self._leads():
            for worker in self.workers:
                if worker.name in silent:
                    await self._bury(worker)
            await self._tell_of_clocks()
        show(self.workers, self.controls)

    @property
    def leader_is_silent(self) -> bool:
        """The control that leads stands still, and no other has taken its place."""
        leading = {one.name for one in self.controls if one.leads}
        return bool(leading) and leading <= self.dead_controls

    async def _beat(self) -> None:
        began, steady, me = self.clock.own.now(), self.clock.monotonic(), self._me
        at = await self._store.workers.beat_control(
            me.name, me.version, me.schema, http=me.http, leads=self._leads(), skew_ms=round(self.skew_s * 1000)
        )
        self.clock.learn(steady, at, self.clock.monotonic())
        self.skew_s = skew_s(began, at, self.clock.own.now())

    async def _bury(self, worker: WorkerSeen) -> None:
        lost = await self._store.workers.declare_dead(worker.name, worker.seen_at)
        if lost is None:
            return
        log.error("a worker is gone", worker=worker.name, machine=worker.machine, calls=len(lost))
        text = f"{worker.name} 失去联系，{len(lost)} 通通话按规则另行安排；是否已挂断未知"
        await self._store.alerts.ring(AlertKind.WORKER_LOST, text, self.clock.now())

    async def _tell_of_clocks(self) -> None:
        """One alert for each clock that begins to be wrong."""
        clocks = {one.name: one.skew_ms / 1000 for one in self.workers if one.living}
        clocks |= {one.name: one.skew_ms / 1000 for one in self.controls if one.living}
        wrong = {name for name, seconds in clocks.items() if abs(seconds) > SKEW_WARNS_S}
        for name in sorted(wrong - self._warned):
            text = f"{name} 的时钟偏差 {clocks[name]:+.1f} 秒：请检查时间同步"
            await self._store.alerts.ring(AlertKind.CLOCK_WRONG, text, self.clock.now())
        self._warned = wrong

    @property
    def clock_is_right(self) -> bool:
        """False while our own clock is too wrong to judge by: then somebody else should lead."""
        return abs(self.skew_s) <= SKEW_STOPS_S

    # --- what the dialler asks

    def names(self) -> list[str]:
        """Workers that live and are not to be stopped."""
        return [worker.name for worker in self.workers if worker.state is WorkerState.UP]

    def may_dial(self, name: str) -> bool:
        """Whether a worker would take an order, as it last said itself."""
        return any(worker.name == name and worker.may_dial for worker in self._up)

    @property
    def capacity(self) -> int:
        """Calls at once that all workers carry together."""
        return sum(worker.most for worker in self._up)

    @property
    def free(self) -> int | None:
        """Further calls that the trunks carry for workers that may dial; None where nothing limits them."""
        rooms = [free_channels(worker.figures) for worker in self._up if worker.may_dial]
        limited = [room for room in rooms if room is not None]
        return sum(limited) if len(limited) == len(rooms) else None

    @property
    def _up(self) -> list[WorkerSeen]:
        return [worker for worker in self.workers if worker.state is WorkerState.UP]


def free_channels(figures: Mapping[str, object]) -> int | None:
    """Free channels of the trunks that work; None for a line without trunks."""
    trunks = list(read_trunks(figures))
    if not trunks:
        return None
    return sum(_whole(one, "channels") - _whole(one, "used") for one in trunks if one.get("state") in _USABLE)


def _whole(row: Mapping[str, object], key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) else 0


def show(workers: tuple[WorkerSeen, ...], controls: tuple[ControlSeen, ...]) -> None:
    """Set the gauges of the fleet."""
    for gauge in (metrics.WORKER_UP, metrics.WORKER_CALLS, metrics.CLOCK_AHEAD, metrics.CONTROL_LEADS):
        gauge.clear()
    for worker in workers:
        metrics.WORKER_UP.labels(worker.name).set(worker.state is WorkerState.UP)
        metrics.WORKER_CALLS.labels(worker.name).set(worker.calls)
        if worker.living:
            metrics.CLOCK_AHEAD.labels(worker.name).set(worker.skew_ms / 1000)
    for control in controls:
        metrics.CONTROL_LEADS.labels(control.name).set(control.leads and control.living)
        if control.living:
            metrics.CLOCK_AHEAD.labels(control.name).set(control.skew_ms / 1000)
