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
from voicebot.evidence.content import read_header
from voicebot.evidence.disk import recording_lock
from voicebot.evidence.format import CONSULT, FORMAT, SIGNED, SPELLINGS, figures
from voicebot.evidence.journal import read_facts
from voicebot.evidence.log import replace
from voicebot.evidence.notary import enter, known_state
from voicebot.evidence.signer import Signer, utc
from voicebot.evidence.stored_zip import unzip, zip_bytes, zip_directory, zip_local
from voicebot.evidence.told import told
from voicebot.evidence.vault import Locking, master_key

GROWING = ("audio.wav", "chain.jsonl", "journal.jsonl", CONSULT)
SEALING = "sealing.zip"
"""What is about to be sealed, written before the log takes it, so that a killed process seals the same again."""
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
    folder: Path,
    signer: Signer,
    at: dt.datetime,
    truncated: Mapping[str, int] | None = None,
    closing: Mapping[str, object] | None = None,
) -> Path:
    """Sign, enter into the log and zip the finished files of `folder`, remove them, return the zip.

    A zip that exists is returned as it is. `truncated` says what a recovery had to cut off, `closing` how machine and
    clock were at the end. Copies the whole recording: call it from a thread.
    """
    target = bundle_path(folder)
    if not target.exists():
        signer = signer.fresh()
        texts, again = begun(folder, signer), True
        if texts is None:
            texts, again = _texts(folder, signer, at, truncated, closing or {}), False
            replace(folder / SEALING, zip_bytes(texts))
        if json.loads(texts["manifest.json"])["format"] == FORMAT:
            texts["proof.json"] = enter(texts["manifest.json"], signer, at, again=again)
        _write_zip(target, folder, texts)
    for name in (*GROWING, SEALING):
        (folder / name).unlink(missing_ok=True)
    return target


def begun(folder: Path, signer: Signer) -> dict[str, bytes] | None:
    """What a killed process of this house was about to seal, where the files are still those that it saw; else None."""
    path = folder / SEALING
    if not path.exists():
        return None
    texts, failures = unzip(path.read_bytes())
    if failures or not {"manifest.json", "manifest.sig"} <= set(texts):
        return None
    manifest = json.loads(texts["manifest.json"])
    if manifest["key_id"] not in [entry["key_id"] for entry in signer.history]:
        return None
    files = manifest["files"]
    same = all((folder / name).exists() and _size_and_hash(folder / name) == files[name] for name in _present(folder))
    return texts if same and set(files) == {*texts, *_present(folder)} - {"manifest.json", "manifest.sig"} else None


def _present(folder: Path) -> list[str]:
    """The sound files and chains of a call; the consulted leg only where there was one."""
    return [name for name in GROWING if name != CONSULT or (folder / name).exists()]


def _texts(
    folder: Path,
    signer: Signer,
    at: dt.datetime,
    truncated: Mapping[str, int] | None,
    closing: Mapping[str, object],
) -> dict[str, bytes]:
    """All members but the growing files and the proof."""
    header, start = read_header(_first_line(folder / "chain.jsonl"))
    facts = list(read_facts((folder / "journal.jsonl").read_bytes()))
    fixed = {"README.txt": _readme(), "key.json": signer.key_document(), "verify.py": verifier_script()}
    fixed |= {name: body for name, body in told(header, facts, closing).items() if name in SIGNED[header["format"]]}
    manifest = SPELLINGS[header["format"]](_manifest(folder, header, start, fixed, signer, at, truncated))
    return {**fixed, "manifest.json": manifest, "manifest.sig": signer.sign(manifest)}


def _manifest(
    folder: Path,
    header: Mapping[str, Any],
    start: bytes,
    fixed: Mapping[str, bytes],
    signer: Signer,
    at: dt.datetime,
    truncated: Mapping[str, int] | None,
) -> dict[str, Any]:
    chain, journal = (folder / "chain.jsonl").read_bytes(), (folder / "journal.jsonl").read_bytes()
    head, rows = _last_hash(chain, start)
    journal_head, lines = _last_hash(journal, start)
    files = {
        name: {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in fixed.items()
    }
    files |= {name: _size_and_hash(folder / name) for name in _present(folder)}
    manifest = {
        "format": header["format"],
        "call_id": header["call_id"],
        "started_at": header["started_at"],
        "sealed_at": utc(at),
        "environment": header["environment"],
        "software": {"name": "voicebot", "version": __version__},
        "key_id": signer.key_id,
        "files": files,
        "truncated_at": dict(truncated) if truncated else None,
        **figures(head, rows - 1, journal_head, lines, (folder / "audio.wav").stat().st_size - 44),
    }
    return {**manifest, "log": known_state(signer)} if header["format"] == FORMAT else manifest


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
    """Members in sorted order, streamed; the zip gets its name only when it is whole and on the disk.

    Where the installation has a vault, what is on the disk is encrypted.
    """
    draft = target.with_suffix(".part")
    master = master_key()
    with draft.open("wb") as file:
        out = Locking(file, f"call:{folder.name}", master) if master is not None else file
        entries, at = [], 0
        for name in sorted({*texts, *_present(folder)}):
            source, body = folder / name, texts.get(name)
            crc, size = (zlib.crc32(body), len(body)) if body is not None else _crc_and_size(source)
            local = zip_local(name, crc, size)
            entries.append((name, crc, size, at))
            at += len(local) + size
            out.write(local)
            for chunk in [body] if body is not None else _chunks(source):
                out.write(chunk)
        out.write(zip_directory(entries, at))
        if isinstance(out, Locking):
            out.finish()
        file.flush()
        os.fsync(file.fileno())
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
    joined: set[str] = set()

    def source(found: re.Match[str]) -> str:
        if found[1] in joined:
            return ""
        joined.add(found[1])
        return _IMPORT.sub(source, _source(found[1]).replace(_FUTURE, ""))

    return _IMPORT.sub(source, _source("examine")).encode("utf-8")


def _source(module: str) -> str:
    return (importlib.resources.files(__package__) / f"{module}.py").read_text("utf-8")


@cache
def _readme() -> bytes:
    return (importlib.resources.files(__package__) / "README.txt").read_bytes()
