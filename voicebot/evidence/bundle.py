"""Seal the loose files of a call into one signed zip, or find them on the disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.resources
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from voicebot import __version__
from voicebot.domain.clock import SHANGHAI
from voicebot.evidence.disk import recording_lock
from voicebot.evidence.examine import read_header
from voicebot.evidence.format import FORMAT, canonical, figures
from voicebot.evidence.signer import Signer
from voicebot.evidence.stored_zip import zip_directory, zip_local

GROWING = ("audio.wav", "chain.jsonl", "journal.jsonl")
_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_CHUNK = 1 << 20


def bundle_folder(root: Path, call_id: str, at: dt.datetime) -> Path:
    """Where a call is kept: root/YYYY/MM/DD/call-id, by the day in Shanghai. ValueError: unusable call id."""
    if not _CALL_ID.fullmatch(call_id):
        raise ValueError(f"a call id is letters, digits, '.', '_', '@' and '-', at most 100: {call_id!r}")
    day = at.astimezone(SHANGHAI)
    return root / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}" / call_id


def bundle_path(folder: Path) -> Path:
    """The sealed zip of a call folder (whether or not it exists yet)."""
    return folder / f"{folder.name}.zip"


def unsealed(root: Path) -> Iterator[Path]:
    """Call folders that a killed process left behind unsealed; calls that are being recorded are left out."""
    for chain in sorted(root.glob("[0-9]*/[0-9]*/[0-9]*/*/chain.jsonl")):
        with suppress(FileNotFoundError), recording_lock(chain.parent) as free:  # gone: sealed meanwhile
            if not free:
                continue
        if chain.exists():
            yield chain.parent


def seal_folder(
    folder: Path, signer: Signer, at: dt.datetime, truncated: Mapping[str, int] | None = None
) -> Path:
    """Sign and zip the finished files of `folder`, remove them, return the zip (an existing one as it is).

    `truncated` says what a recovery had to cut off. Copies the whole recording: call it from a thread.
    """
    target = bundle_path(folder)
    if not target.exists():
        fixed = {"README.txt": _readme(), "key.json": signer.key_document(), "verify.py": verifier_script()}
        manifest = canonical(_manifest(folder, fixed, signer, at, truncated))
        _write_zip(
            target, folder, {**fixed, "manifest.json": manifest, "manifest.sig": signer.sign(manifest)}
        )
    for name in GROWING:
        (folder / name).unlink(missing_ok=True)
    return target


def _manifest(
    folder: Path,
    fixed: Mapping[str, bytes],
    signer: Signer,
    at: dt.datetime,
    truncated: Mapping[str, int] | None,
) -> dict[str, Any]:
    header, start = read_header(_first_line(folder / "chain.jsonl"))
    chain, journal = (folder / "chain.jsonl").read_bytes(), (folder / "journal.jsonl").read_bytes()
    head, rows = _last_hash(chain, start)
    journal_head, lines = _last_hash(journal, start)
    files = {
        name: {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in fixed.items()
    }
    files |= {name: _size_and_hash(folder / name) for name in GROWING}
    return {
        "format": FORMAT,
        "call_id": header["call_id"],
        "started_at": header["started_at"],
        "sealed_at": at.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
        "environment": header["environment"],
        "software": {"name": "voicebot", "version": __version__},
        "key_id": signer.key_id,
        "files": files,
        "truncated_at": dict(truncated) if truncated else None,
        **figures(head, rows - 1, journal_head, lines, (folder / "audio.wav").stat().st_size - 44),
    }


def _last_hash(data: bytes, start: bytes) -> tuple[str, int]:
    lines = data.splitlines()
    return (json.loads(lines[-1])["hash"] if lines else start.hex()), len(lines)


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline().removesuffix(b"\n")


def _size_and_hash(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"size": path.stat().st_size, "sha256": digest.hexdigest()}


def _write_zip(target: Path, folder: Path, texts: Mapping[str, bytes]) -> None:
    """Members in sorted order, streamed; the zip gets its name only when it is whole and on the disk."""
    draft = target.with_suffix(".part")
    with draft.open("wb") as out:
        entries = []
        for name in sorted({*texts, *GROWING}):
            source = folder / name
            body = texts.get(name)
            crc, size = (zlib.crc32(body), len(body)) if body is not None else _crc_and_size(source)
            entries.append((name, crc, size, out.tell()))
            out.write(zip_local(name, crc, size))
            for chunk in [body] if body is not None else _chunks(source):
                out.write(chunk)
        out.write(zip_directory(entries, out.tell()))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(target)
    _sync_folder(folder)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _crc_and_size(path: Path) -> tuple[int, int]:
    crc = size = 0
    for chunk in _chunks(path):
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    return crc, size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_IMPORT = re.compile(r"^from voicebot\.evidence\.(\w+) import (?:\([^)]*\)|.*)\n", re.MULTILINE)
_FUTURE = "from __future__ import annotations\n"


@cache
def verifier_script() -> bytes:
    """verify.py: examine.py with the modules it imports put in their places, so that it needs nobody."""

    def source(name: str) -> str:
        return (importlib.resources.files(__package__) / f"{name}.py").read_text("utf-8")

    joined = _IMPORT.sub(lambda found: source(found[1]).replace(_FUTURE, ""), source("examine"))
    return joined.encode("utf-8")


@cache
def _readme() -> bytes:
    return (importlib.resources.files(__package__) / "README.txt").read_bytes()
