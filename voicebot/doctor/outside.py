"""Outside: the database and its clock, the object store, and the trunks."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from voicebot.config import Settings, SettingsError, host_port
from voicebot.doctor.finding import Finding, ill, well, worth_a_look
from voicebot.doctor.machine import is_serving
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.depot.objects import StoreTrouble
from voicebot.store import DatabaseError
from voicebot.store.condition import Condition, condition_of
from voicebot.store.embedded import PostgresError, open_database
from voicebot.store.migrate import TooOld, state
from voicebot.telephony.engines import tls_of
from voicebot.telephony.trunk_file import trunks_of
from voicebot.telephony.trunk_probe import Probed, probe_trunks

OLDEST = 140000
"""PostgreSQL 14."""
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 30.0


def database(settings: Settings) -> Iterator[Finding]:
    """Reachable, new enough, writable, at which migration, and whether its clock and ours agree."""
    remedy = "see that PostgreSQL runs and that VOICEBOT_DATABASE_URL is right"
    try:
        with _opened(settings) as url:
            yield from _conditions(condition_of(url), embedded=settings.database_url is None)
            yield _schema(url)
    except (PostgresError, DatabaseError, ValueError, OSError) as error:
        yield ill("database", str(error).strip(), remedy)


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[str]:
    """The database. An embedded one that is not there yet is tried elsewhere, and nothing of it is left: made here and
    now it would belong to whoever asked, and not to whom the server runs as."""
    with contextlib.ExitStack() as stack:
        home = settings.home
        if settings.database_url is None and not (home / "postgres").exists():
            place = tempfile.TemporaryDirectory(prefix="voicebot-doctor-", ignore_cleanup_errors=True)
            home = Path(stack.enter_context(place))
        yield stack.enter_context(open_database(home, settings.database_url))


def _conditions(found: Condition, *, embedded: bool) -> Iterator[Finding]:
    kind = "embedded" if embedded else "external"
    said = f"PostgreSQL {found.version} ({kind}), {found.connections} of {found.most_connections} connections in use"
    if found.number < OLDEST:
        yield ill("database", said, "PostgreSQL 14 or newer is needed")
    elif found.is_replica:
        yield ill("database", f"{said}: a replica, nothing can be written", "name all hosts in VOICEBOT_DATABASE_URL")
    elif found.connections > 0.8 * found.most_connections:
        yield worth_a_look("database", said, "raise max_connections, or put fewer workers on it")
    else:
        yield well("database", said)
    yield _clock(found)


def _clock(found: Condition) -> Finding:
    apart = max(0.0, abs(found.ahead_s) - found.unsure_s)
    said = f"the database's clock and ours are {apart:.2f} s apart"
    remedy = "run chrony or systemd-timesyncd on both machines"
    if apart > SKEW_FAIL_S:
        return ill("clock", f"{said}: hours of dialling would not hold", remedy)
    return worth_a_look("clock", said, remedy) if apart > SKEW_WARN_S else well("clock", said)


def _schema(url: str) -> Finding:
    try:
        found = state(url)
    except TooOld as error:
        return ill("tables", str(error), "install the version that made them, or a newer one")
    if found.at is None:
        return well("tables", "an empty database; the first start makes the tables")
    if found.held_back:
        return worth_a_look(
            "tables", f"at {found.at}; {len(found.held_back)} migrations wait for older workers to go",
            "renew the workers that are left: voicebot workers list",
        )  # fmt: skip
    if found.ran:
        return worth_a_look("tables", f"at {found.at}, {len(found.ran)} migrations behind", "the next start runs them")
    return well("tables", f"at {found.at}, the newest")


def object_store(settings: Settings) -> Iterator[Finding]:
    """Where one is set: whether it answers, lets us in, and can lock what must be kept."""
    if settings.object_store is None:
        return
    try:
        objects = open_objects(settings)
        if objects is not None:
            objects.check()
    except StoreTrouble as error:
        yield ill("object store", str(error), "docs/how-to/object-store.md; calls wait on the disk until it is mended")
        return
    yield well("object store", f"{settings.object_store} takes sealed calls, object lock {settings.object_lock}")


async def trunks(settings: Settings) -> AsyncIterator[Finding]:
    """OPTIONS, and REGISTER where it is wanted, once to each trunk; not beside a server that is registered already."""
    try:
        found = trunks_of(settings)
        tls = tls_of(settings, found)
    except (SettingsError, ValueError) as error:
        yield ill("trunks", str(error), "voicebot trunks check FILE says where; docs/how-to/sip-trunk.md")
        return
    if not found:
        yield worth_a_look("trunks", "none: only sip: addresses can be rung", "set VOICEBOT_TRUNKS or VOICEBOT_TRUNK")
        return
    if is_serving(settings.home) and any(trunk.registering for trunk in found):
        yield well("trunks", "the voicebot that runs here looks after them: see the page of lines")
        return
    host, _ = host_port(settings.sip_listen)
    try:
        for row in await probe_trunks(found, host, tls):
            yield _trunk(row)
    except (TimeoutError, OSError, ValueError, RuntimeError) as error:
        yield ill("trunks", f"they can't be asked: {error}", f"see whether {host} is an address of this machine")


def _trunk(row: Probed) -> Finding:
    said = f"{row.trunk} at {row.address}: OPTIONS {row.options} after {row.options_ms} ms"
    if row.register is not None:
        said += f", REGISTER {row.register} {row.register_said}".rstrip()
    if row.works:
        return well("trunks", said)
    return ill("trunks", said, "see address, firewall, user and password; voicebot trunks probe FILE asks again")
