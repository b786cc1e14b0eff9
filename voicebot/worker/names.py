"""Names and paths that the processes of one worker share."""

from __future__ import annotations

import contextlib
import functools
import socket
from pathlib import Path

from voicebot.config import Settings, host_port


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
