"""Machine: ports, disk, folders and their rights, fonts, and settings that nobody reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from voicebot.app import LOCKS
from voicebot.config import Settings, host_port, unread_settings
from voicebot.doctor.finding import Finding, ill, well, worth_a_look
from voicebot.reports.paper import FONTS
from voicebot.worker.names import sip_address
from voicebot.worker.premises import disk_reserve_mb

_AMPLE = 4
"""Free space under so many times the reserve is worth a look."""
_CALL_MB_PER_MINUTE = 2.0
"""Two channels of 16-bit sound at 8 kHz, before they are packed."""


def is_serving(home: Path) -> bool:
    """Whether a voicebot of this machine runs on this folder: it holds a lock there."""
    return any(_is_held(home / name) for name in LOCKS)


def _is_held(file: Path) -> bool:
    try:
        with file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def settings_read() -> list[Finding]:
    told = unread_settings()
    if not told:
        return [well("settings", "every setting that is set is read")]
    return [worth_a_look("settings", line, "correct or remove it; docs/reference/configuration.md") for line in told]


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether what we would listen on is free, or taken by the installation that runs here already."""
    running = is_serving(settings.home)
    addresses = [("port http", host_port(settings.http_listen), socket.SOCK_STREAM, "VOICEBOT_HTTP_LISTEN")]
    for index in range(settings.workers):
        addresses.append((f"port sip {index}", sip_address(settings, index), socket.SOCK_DGRAM, "VOICEBOT_SIP_LISTEN"))
    for check, address, kind, setting in addresses:
        shown = ":".join(map(str, address))
        trouble = _trouble(address, kind)
        if trouble is None:
            yield well(check, f"{shown} is free")
        elif running:
            yield well(check, f"{shown} is in use by the voicebot that runs here")
        else:
            yield ill(check, f"{shown} can't be used: {trouble}", f"end what holds it, or set {setting}")
    yield _media_ports(settings)


def _media_ports(settings: Settings) -> Finding:
    first, last = settings.rtp_range
    wanted = 2 * settings.max_calls * settings.workers
    if last - first + 1 < wanted:
        remedy = "widen VOICEBOT_RTP_PORTS: a call takes two, one that is handed over four, and each rests 10 s"
        return worth_a_look("ports media", f"{last - first + 1} ports for {wanted // 2} calls at once", remedy)
    lowest, highest = _ephemeral()
    if first <= highest and last >= lowest and not is_serving(settings.home):
        said = f"{first}-{last} lies within the kernel's own ports ({lowest}-{highest})"
        return worth_a_look("ports media", said, f"sysctl net.ipv4.ip_local_reserved_ports={first}-{last}")
    return well("ports media", f"{first}-{last} for {settings.max_calls * settings.workers} calls at once")


def _ephemeral() -> tuple[int, int]:
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        reserved = Path("/proc/sys/net/ipv4/ip_local_reserved_ports").read_text().strip()
        return (0, -1) if reserved else (int(low), int(high))
    except (OSError, ValueError):
        return 0, -1


def _trouble(address: tuple[str, int], kind: socket.SocketKind) -> str | None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, kind) as one:
        if kind is socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(address)
        except OSError as error:
            return error.strerror or str(error)
    return None


def disk(settings: Settings) -> Finding:
    place = next(one for one in (settings.recordings, *settings.recordings.parents) if one.exists())
    try:
        free_mb = shutil.disk_usage(place).free >> 20
    except OSError as error:
        return ill("disk", f"{place}: {error}", "see to the file system that VOICEBOT_HOME lies on")
    reserve_mb = disk_reserve_mb(settings)
    hours = free_mb / _CALL_MB_PER_MINUTE / 60
    said = f"{free_mb} MB free at {place}, about {hours:.0f} hours of calls"
    if free_mb < reserve_mb:
        return ill("disk", f"{said}: nobody is dialled", "make room, or move VOICEBOT_HOME to a larger disk")
    if free_mb < _AMPLE * max(reserve_mb, 1):
        return worth_a_look("disk", said, f"make room soon: below {reserve_mb} MB nobody is dialled")
    return well("disk", said)


def folders(settings: Settings) -> Iterator[Finding]:
    """Whether state can be written, and nobody else can read keys and recordings."""
    for name, folder in (("home", settings.home), ("recordings", settings.recordings), ("keys", settings.keys)):
        check = f"folder {name}"
        if not folder.exists():
            parent = next(one for one in folder.parents if one.exists())
            can = os.access(parent, os.W_OK | os.X_OK)
            made = well(check, f"{folder} will be made at the first start")
            yield made if can else ill(check, f"{folder} can't be made", f"let this user write to {parent}")
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield ill(check, f"{folder} can't be written", f"chown -R {os.geteuid()} {folder}")
        elif name != "home" and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield worth_a_look(check, f"{folder} is open to other users", f"chmod 700 {folder}")
        else:
            yield well(check, f"{folder} is ours")


def secret_files(settings: Settings) -> Iterator[Finding]:
    """Files of keys that others may read."""
    keys = [settings.tls_key, *(settings.keys.glob("*") if settings.keys.is_dir() else ())]
    for file in keys:
        if file is None:
            continue
        with contextlib.suppress(OSError):
            if file.suffix != ".pub" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH) and "pub" not in file.name:
                yield worth_a_look("permissions", f"{file} can be read by others", f"chmod 600 {file}")


def fonts() -> Finding:
    found = [path for path in FONTS if Path(path).exists()]
    if found:
        return well("fonts", f"reports are set in {Path(found[0]).name}")
    return worth_a_look(
        "fonts", "no Chinese font to embed: PDF reports show one only where the reader has it",
        "apt-get install fonts-wqy-microhei",
    )  # fmt: skip


def priority() -> Finding:
    """Whether the line may go before other processes; without it a busy machine clips sound."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NICE)
    if os.geteuid() == 0 or soft >= 30:
        return well("priority", "the line may go before other processes")
    return worth_a_look(
        "priority", "the line runs like any other process", "LimitNICE=-10 in its unit, as deploy/systemd has it"
    )
