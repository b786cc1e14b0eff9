"""The line process: telephony, recorder, journal and bridge; no model ever runs here."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import sys
from dataclasses import asdict

import structlog

from voicebot import __version__
from voicebot.call.relay import Relays
from voicebot.call.runner import CallRunner
from voicebot.call.shelf import frozen_folder
from voicebot.config import Settings, scripts_dir
from voicebot.domain.records import AlertKind
from voicebot.domain.talk import Order, Stored
from voicebot.evidence.depot.sweeping import keep_swept
from voicebot.evidence.room import RecordingRoom
from voicebot.evidence.signer import Signer
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store.migrate import newest
from voicebot.store.store import Store
from voicebot.store.urls import first_host
from voicebot.telemetry.cpu_clock import spent
from voicebot.telemetry.process_figures import LineFigures, keep_writing
from voicebot.telephony.admission import Limits, LoadGate, watch
from voicebot.telephony.engines import open_line
from voicebot.telephony.fellows import Fellows
from voicebot.telephony.leg import CallLeg
from voicebot.telephony.trunk_choice import Trouble
from voicebot.telephony.trunk_figures import trunk_figures
from voicebot.worker.authority import granted, load_bot_authorities
from voicebot.worker.book import StoreBook
from voicebot.worker.callers import KnownCallers
from voicebot.worker.commands import CommandTaker
from voicebot.worker.company import fleet_secret, keep_company
from voicebot.worker.crew import LineCrew, MemberRoom
from voicebot.worker.fleet_clock import FleetClock
from voicebot.worker.frozen import keep_frozen
from voicebot.worker.lifeline import database_url, run_process
from voicebot.worker.line_link import BrainLink
from voicebot.worker.membership import Membership
from voicebot.worker.names import joining_of, link_path, reached_at, rtp_range, sip_address, worker_name
from voicebot.worker.premises import premises_of
from voicebot.worker.priority import go_first
from voicebot.worker.sealing import Sealing
from voicebot.worker.ticks import Sound
from voicebot.worker.trunk_sharing import TrunkSharing

log = structlog.get_logger(__name__)


BOOKED_WITHIN_S = 60.0
"""A database that takes longer to hear what an earlier life left does not keep the worker from joining."""
_TROUBLES = {
    Trouble.REFUSED: "注册被拒绝，请检查账号和密码",
    Trouble.SILENT: "对 OPTIONS 无应答，请检查网络和运营商",
    Trouble.FAILING: "连续呼叫失败，已暂停使用",
}


class LineProcess:
    """Builds and runs one line. `index` numbers the workers of this machine from 0."""

    def __init__(self, settings: Settings, url: str, index: int, secret: str = "") -> None:
        """`secret`: what the workers of a fleet share."""
        self._url = url
        self._members = Store.from_url(url, pool_size=1)  # no queue delays a sign of life
        self._membership: Membership | None = None
        self._settings = settings
        self._index = index
        self._worker = worker_name(index, settings.home)
        self._clock = FleetClock()
        self._store = Store.from_url(url)
        self._signer = Signer.load_or_create(settings.keys)
        self._book = StoreBook(self._store, self._worker, settings.recordings, self._clock)
        self._sealing = Sealing(
            settings.recordings, self._signer, self._clock, self._book, self._sees_to, self._on_unsealed
        )
        self._premises = premises_of(
            settings,
            self._store,
            self._clock,
            self._clock.now,  # this line is the recorder
            lambda: self._membership.skew_s if self._membership else 0.0,
        )
        self._fellows = Fellows(secret, self._worker)
        self._desk = StoreDesk(self._store, self._clock, self._fellows.way_to)
        self._alerts: set[asyncio.Task[None]] = set()
        self._link = BrainLink(self._on_order, self._on_sound, self._on_lost)
        self._line = open_line(
            settings,
            index,
            sip_address(settings, index),
            rtp_range(settings, index),
            on_incoming=self._on_incoming,
            refusal=self._refusal,
            fellows=self._fellows,
            on_extension=self._on_extension,
        )
        self._relays = Relays(self._line, self._store.agents.find)
        self._line.trunks.on_trouble = self._on_trunk_trouble
        self._gate = LoadGate(Limits.of(settings.most_late_ms), has_way_out=self._line.trunks.has_way_out)
        self._runner = CallRunner(
            self._line,
            self._link,
            self._desk,
            self._book,
            self._clock,
            recordings=settings.recordings,
            signer=self._signer,
            scripts=scripts_dir(),
            frozen_scripts=frozen_folder(settings.home),
            granted=functools.partial(granted, table=load_bot_authorities(settings.home)),
            max_calls=settings.max_calls,
            inbound_script=settings.inbound_script,
            worker=self._worker,
            look_up=KnownCallers(self._store),
            institution=settings.institution,
            engines={"recognizer": settings.recognizer, "synthesizer": settings.synthesizer},
            admission=self._gate,
            script_of=self._line.script_of,
            rules=transfer_rules(settings),
            room=MemberRoom(
                RecordingRoom(settings.recordings, self._disk_reserve), lambda: self._in_good_standing
            ),
            unsealed=self._sealing.later,
        )
        self._sharing = TrunkSharing(
            self._store.trunk_shares,
            self._line.trunks,
            self._worker,
            registers=self._line.registers,
            fit=lambda: not self._runner.draining,
            first=index == 0,
        )
        self._crew = LineCrew(self._runner, self._relays, self._figures, settings.max_calls)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then drain."""
        writer = asyncio.create_task(self._book.run())
        await self._sealing.at_start()
        await self._link.listen(link_path(self._settings, self._index))
        await self._line.start(register=False)  # who does is settled with the other lines
        self._line.after_tick(self._link.tick)
        sharing = asyncio.create_task(self._sharing.run())
        commands = asyncio.create_task(self._take_commands())
        figures = asyncio.create_task(keep_writing(self._settings.home, self._index, self._figures))
        people = asyncio.create_task(self._desk.run())
        company = asyncio.create_task(keep_company(self._store, self._fellows))
        membership = self._membership = self._join_as()
        member = asyncio.create_task(self._be_member(membership))
        scripts = asyncio.create_task(keep_frozen(self._store, frozen_folder(self._settings.home)))
        swept = asyncio.create_task(keep_swept(self._store, self._settings.recordings, [self._worker], self._clock))
        sealing = asyncio.create_task(self._sealing.keep())
        load = asyncio.create_task(watch(self._gate, lambda: self._line.lateness.counts, lambda: self._link.lag_ms))
        log.info("line ready", worker=self._worker, sip=":".join(map(str, self._line.address)))
        gc.freeze()
        try:
            await stop.wait()
            log.info("draining", calls=self._runner.running)
            self._crew.stopping = True
            drained = asyncio.create_task(self._runner.drain(self._settings.drain_seconds))
            await self._line.withdraw()
            await drained
            await self._relays.drain(self._settings.drain_seconds)
        finally:
            company.cancel()
            commands.cancel()
            sharing.cancel()
            figures.cancel()
            load.cancel()
            swept.cancel()
            sealing.cancel()
            people.cancel()
            scripts.cancel()
            await self._line.close()
            await self._link.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._book.drain(), 10)
            await self._sharing.give_back()
            writer.cancel()
            member.cancel()
            await membership.leave()
            await self._members.close()
            await self._store.close()
        lateness = self._line.lateness
        log.info("line stopped", ticks=lateness.count, late_over_40_ms=lateness.later_than(40.0))

    async def _take_commands(self) -> None:
        """Only a worker that can converse takes work."""
        await self._link.ready.wait()
        premises = self._premises
        await premises.ready(asyncio.Event())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(premises.keep())
            holds = lambda: self._in_good_standing  # noqa: E731
            taker = CommandTaker(self._store, self._runner, self._worker, self._clock, premises.judge, holds)
            tasks.create_task(taker.run())

    def _join_as(self) -> Membership:
        sip = reached_at(self._settings, first_host(self._url), self._line.address)
        joining = joining_of(self._settings, self._index, __version__, newest(), sip)
        return Membership(self._members.workers, joining, self._crew, self._clock)

    async def _be_member(self, membership: Membership) -> None:
        """Join once it is written what an earlier life left: what stays open then is lost."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._book.drain(), BOOKED_WITHIN_S)
        await membership.run()

    @property
    def _in_good_standing(self) -> bool:
        return self._membership is not None and self._membership.may_dial

    def _figures(self) -> LineFigures:
        return LineFigures(
            late=self._line.late_ticks,
            late_sum_s=self._line.lateness.total_ms / 1000,
            brain_alive=self._link.alive,
            brain_lag_s=self._link.lag_ms / 1000,
            ticks_dropped=self._link.ticks_dropped,
            calls=self._runner.running,
            admits=self._gate.is_open,
            may_dial=self._runner.may_dial,
            overloads=self._gate.closings,
            trunks=tuple(asdict(one) for one in trunk_figures(self._line.trunks)),
            cpu_s=spent(),
            unsealed=self._sealing.waiting,
        )

    def _disk_reserve(self) -> int:
        return max(self._settings.disk_reserve_mb << 20, self._premises.least_free)

    def _sees_to(self, worker: str | None) -> bool:
        """What this worker recorded; the first one also sees to what workers left that there are no more."""
        everybody = [worker_name(index, self._settings.home) for index in range(self._settings.workers)]
        return worker == self._worker or (self._index == 0 and worker is not None and worker not in everybody)

    # --- wiring --------------------------------------------------------------------------------------------

    def _refusal(self) -> int | None:
        return self._runner.refusal()

    async def _on_incoming(self, leg: CallLeg) -> None:
        await self._runner.incoming(leg)

    async def _on_extension(self, leg: CallLeg) -> None:
        await self._relays.take(leg)

    def _on_order(self, order: Order) -> None:
        if isinstance(order, Stored):
            return
        session = self._runner.sessions.get(order.call)
        if session is not None:
            session.obey(order)

    def _on_sound(self, sound: Sound) -> None:
        session = self._runner.sessions.get(sound.call)
        if session is not None:
            session.sound(sound.utterance_id, sound.pcm, sound.last)

    def _on_lost(self, silent_ms: int) -> None:
        self._runner.brain_lost(silent_ms)
        for session in self._runner.sessions.values():
            text = f"{self._worker} 的对话进程没有反应，通话由线路照看"
            self._alert(AlertKind.BRAIN_LOST, text, session.call_id)
            break  # one alert tells of all calls

    def _on_trunk_trouble(self, trunk: str, why: Trouble, said: str) -> None:
        last = f"（{said}）" if said and said != why else ""
        self._alert(AlertKind.TRUNK_DOWN, f"中继线 {trunk} 不可用：{_TROUBLES[why]}{last}", None)

    def _on_unsealed(self, waiting: int) -> None:
        text = f"{self._worker} 有 {waiting} 通录音因磁盘无法封存：请腾出空间，之后会自动封存"
        self._alert(AlertKind.DISK_FULL, text, None)

    def _alert(self, kind: AlertKind, text: str, call_id: str | None) -> None:
        task = asyncio.create_task(self._desk.alert(kind, text, call_id))
        self._alerts.add(task)
        task.add_done_callback(self._alerts.discard)


def transfer_rules(settings: Settings) -> TransferRules:
    """What the settings say about fetching people."""
    return TransferRules(
        wait_s=settings.transfer_wait_s,
        urgent_wait_s=settings.transfer_urgent_wait_s,
        ring_s=settings.transfer_ring_s,
        by_key=settings.transfer_by_key,
        greets=settings.transfer_greeting,
    )


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    log.info("line starts", turn=go_first())
    url = database_url()
    async with Store.from_url(url, pool_size=1) as store:
        secret = await fleet_secret(store, settings.home)
    await LineProcess(settings, url, int(sys.argv[1]), secret).run(stop)


if __name__ == "__main__":  # python -m voicebot.worker.line_process INDEX
    sys.exit(run_process(_main))
