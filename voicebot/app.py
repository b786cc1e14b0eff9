"""The process tree of one machine: database, control, and workers of line and brain. Built here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import structlog

from voicebot.call.shelf import freeze, frozen_folder
from voicebot.campaign.publishing import Publishing
from voicebot.config import Settings, SettingsError, host_port, scripts_dir
from voicebot.console.settings import door_of
from voicebot.domain.clock import SystemClock
from voicebot.messages.templates import load_templates
from voicebot.store.database import is_away
from voicebot.store.embedded import open_database
from voicebot.store.migrate import migrate, state
from voicebot.store.store import Store
from voicebot.store.urls import sqlalchemy_url
from voicebot.strategy.policies import load_policies
from voicebot.telemetry.metrics_server import figures_of, serving_metrics
from voicebot.telephony.engines import check_line
from voicebot.worker.names import LIFE_VARIABLE, machine_name, name_machine
from voicebot.worker.preflight import check_engines
from voicebot.worker.premises import disk_reserve_mb
from voicebot.worker.supervisor import Child, Supervisor

log = structlog.get_logger(__name__)

LINE, BRAIN, CONTROL, SOFTPHONE, UPLOADER = "line", "brain", "control", "softphone", "uploader"
LOCKS = WORKER_LOCK, CONTROL_LOCK = "worker.lock", "control.lock"
TABLES_EVERY_S = 2.0
UPLOADING_S = 80.0
"""How long the last uploads may take when the machine is switched off."""


class AlreadyRunning(RuntimeError):
    """Another voicebot uses the same VOICEBOT_HOME."""


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The migrated database of this installation, for as long as the block lasts."""
    with open_database(settings.home, settings.database_url) as url:
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    """As far as workers of older versions allow; what must wait is said aloud."""
    done = migrate(url)
    if done.held_back:
        log.warning("migrations wait for older workers", migrations=list(done.held_back), workers=list(done.older))


def prepare(settings: Settings) -> None:
    """Make the folders of an installation; OSError names what can't be made."""
    for folder in (settings.home, settings.recordings, settings.keys):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)


def environment(settings: Settings, database_url: str) -> dict[str, str]:
    """What the children need to see the same settings."""
    values = {
        "VOICEBOT_HOME": str(settings.home),
        "VOICEBOT_DATABASE_URL": database_url,
        "VOICEBOT_SIP_LISTEN": settings.sip_listen,
        "VOICEBOT_HTTP_LISTEN": settings.http_listen,
        "VOICEBOT_WORKERS": str(settings.workers),
        "VOICEBOT_INBOUND_SCRIPT": settings.inbound_script,
        "VOICEBOT_INSTITUTION": settings.institution,
        "VOICEBOT_ALLOWED_PEERS": ",".join(settings.allowed_peers),
        "VOICEBOT_MAX_CALLS": str(settings.max_calls),
        "VOICEBOT_RTP_PORTS": settings.rtp_ports,
        "VOICEBOT_CALLER_ID": settings.caller_id,
        "VOICEBOT_RECOGNIZER": settings.recognizer,
        "VOICEBOT_SYNTHESIZER": settings.synthesizer,
        "VOICEBOT_VOICE_ACTIVITY": settings.voice_activity,
        "VOICEBOT_DRAIN_SECONDS": str(settings.drain_seconds),
        "VOICEBOT_LINE_ENGINE": settings.line_engine,
        "VOICEBOT_SIP_TCP": str(settings.sip_tcp),
        "VOICEBOT_MOST_LATE_MS": str(settings.most_late_ms),
        "OMP_NUM_THREADS": "1",  # one model run never needs a second core while other calls wait
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return values | {name: str(value) for name, value in _optional(settings).items() if value}


def _optional(settings: Settings) -> dict[str, object]:
    """Settings that need not be set. Tables of trunks reach the children through the settings file."""
    return {
        "VOICEBOT_SOFTPHONE_LISTEN": settings.softphone_listen,
        "VOICEBOT_SOFTPHONE_RTP_PORTS": settings.softphone_rtp_ports,
        "VOICEBOT_ICE_SERVERS": ",".join(settings.ice_servers),
        "VOICEBOT_TRANSFER_TARGETS": ",".join(settings.transfer_targets),
        "VOICEBOT_MESSAGE_WEBHOOK": settings.message_webhook,
        "VOICEBOT_MESSAGE_SECRET": settings.message_secret and settings.message_secret.get_secret_value(),
        "VOICEBOT_MESSAGE_TEMPLATES": settings.message_templates,
        **_gateways(settings),
        **_depot(settings),
        "VOICEBOT_CHANNELS": settings.channels,
        "VOICEBOT_FOLLOW_UP": settings.follow_up,
        "VOICEBOT_TRUNK": settings.trunk,
        "VOICEBOT_TRUNKS": settings.trunks if isinstance(settings.trunks, Path) else None,
        "VOICEBOT_PUBLIC_ADDRESS": settings.public_address,
        "VOICEBOT_WORKER_ADDRESS": settings.worker_address,
        "VOICEBOT_SIP_TLS_LISTEN": settings.sip_tls_listen,
        "VOICEBOT_TLS_CERTIFICATE": settings.tls_certificate,
        "VOICEBOT_TLS_KEY": settings.tls_key,
        "VOICEBOT_TLS_CA": settings.tls_ca,
    }


def _gateways(settings: Settings) -> dict[str, object]:
    """What messages leave by; passwords go through the environment, never a command line."""
    secrets = {
        "VOICEBOT_SMTP_PASSWORD": settings.smtp_password,
        "VOICEBOT_WECHAT_SECRET": settings.wechat_secret,
        "VOICEBOT_WECHAT_TOKEN": settings.wechat_token,
    }
    return {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None} | {
        "VOICEBOT_PUSH_WEBHOOK": settings.push_webhook,
        "VOICEBOT_SMTP_URL": settings.smtp_url,
        "VOICEBOT_SMTP_FROM": settings.smtp_from,
        "VOICEBOT_SMTP_CA": settings.smtp_ca,
        "VOICEBOT_WECHAT_APP_ID": settings.wechat_app_id,
        "VOICEBOT_WECHAT_TEMPLATES": settings.wechat_templates,
        "VOICEBOT_WECHAT_API": settings.wechat_api,
        "VOICEBOT_LETTERS": "true" if settings.letters else None,
    }


def _depot(settings: Settings) -> dict[str, object]:
    """Where sealed calls are uploaded to."""
    secret = settings.object_store_secret
    days = settings.keep_local_days
    return {
        "VOICEBOT_OBJECT_STORE": settings.object_store,
        "VOICEBOT_OBJECT_STORE_ENDPOINT": settings.object_store_endpoint,
        "VOICEBOT_OBJECT_STORE_REGION": settings.object_store_region,
        "VOICEBOT_OBJECT_STORE_KEY_ID": settings.object_store_key_id,
        "VOICEBOT_OBJECT_STORE_SECRET": secret.get_secret_value() if secret else None,
        "VOICEBOT_OBJECT_STORE_CA": settings.object_store_ca,
        "VOICEBOT_OBJECT_LOCK": settings.object_lock,
        "VOICEBOT_KEEP_LOCAL_DAYS": None if days is None else str(days),
    }


@contextlib.asynccontextmanager
async def running(settings: Settings, log_file: Path | None = None) -> AsyncIterator[tuple[Supervisor, str]]:
    """The whole tree, running; leaving the block drains and ends it. Yields supervisor and database URL."""
    prepare(settings)
    with _single(settings, *LOCKS), _database(settings) as url:
        await _ship_scripts(settings, url)
        async with _tree(settings, url, log_file) as supervisor:
            yield supervisor, url


@contextlib.asynccontextmanager
async def _tree(
    settings: Settings, url: str, log_file: Path | None = None, *, lines: bool = True, control: bool = True
) -> AsyncIterator[Supervisor]:
    """The processes of this machine; leaving the block drains and ends them."""
    life = {LIFE_VARIABLE: uuid.uuid4().hex}
    supervisor = Supervisor(environment(settings, url) | life, log_file)
    drain, first, last = settings.drain_seconds, [CONTROL] if control else [], [SOFTPHONE] if control else []
    for index in range(settings.workers if lines else 0):
        number = str(index)
        supervisor.start(Child(f"{LINE}-{index}", "voicebot.worker.line_process", (number,), drain + 20))
        supervisor.start(Child(f"{BRAIN}-{index}", "voicebot.worker.brain_process", (number,)))
        first.append(f"{LINE}-{index}")
        last.append(f"{BRAIN}-{index}")
    if settings.object_store is not None and lines:
        supervisor.start(Child(UPLOADER, "voicebot.worker.upload_process", (), UPLOADING_S))
        last.append(UPLOADER)
    if control:
        supervisor.start(Child(SOFTPHONE, "voicebot.softphone.process", ("lines",) if lines else ()))
        supervisor.start(Child(CONTROL, "voicebot.control", (), drain + 30))
    try:
        yield supervisor
    finally:
        await supervisor.stop(first, last)


async def _ship_scripts(settings: Settings, url: str) -> None:
    """Take in the product's own call scripts, and lay out as files what is on the air."""
    async with Store.from_url(url) as store:
        await Publishing(store, scripts_dir(), SystemClock()).ship()
        await _lay_out_scripts(settings, store)


async def _lay_out_scripts(settings: Settings, store: Store) -> None:
    await asyncio.to_thread(freeze, frozen_folder(settings.home), await store.script_versions.on_air())


@contextlib.contextmanager
def _single(settings: Settings, *names: str) -> Iterator[None]:
    """Hold lock files of the installation; AlreadyRunning when somebody else does."""
    import fcntl

    with contextlib.ExitStack() as held:
        for name in names:
            lock = held.enter_context((settings.home / name).open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunning(
                    f"another voicebot runs on {settings.home}: stop it, or give this one another VOICEBOT_HOME"
                ) from error
            lock.write(str(os.getpid()))
            lock.flush()
        yield


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """`voicebot serve`: run the tree until `stop` is set, then drain.

    ValueError for bad trunks, templates, segments and strategies, for engines that can't be loaded, and for a console
    that would listen beyond this machine without TLS.
    """
    door = door_of(settings)
    check_line(settings)
    await asyncio.to_thread(check_engines, settings)
    load_templates(settings.message_templates)
    load_policies(settings.home).scorer(settings.score_model)
    async with running(settings) as (_, _url):
        host, port = host_port(settings.http_listen)
        console = f"{'https' if door.certificate else 'http'}://{host}:{port}"
        log.info("serving", console=console, sip=settings.sip_listen, home=str(settings.home))
        await stop.wait()
        log.info("stopping: no new calls, running ones finish")


async def work(settings: Settings, stop: asyncio.Event, name: str | None = None) -> None:
    """`voicebot worker`: lines and brains alone, on the database of a fleet, until `stop`; then drain.

    A database that is away, or has no tables yet, is waited for. Errors as of `serve`.
    """
    url = _shared(settings, "worker")
    check_line(settings)
    await asyncio.to_thread(check_engines, settings)
    prepare(settings)
    with _single(settings, WORKER_LOCK):
        if name is not None:
            name_machine(settings.home, name)
        if not await _tables_there(url, stop):
            return
        async with Store.from_url(url) as store:
            await _lay_out_scripts(settings, store)
        figures = serving_metrics(settings.metrics_address, figures_of(settings.home, disk_reserve_mb(settings)))
        async with _tree(settings, url, control=False):
            log.info("working", name=machine_name(settings.home), sip=settings.sip_listen, workers=settings.workers)
            with figures:
                await stop.wait()
            log.info("stopping: no new calls, running ones finish")


async def direct(settings: Settings, stop: asyncio.Event, name: str | None = None) -> None:
    """`voicebot control`: console, dialler and softphones alone; the first of a fleet dials, the others stand by.

    Errors as of `serve`.
    """
    url = _shared(settings, "control")
    door_of(settings)
    load_templates(settings.message_templates)
    load_policies(settings.home).scorer(settings.score_model)
    prepare(settings)
    with _single(settings, CONTROL_LOCK):
        if name is not None:
            name_machine(settings.home, name)
        await asyncio.to_thread(_migrate, url)
        await _ship_scripts(settings, url)
        async with _tree(settings, url, lines=False):
            log.info("directing", name=machine_name(settings.home), console=settings.http_listen)
            await stop.wait()


def _shared(settings: Settings, command: str) -> str:
    """The database of the fleet."""
    if settings.database_url is None:
        raise SettingsError(f"voicebot {command} needs --database URL (VOICEBOT_DATABASE_URL): the fleet's PostgreSQL")
    sqlalchemy_url(settings.database_url)
    return settings.database_url


async def _tables_there(url: str, stop: asyncio.Event) -> bool:
    """Wait until a control has made the tables that this version needs; False when `stop` was sooner."""
    told = ""
    while not stop.is_set():
        try:
            missing = (await asyncio.to_thread(state, url)).needed
            why = f"migrations {', '.join(missing)} are missing: start voicebot control" if missing else ""
        except Exception as error:
            if not is_away(error):
                raise
            why = f"the database does not answer: {error}"
        if not why:
            return True
        if why != told:
            log.warning("waiting", why=why)
            told = why
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TABLES_EVERY_S)
    return False
