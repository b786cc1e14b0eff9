"""Recover what a killed process left of a call: keep what verifies, say what was lost, seal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from voicebot.domain.clock import Clock
from voicebot.domain.journal import FactKind
from voicebot.evidence.audio_chain import AudioChain
from voicebot.evidence.bundle import SEALING, begun, bundle_path, seal_folder
from voicebot.evidence.content import check_fact, check_second, read_header
from voicebot.evidence.disk import recording_lock
from voicebot.evidence.format import (
    CONSULT,
    SPELLINGS,
    TICK_BYTES,
    TICK_MS,
    TICKS_PER_SECOND,
    Spell,
    wav_header,
)
from voicebot.evidence.journal import JournalChain
from voicebot.evidence.recorder import write_wav_headers
from voicebot.evidence.signer import Signer
from voicebot.evidence.surroundings import clock_state

_WAV_HEADER = 44
_UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)


@dataclass(slots=True)
class _Journal:
    heads: list[bytes]
    size: int = 0
    ms: int = 0
    ended: bool = False


@dataclass(slots=True)
class _Sound:
    head: bytes
    size: int
    seconds: int = 0
    pcm_bytes: int = 0
    third_bytes: int = 0
    short: bool = False  # the second is not full: no sound can follow


def recover(folder: Path, signer: Signer, clock: Clock) -> Path | None:
    """Seal the folder of a call that nobody records any more.

    None when the call is still being recorded (in any process), or when not even its header can be verified.
    Bytes after the last verifiable second or line are moved to `*.torn` beside the zip, never deleted.
    """
    try:
        with recording_lock(folder) as free:
            return _recover(folder, signer, clock) if free else None
    except FileNotFoundError:
        return bundle_path(folder) if bundle_path(folder).exists() else None


def _recover(folder: Path, signer: Signer, clock: Clock) -> Path | None:
    if bundle_path(folder).exists() or begun(folder, signer) is not None:
        return seal_folder(folder, signer, clock.now())
    (folder / SEALING).unlink(missing_ok=True)
    try:
        first = (folder / "chain.jsonl").read_bytes().split(b"\n", 1)
        header, start = read_header(first[0])
        wav = _bytes_or(folder / "audio.wav", wav_header(0))
        journal_bytes = _bytes_or(folder / "journal.jsonl", b"")
        third = (folder / CONSULT).read_bytes() if (folder / CONSULT).exists() else b""
    except (OSError, *_UNREADABLE):
        return None
    spell = SPELLINGS[header["format"]]
    journal = _verifiable_journal(journal_bytes, start, spell)
    rows = first[1] if len(first) > 1 else b""
    sound = _verifiable_sound(rows, wav[_WAV_HEADER:], third[_WAV_HEADER:], journal, start, spell)
    sound.size += len(first[0]) + 1
    _cut(folder / "journal.jsonl", journal.size)
    _cut(folder / "chain.jsonl", sound.size)
    _cut(folder / "audio.wav", _WAV_HEADER + sound.pcm_bytes)
    _cut_third(folder / CONSULT, sound.third_bytes)
    truncated = {"ms": sound.pcm_bytes // (2 * TICK_BYTES) * TICK_MS, "journal_lines": len(journal.heads) - 1}
    _close(folder, journal, sound, clock, truncated)
    return seal_folder(folder, signer, clock.now(), truncated, {"clock": clock_state(), "recovered": True})


def _bytes_or(file: Path, beginning: bytes) -> bytes:
    """A file's bytes; one that the process did not live to make is made now, as it would have begun."""
    if not file.exists():
        file.write_bytes(beginning)
    return file.read_bytes()


def _verifiable_journal(data: bytes, start: bytes, spell: Spell) -> _Journal:
    found = _Journal([start])
    for number, line in enumerate(data.split(b"\n")[:-1]):
        try:
            head, wrong = check_fact(line, number, found.heads[-1], spell)
            row = json.loads(line)
            if wrong or row["ms"] < found.ms:
                break
        except _UNREADABLE:
            break
        found.heads.append(head)
        found.size += len(line) + 1
        found.ms, found.ended = row["ms"], found.ended or row["kind"] == FactKind.ENDED
    return found


def _verifiable_sound(
    rows: bytes, pcm: bytes, third: bytes, journal: _Journal, start: bytes, spell: Spell
) -> _Sound:
    found = _Sound(start, 0)
    for number, line in enumerate(rows.split(b"\n")[:-1]):
        try:
            row = json.loads(line)
            width = row["ticks"] * TICK_BYTES * 2
            third_width = width // 2 if "third" in row else 0
            sound = pcm[found.pcm_bytes : found.pcm_bytes + width]
            consulted = third[found.third_bytes : found.third_bytes + third_width]
            head, wrong = check_second(line, number, found.head, sound, consulted, spell)
            if wrong or (found.short and width) or journal.heads[row["lines"]].hex() != row["journal"]:
                break
        except _UNREADABLE:
            break
        found.head, found.seconds, found.short = head, number + 1, row["ticks"] < TICKS_PER_SECOND
        found.pcm_bytes, found.size = found.pcm_bytes + width, found.size + len(line) + 1
        found.third_bytes += third_width
    return found


def _close(folder: Path, journal: _Journal, sound: _Sound, clock: Clock, truncated: dict[str, int]) -> None:
    """Say in the journal what happened, and cover the journal with a last row of the chain."""
    lines, ms = JournalChain(journal.heads[-1], len(journal.heads) - 1), max(journal.ms, truncated["ms"])
    added: list[bytes] = []
    note = {"text": "recording interrupted; recovered", **truncated}
    added.append(lines.append(FactKind.NOTE, note, clock.now(), ms)[1])
    if not journal.ended:
        ended = {"by": "crash", "status": None, "reason": "recording interrupted"}
        added.append(lines.append(FactKind.ENDED, ended, clock.now(), ms)[1])
    _append(folder / "journal.jsonl", b"".join(added))
    chain = AudioChain(sound.head, sound.seconds)
    row = chain.append(b"", b"", ticks=0, gaps=0, lines=lines.lines, journal=lines.head)
    _append(folder / "chain.jsonl", row)
    write_wav_headers(folder)


def _cut(path: Path, size: int) -> None:
    if path.stat().st_size > size:
        with path.open("r+b") as file:
            file.seek(size)
            _append(path.with_name(path.name + ".torn"), file.read())
            file.truncate(size)


def _cut_third(path: Path, pcm_bytes: int) -> None:
    """The consulted leg's file; one whose sound no row of the chain has seen is set aside whole."""
    if path.exists() and not pcm_bytes:
        path.replace(path.with_name(path.name + ".torn"))
    elif path.exists():
        _cut(path, _WAV_HEADER + pcm_bytes)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
