"""Read a recorded call, sealed or still running: facts, sound, transcript."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.journal import Fact
from voicebot.evidence.bundle import bundle_path
from voicebot.evidence.depot.locating import present
from voicebot.evidence.format import CONSULT
from voicebot.evidence.journal import read_facts
from voicebot.evidence.stored_zip import unzip
from voicebot.evidence.transcript import TranscriptLine, transcript_lines
from voicebot.evidence.vault import MAGIC, unlocked

__all__ = [
    "TranscriptLine",
    "bundle_bytes",
    "open_bundle",
    "read_audio",
    "read_consultation",
    "read_journal",
    "read_member",
    "sealed_members",
    "transcript_lines",
]
_TICK = 160


def read_member(path: Path, name: str) -> bytes:
    """One file of a bundle zip, a sealed call folder or a running call; FileNotFoundError if absent."""
    if path.is_dir() and not (path / name).exists() and bundle_path(path).exists():
        path = bundle_path(path)
    if path.is_dir():
        return (path / name).read_bytes()
    members = sealed_members(path)
    if name not in members:
        raise FileNotFoundError(f"{path} holds no {name}")
    return members[name]


def bundle_bytes(path: Path) -> bytes:
    """The zip of a sealed call as it was sealed. VaultLocked: it is encrypted, and this process has no key."""
    return unlocked(present(path).read_bytes())


def open_bundle(path: Path) -> BinaryIO:
    """A sealed call, or any file of a running one, to be read from anywhere in it; decrypted in memory if need be."""
    file = present(path).open("rb")
    if file.read(len(MAGIC)) != MAGIC:
        file.seek(0)
        return file
    with file:
        return io.BytesIO(bundle_bytes(path))


def sealed_members(path: Path) -> dict[str, bytes]:
    """The members of a sealed call, unchecked. VaultLocked as `bundle_bytes`."""
    return unzip(bundle_bytes(path))[0]


def read_journal(path: Path) -> list[Fact]:
    """All facts of a call; of a running call those that are complete on the disk."""
    return list(read_facts(read_member(path, "journal.jsonl")))


def read_audio(path: Path) -> NDArray[np.int16]:
    """Sound of a call, shape (samples, 2), 8 kHz: column 0 our side, column 1 the callee."""
    pcm = read_member(path, "audio.wav")[44:]
    return np.frombuffer(pcm[: len(pcm) // 4 * 4], "<i2").reshape(-1, 2)


def read_consultation(path: Path) -> NDArray[np.int16] | None:
    """What was said on the leg of whoever was consulted, mono, 8 kHz, as long as the call; None where nobody was."""
    rows = [json.loads(line) for line in read_member(path, "chain.jsonl").splitlines()[1:]]
    if not any("third" in row for row in rows):
        return None
    pcm = np.frombuffer(read_member(path, CONSULT)[44:], "<i2")
    sound, at, begin = np.zeros(sum(row["ticks"] for row in rows) * _TICK, np.int16), 0, 0
    for row in rows:
        size = row["ticks"] * _TICK
        if "third" in row:
            piece = pcm[at : at + size]
            sound[begin : begin + len(piece)] = piece
            at += size
        begin += size
    return sound
