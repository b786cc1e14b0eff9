"""The control process: console, REST API, dialler and housekeeping. One is active; others stand by."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence

import structlog

from voicebot import __version__
from voicebot.campaign.afterwork import afterwork
from voicebot.campaign.care import load_follow_up
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.inbound import InboundFollower
from voicebot.campaign.pacing import Load
from voicebot.campaign.permission import caps_of
from voicebot.campaign.placement import Placement
from voicebot.config import Settings, host_port
from voicebot.console.agreement import load_authorities
from voicebot.console.server import serve_console
from voicebot.console.settings import ConsoleSettings, door_of
from voicebot.console.store_data import StoreData, shared_secret
from voicebot.domain.clock import Clock
from voicebot.domain.ice import parse_ice_servers
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.depot.objects import StoreTrouble
from voicebot.evidence.depot.protection import Protection
from voicebot.evidence.keeping import keep_evidence
from voicebot.handoff.housekeeping import keep_desk
from voicebot.messages.gateways import email_channel
from voicebot.messages.manners import load_manners
from voicebot.messages.templates import load_templates
from voicebot.quality.afterwards import Afterwards
from voicebot.reports.delivery import Delivery
from voicebot.reports.rollup import RollUp
from voicebot.softphone.link import socket_path
from voicebot.store import DatabaseError, Store
from voicebot.store.leadership import Leadership
from voicebot.store.master_key import VaultLocked
from voicebot.store.migrate import newest
from voicebot.strategy.cadence import CadencePlanner
from voicebot.strategy.escalation import Escalator
from voicebot.strategy.policies import PolicyShelf
from voicebot.strategy.scoring import Scoring
from voicebot.telemetry import metrics
from voicebot.telemetry.metrics_server import serving_metrics
from voicebot.telemetry.process_figures import ProcessFigures
from voicebot.telephony.trunk_file import channels_of, trunks_of
from voicebot.worker.fleet import Fleet, Me
from voicebot.worker.fleet_clock import FleetClock
from voicebot.worker.ledger_chain import keep_chain
from voicebot.worker.lifeline import database_url, run_process
from voicebot.worker.names import control_name
from voicebot.worker.premises import Premises, disk_reserve_mb, premises_of
from voicebot.worker.published import publish
from voicebot.worker.turns import Turns

log = structlog.get_logger(__name__)

STAND_BY_S = 2.0


async def control(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """Serve the console; dial as long as this process leads. After `stop` running calls are waited for."""
    console_stop = asyncio.Event()
    clock = FleetClock()
    async with Store.from_url(url) as store, Store.from_url(url, pool_size=1) as members:
        metrics.REGISTRY.register(ProcessFigures(settings.home, disk_reserve_mb(settings)))
        lead = store.lead("dialler")
        me = Me(control_name(settings.home), __version__, newest(), settings.http_listen)
        fleet = Fleet(members, me, clock, lambda: lead.held)
        premises = premises_of(settings, store, clock, lambda: fleet.alive_at, lambda: fleet.skew_s)
        watching = [asyncio.create_task(work) for work in (fleet.keep(), premises.keep(), publish(store, clock))]
        console = asyncio.create_task(_console(store, settings, premises, fleet, console_stop))
        published = contextlib.ExitStack()
        published.enter_context(serving_metrics(settings.metrics_address, metrics.REGISTRY))
        try:
            await _dial_when_leading(store, settings, premises, fleet, lead, stop)
        finally:
            published.close()
            console_stop.set()
            await console
            for task in watching:
                task.cancel()
            await fleet.leave()


async def _console(
    store: Store, settings: Settings, premises: Premises, fleet: Fleet, stop: asyncio.Event
) -> None:
    """Serve the console until `stop`; what keeps it from opening is said aloud, and it is tried again."""
    host, port = host_port(settings.http_listen)
    while not stop.is_set():
        try:
            secret = await shared_secret(store)
            await _lock_secrets(store)
            console = ConsoleSettings(
                host=host,
                port=port,
                recordings=settings.recordings,
                secret=secret,
                version=__version__,
                synthesizer=settings.synthesizer,
                home=settings.home,
                softphone=socket_path(settings),
                ice_servers=parse_ice_servers(settings.ice_servers),
                message_secret=settings.message_secret.get_secret_value() if settings.message_secret else "",
                wechat_token=settings.wechat_token.get_secret_value() if settings.wechat_token else "",
                door=door_of(settings),
            )
            data = StoreData(
                store,
                clock=fleet.clock,
                turns=Turns(fleet.names, fleet.may_dial),
                authorities=load_authorities(settings.home),
                targets=settings.transfer_targets,
                home=settings.home,
                model=settings.score_model,
                templates=tuple(load_templates(settings.message_templates)),
                premises=premises,
                care=load_follow_up(settings.follow_up),
                manners=load_manners(settings.channels),
            )
            await serve_console(data, console, stop)
            return
        except (OSError, DatabaseError) as error:
            log.error("no console: free VOICEBOT_HTTP_LISTEN", address=settings.http_listen, error=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STAND_BY_S)


async def _lock_secrets(store: Store) -> None:
    """Put under the master key what was saved before there was one."""
    try:
        await store.webhooks.lock_secrets()
    except VaultLocked as locked:
        log.error("secrets of webhooks cannot be read", why=str(locked))


async def _dial_when_leading(
    store: Store, settings: Settings, premises: Premises, fleet: Fleet, lead: Leadership, stop: asyncio.Event
) -> None:
    try:
        while not stop.is_set():
            if fleet.clock_is_right and await _leads(lead):
                await _dial_while(lead, store, settings, premises, fleet, stop)
            elif fleet.clock_is_right and fleet.leader_is_silent:
                await _oust(lead)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STAND_BY_S)
    finally:
        await lead.give_up()


async def _oust(lead: Leadership) -> None:
    with contextlib.suppress(DatabaseError, OSError):
        if await lead.oust():
            log.error("the control that led stood still: its lead was taken away")


async def _leads(lead: Leadership) -> bool:
    """Whether this process leads; while the database is away nobody does."""
    try:
        return await lead.hold()
    except (DatabaseError, OSError):
        return False


async def _dial_while(
    lead: Leadership, store: Store, settings: Settings, premises: Premises, fleet: Fleet, stop: asyncio.Event
) -> None:
    """Dial until `stop`, or until another control leads: then calls under way are seen to their end, none begins."""
    ending = asyncio.Event()

    async def watch() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STAND_BY_S)
            with contextlib.suppress(DatabaseError, OSError):  # while it is away nobody else can lead either
                if not fleet.clock_is_right:
                    log.error("our clock is wrong: whoever has a right one may lead", seconds_ahead=fleet.skew_s)
                    await lead.give_up()
                    break
                if not await lead.hold():
                    log.warning("another control leads now: no further call is begun here")
                    break
        ending.set()

    watching = asyncio.create_task(watch())
    try:
        await _dial(store, settings, premises, fleet, ending)
    finally:
        watching.cancel()


async def _dial(
    store: Store, settings: Settings, premises: Premises, fleet: Fleet, stop: asyncio.Event
) -> None:
    clock = fleet.clock
    placement = Placement(store, fleet.names, clock, fleet.may_dial)
    following = [
        asyncio.create_task(placement.follow()),
        asyncio.create_task(InboundFollower(store, clock, in_writing=settings.in_writing).run()),
        asyncio.create_task(keep_desk(store, clock)),
        asyncio.create_task(keep_chain(store, clock)),
        asyncio.create_task(keep_evidence(store, settings, clock)),
        asyncio.create_task(_protect_uploads(store, settings, clock)),
        asyncio.create_task(Afterwards(store, clock).run()),
        asyncio.create_task(RollUp(store, settings.recordings, clock).run()),
        asyncio.create_task(_send_reports(store, settings, clock)),
        asyncio.create_task(afterwork(store, settings, clock, lambda: premises.packs)),
        asyncio.create_task(_follow_strategies(store, settings, clock)),
    ]
    channels = channels_of(settings) if trunks_of(settings) else None

    def capacity() -> int:
        if not fleet.clock_is_right:
            return 0  # asked now, the rulebook would put everybody off
        return fleet.capacity if channels is None else min(fleet.capacity, channels)

    dialler = Dialler(
        store,
        control_name(settings.home),
        placement.resume,
        premises.judge,
        caps=caps_of(premises.packs),
        capacity=capacity,
        load=lambda: Load(dialler.running, capacity(), lines_free=fleet.free),
        dead=lambda: fleet.dead_controls,
        clock=clock,
        adopt=placement.resume,
        order=placement.order,
        policy=load_follow_up(settings.follow_up).redial,
        in_writing=settings.in_writing,
    )
    following.append(asyncio.create_task(_end_with(stop, following[1:])))
    try:
        await premises.ready(stop)
        await dialler.run(stop)
    finally:
        for task in following:
            task.cancel()


async def _end_with(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """What plans and sends ends at once with the lead; only who hears of calls goes on while they last."""
    await stop.wait()
    for task in tasks:
        task.cancel()


async def _send_reports(store: Store, settings: Settings, clock: Clock) -> None:
    """By e-mail, where there is a mail server."""
    if (mail := email_channel(settings)) is not None:
        await Delivery(store, mail, clock).run()


async def _protect_uploads(store: Store, settings: Settings, clock: Clock) -> None:
    """Holds and terms of what lies in the object store, where there is one."""
    if settings.object_store is None or settings.object_lock == "off":
        return
    try:
        objects = open_objects(settings)
    except StoreTrouble as error:
        log.error("holds and terms do not reach the object store", error=str(error))
        return
    if objects is not None:
        await Protection(store, objects, clock).run()


async def _follow_strategies(store: Store, settings: Settings, clock: Clock) -> None:
    """Score the cases, plan the day, and draw conclusions from calls."""
    in_writing, shelf = settings.in_writing, PolicyShelf(store, settings.home)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Scoring(store, shelf, clock, settings.score_model).run())
        gateways = settings.message_channels
        planner = CadencePlanner(store, shelf.strategies, clock, in_writing=in_writing, gateways=gateways)
        tasks.create_task(planner.run())
        tasks.create_task(Escalator(store, shelf, clock, in_writing=in_writing).run())


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    await control(settings, database_url(), stop)


if __name__ == "__main__":  # python -m voicebot.control
    sys.exit(run_process(_main))
