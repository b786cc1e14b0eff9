"""The process tree of one machine: database, control, and workers of line and brain. Built here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import structlog

from voicebot.call.shelf import freeze, frozen_folder
from voicebot.campaign.publishing import Publishing
from voicebot.config import Settings, host_port, scripts_dir
from voicebot.domain.clock import SystemClock
from voicebot.messages.templates import load_templates
from voicebot.store.embedded import open_database
from voicebot.store.migrate import migrate
from voicebot.store.store import Store
from voicebot.strategy.policies import load_policies
from voicebot.telephony.engines import check_line
from voicebot.worker.preflight import check_engines
from voicebot.worker.supervisor import Child, Supervisor

log = structlog.get_logger(__name__)

LINE, BRAIN, CONTROL, SOFTPHONE = "line", "brain", "control", "softphone"


class AlreadyRunning(RuntimeError):
    """Another `voicebot serve` uses the same VOICEBOT_HOME."""


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The migrated database of this installation, for as long as the block lasts."""
    with open_database(settings.home, settings.database_url) as url:
        migrate(url)
        yield url


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
        "VOICEBOT_CHANNELS": settings.channels,
        "VOICEBOT_FOLLOW_UP": settings.follow_up,
        "VOICEBOT_TRUNK": settings.trunk,
        "VOICEBOT_TRUNKS": settings.trunks if isinstance(settings.trunks, Path) else None,
        "VOICEBOT_PUBLIC_ADDRESS": settings.public_address,
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


@contextlib.asynccontextmanager
async def running(settings: Settings, log_file: Path | None = None) -> AsyncIterator[tuple[Supervisor, str]]:
    """The whole tree, running; leaving the block drains and ends it. Yields supervisor and database URL."""
    prepare(settings)
    with _single(settings), _database(settings) as url:
        await _ship_scripts(settings, url)
        supervisor = Supervisor(environment(settings, url), log_file)
        drain = settings.drain_seconds
        for index in range(settings.workers):
            number = str(index)
            supervisor.start(Child(f"{LINE}-{index}", "voicebot.worker.line_process", (number,), drain + 20))
            supervisor.start(Child(f"{BRAIN}-{index}", "voicebot.worker.brain_process", (number,)))
        supervisor.start(Child(SOFTPHONE, "voicebot.softphone.process"))
        supervisor.start(Child(CONTROL, "voicebot.control", (), drain + 30))
        try:
            yield supervisor, url
        finally:
            lines = [name for name in supervisor.children if name.startswith(LINE)]
            brains = [name for name in supervisor.children if name.startswith(BRAIN)]
            await supervisor.stop([CONTROL, *lines], [*brains, SOFTPHONE])


async def _ship_scripts(settings: Settings, url: str) -> None:
    """Take in the product's own call scripts, and lay out as files what is on the air."""
    async with Store.from_url(url) as store:
        await Publishing(store, scripts_dir(), SystemClock()).ship()
        await asyncio.to_thread(freeze, frozen_folder(settings.home), await store.script_versions.on_air())


@contextlib.contextmanager
def _single(settings: Settings) -> Iterator[None]:
    """Hold the installation's lock file; AlreadyRunning when somebody else does."""
    import fcntl

    with (settings.home / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(
                f"another voicebot serve runs on {settings.home}: stop it, or give this one another VOICEBOT_HOME"
            ) from error
        lock.write(str(os.getpid()))
        lock.flush()
        yield


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """`voicebot serve`: run the tree until `stop` is set, then drain.

    ValueError for bad trunks, templates, segments and strategies, and for engines that can't be loaded.
    """
    check_line(settings)
    await asyncio.to_thread(check_engines, settings)
    load_templates(settings.message_templates)
    load_policies(settings.home).scorer(settings.score_model)
    async with running(settings) as (_, _url):
        host, port = host_port(settings.http_listen)
        log.info("serving", console=f"http://{host}:{port}", sip=settings.sip_listen, home=str(settings.home))
        await stop.wait()
        log.info("stopping: no new calls, running ones finish")


