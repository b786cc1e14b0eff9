"""Surroundings: what a call ran on, and whether its clock could be believed. For the record, never a reason to fail."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import time
from functools import cache
from pathlib import Path

import voicebot
from voicebot import __version__

_UNSYNCHRONISED = 0x40
"""STA_UNSYNC of <sys/timex.h>."""


class _Timex(ctypes.Structure):
    """struct timex of Linux on 64 bits, see adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clock_state() -> dict[str, object]:
    """What the kernel says of its clock: NTP state and errors in microseconds; nulls where it does not tell."""
    told: dict[str, object] = {"monotonic_ms": round(time.monotonic() * 1000)}
    timex = _Timex()
    try:
        status = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        status = -1
    if status < 0:
        return {**told, "synchronised": None, "max_error_us": None, "estimated_error_us": None}
    synchronised = not timex.status & _UNSYNCHRONISED
    return {**told, "synchronised": synchronised, "max_error_us": timex.maxerror, "estimated_error_us": timex.esterror}


def surroundings(worker: str) -> dict[str, object]:
    """Software and machine of this process, and the state of its clock, at the beginning of a call."""
    load = [round(one, 2) for one in os.getloadavg()]
    return {**_unchanging(), "worker": worker, "clock": clock_state(), "load": load}


@cache
def _unchanging() -> dict[str, object]:
    return {
        "software": f"voicebot {__version__}",
        "software_sha256": software_sha256(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "host": platform.node(),
    }


@cache
def software_sha256() -> str:
    """One hash over all Python files of this installation's `voicebot` and `sip`: sorted lines "SHA-256  path"."""
    root = Path(voicebot.__file__).parent.parent
    files = sorted(path for package in ("sip", "voicebot") for path in (root / package).rglob("*.py"))
    whole = hashlib.sha256()
    for path in files:
        one = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{one}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()
