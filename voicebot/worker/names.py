"""Names and paths that the processes of one worker share."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import uuid
from pathlib import Path

from voicebot.config import Settings, host_port
from voicebot.domain.fleet import Joining

LIFE_VARIABLE = "VOICEBOT_LIFE"
"""Set by who starts the tree, and so the same for all processes of one start."""
_ANY = ("0.0.0.0", "::", "")


def worker_name(index: int, home: Path | None = None) -> str:
    """The name of this installation's worker number `index`, as leases, commands and recordings know it.

    It stays the same when the machine is named anew, as containers are at each start: VOICEBOT_HOME remembers it.
    """
    return f"{machine_name(home) if home else socket.gethostname()}-{index}"


@functools.lru_cache(maxsize=16)
def machine_name(home: Path) -> str:
    """The host's name at the first start, from VOICEBOT_HOME/machine; today's where that can't be written."""
    file, now = home / "machine", socket.gethostname()
    with contextlib.suppress(OSError), file.open("x", encoding="utf-8") as fresh:
        fresh.write(now)
    try:
        return file.read_text(encoding="utf-8").strip() or now
    except (OSError, UnicodeDecodeError):
        return now


def name_machine(home: Path, name: str) -> None:
    """Name this installation's machine, now and for later starts. ValueError for a name that can't be used."""
    if not name or not all(part.isalnum() or part in "-._" for part in name) or len(name) > 60:
        raise ValueError(f"--name {name!r}: letters, digits, hyphens, dots and underscores, 60 at most")
    (home / "machine").write_text(name, encoding="utf-8")
    machine_name.cache_clear()


def control_name(home: Path) -> str:
    """The name of this installation's control process."""
    return f"{machine_name(home)}-control"


def home_token(home: Path) -> str:
    """What tells this VOICEBOT_HOME from any other, however its machine is named; made at the first start."""
    file = home / "installation"
    with contextlib.suppress(OSError), file.open("x", encoding="utf-8") as fresh:
        fresh.write(uuid.uuid4().hex)
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return machine_name(home)


def joining_of(settings: Settings, index: int, version: str, schema: str, sip: str) -> Joining:
    """How this installation's worker number `index` joins the fleet."""
    life = os.environ.get(LIFE_VARIABLE) or str(os.getpid())
    home = settings.home
    return Joining(worker_name(index, home), machine_name(home), home_token(home), life, version, schema, sip)


def reached_at(settings: Settings, database_host: str, listens: tuple[str, int]) -> str:
    """host:port under which other workers reach a line that listens there.

    One that listens everywhere is told by the address from which we reach the database.
    """
    host, port = settings.worker_address or listens[0], listens[1]
    if host in _ANY:
        host = address_towards(database_host)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def address_towards(host: str) -> str:
    """Our address as `host` sees it; loopback for a database on this machine. Nothing is sent."""
    if not host or host.startswith("/"):
        return "127.0.0.1"
    with contextlib.suppress(OSError):
        family, kind, _, _, address = socket.getaddrinfo(host, 5432, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as one:
            one.connect(address)
            return str(one.getsockname()[0])
    return "127.0.0.1"


def link_path(settings: Settings, index: int) -> Path:
    """The unix socket between line and brain. Kept short: such a path may have 107 bytes at most."""
    return settings.home / f"brain-{index}.sock"


def sip_address(settings: Settings, index: int) -> tuple[str, int]:
    """Worker 0 listens where the settings say, the next ones on the ports above; port 0 stays 0."""
    host, port = host_port(settings.sip_listen)
    return host, port + 2 * index if port else 0


def rtp_range(settings: Settings, index: int) -> tuple[int, int]:
    """This worker's share of the media ports."""
    first, last = settings.rtp_range
    share = (last - first + 1) // settings.workers // 2 * 2
    start = first + first % 2 + index * share
    return start, min(start + share - 1, last)
