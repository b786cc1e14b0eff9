"""Recordings: the sound of a call, found in its folder or sealed bundle, read in ranges and drawn as peaks."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicebot.evidence.bundle import bundle_path
from voicebot.evidence.depot.locating import present
from voicebot.evidence.reading import open_bundle
from voicebot.evidence.vault import VaultLocked

AUDIO = "audio.wav"
_CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class RecordingError(Exception):
    """There is no sound to play; the message says why."""


class RangeError(Exception):
    """The range asked for lies outside the file (RFC 9110 section 15.5.17)."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A WAV file inside `path`: `size` bytes from byte `offset` on (0 for a plain file)."""

    path: Path
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Peaks:
    """The outline of both channels: the loudest sample of each slice, 0 to 100. Left is us, right the caller."""

    duration_ms: int
    left: tuple[int, ...]
    right: tuple[int, ...]


def inside(root: Path, bundle: str) -> Path:
    """The bundle, or the folder of a call that was not sealed. RecordingError unless it lies under `root`.

    One that is no longer on this disk is fetched from the object store: call it from a thread.
    """
    base = root.resolve()
    path = (base / bundle).resolve()
    if not path.is_relative_to(base) or path == base:
        raise RecordingError("the recording lies outside the recordings folder")
    try:
        path = present(path)
    except OSError as away:
        raise RecordingError(f"the recording cannot be fetched now: {away}") from away
    if not path.exists():
        raise RecordingError("the recording is gone; it may have been deleted when its retention ended, "
                             "or lie on another machine's disk")  # fmt: skip
    sealed = bundle_path(path)
    return sealed if path.is_dir() and sealed.is_file() else path


def find_sound(bundle: Path) -> Sound:
    """Locate the WAV of a bundle: a sealed zip (members stored, not compressed) or a call's folder."""
    if bundle.is_dir():
        wav = bundle / AUDIO
        if not wav.is_file():
            raise RecordingError("the call left no sound")
        return Sound(wav, 0, wav.stat().st_size)
    try:
        with _opened(bundle) as file, zipfile.ZipFile(file) as archive:
            name = next((n for n in archive.namelist() if n == AUDIO or n.endswith("/" + AUDIO)), None)
            if name is None:
                raise RecordingError("the bundle holds no sound")
            member = archive.getinfo(name)
    except (zipfile.BadZipFile, OSError) as broken:
        raise RecordingError(f"the bundle cannot be read: {broken}") from broken
    if member.compress_type != zipfile.ZIP_STORED:
        raise RecordingError("the bundle's sound is compressed; bundles store it plain")
    return Sound(bundle, _member_start(bundle, member.header_offset), member.file_size)


def _opened(path: Path) -> BinaryIO:
    try:
        return open_bundle(path)
    except (OSError, VaultLocked) as broken:
        raise RecordingError(f"the recording cannot be read: {broken}") from broken


def _member_start(bundle: Path, header: int) -> int:
    # APPNOTE.TXT 4.3.7: the local header's own name and extra lengths say where the data begins.
    with _opened(bundle) as file:
        file.seek(header)
        local = file.read(30)
    if len(local) < 30 or local[:4] != b"PK\x03\x04":
        raise RecordingError("the bundle cannot be read: no local header")
    name, extra = struct.unpack("<HH", local[26:30])
    return header + 30 + int(name) + int(extra)


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a single-range header; None asks for all. RangeError when it cannot be served."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.group(1), found.group(2)
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start > end or start >= size:
        raise RangeError(f"bytes */{size}")
    return start, end


def read(sound: Sound, first: int, last: int) -> Iterator[bytes]:
    """The bytes `first` to `last` (both included) of the WAV, in pieces. RecordingError."""
    with _opened(sound.path) as file:
        file.seek(sound.offset + first)
        left = last - first + 1
        while left > 0:
            piece = file.read(min(_CHUNK, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


def samples(sound: Sound) -> tuple[NDArray[np.int16], int]:
    """The samples, shape (n, channels), and the rate. RecordingError unless 16-bit PCM (RIFF WAVE)."""
    content = b"".join(read(sound, 0, sound.size - 1))
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise RecordingError("the recording is not a WAV file")
    channels, rate, bits, at = 0, 0, 0, 12
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt " and len(content) >= at + 24:
            _, channels, rate, _, _, bits = struct.unpack("<HHIIHH", content[at + 8 : at + 24])
        if name == b"data" and channels and bits == 16:
            pcm = content[at + 8 : at + 8 + length]
            whole = len(pcm) - len(pcm) % (2 * channels)
            return np.frombuffer(pcm[:whole], "<i2").reshape(-1, channels), rate
        at += 8 + length + length % 2
    raise RecordingError("the recording holds no 16-bit sound")


def peaks(pcm: NDArray[np.int16], rate: int, slices: int) -> Peaks:
    """Outline of `pcm`, shape (n, channels), in at most `slices` steps. A mono file shows the same in both lanes."""
    count = min(max(1, slices), len(pcm))
    duration = len(pcm) * 1000 // rate if rate else 0
    if count == 0:
        return Peaks(0, (), ())
    edges = np.linspace(0, len(pcm), count, endpoint=False).astype(np.int64)
    loudest = np.maximum.reduceat(np.abs(pcm.astype(np.int32)), edges, axis=0)
    scaled = np.minimum(100, (loudest * 100 + 16383) // 32767)
    return Peaks(duration, tuple(scaled[:, 0].tolist()), tuple(scaled[:, -1].tolist()))
