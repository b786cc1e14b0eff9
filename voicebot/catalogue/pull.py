"""Pull: fetch a model's files, resuming what was begun, and check them; nothing half-fetched ever has a final name."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from voicebot.catalogue.entries import Entry, ModelFile

RECEIPT, FACTS = "pulled.json", "model.toml"
_PIECE, _TRIES, _TIMEOUT_S = 1 << 20, 3, 30.0
_OUR_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.EFBIG}
Progress = Callable[[str, int, int | None], None]
"""file name, bytes so far, bytes in all where known."""


class PullError(OSError):
    """The model could not be fetched; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that is not as it should be."""

    file: str
    what: str


def pull(entry: Entry, folder: Path, progress: Progress, mirror: str | None = None) -> Path:
    """Fetch all files of a model into `folder`/name; files that are there and right are left alone.

    `mirror`: scheme and host that stand in for the catalogue's, such as https://hf-mirror.com. Raises PullError.
    """
    target = folder / entry.name
    target.mkdir(parents=True, exist_ok=True)
    receipt = _receipt(target)
    for file in entry.files:
        path = target / file.name
        if not path.exists():
            _fetch(file, path, _address(file.url, mirror), progress)
        digest = _digest(path)
        _expect(file, path, digest, receipt.get(file.name))
        receipt[file.name] = digest
        _write(target / RECEIPT, json.dumps(receipt, indent=1, sort_keys=True))
    if entry.kind != "piper":
        _write(target / FACTS, f'kind = "{entry.kind}"\n')
    return target


def check(entry: Entry, folder: Path) -> list[Fault]:
    """Every file against the catalogue's hash, or against what the first pull recorded; empty when all is well."""
    target = folder / entry.name
    receipt, faults = _receipt(target), []
    for file in entry.files:
        path = target / file.name
        wanted = file.sha256 or receipt.get(file.name)
        if not path.is_file():
            faults.append(Fault(file.name, "missing"))
        elif wanted is None:
            faults.append(Fault(file.name, "no hash to hold it against: it was not pulled by us"))
        elif _digest(path) != wanted:
            faults.append(Fault(file.name, "changed: its SHA-256 is not the one of the catalogue or of the first pull"))
    return faults


def is_pulled(entry: Entry, folder: Path) -> bool:
    return all((folder / entry.name / file.name).is_file() for file in entry.files)


def _fetch(file: ModelFile, path: Path, url: str, progress: Progress) -> None:
    part = path.with_name(path.name + ".part")
    for tries_left in reversed(range(_TRIES)):
        try:
            _continue(file, part, url, progress)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416:  # what lies here is not the beginning of it
                part.unlink(missing_ok=True)
            elif error.code < 500 or not tries_left:
                told = f"{url} answers {error.code} {error.reason}"
                raise PullError(f"{told}: see the model's page, or a mirror") from error
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _OUR_DISK:
                raise PullError(
                    f"{part} can't be written: {error.strerror}; make room, or choose another folder with --into"
                ) from error
            if not tries_left:
                raise PullError(
                    f"{urlsplit(url).netloc} can't be reached ({_why(error)}): check the network, use --mirror, "
                    f"or copy the files from another machine into {path.parent}"
                ) from error
    else:
        raise PullError(f"{url} could not be fetched in {_TRIES} tries; what came so far is kept, try again")
    part.rename(path)


def _continue(file: ModelFile, part: Path, url: str, progress: Progress) -> None:
    """Go on where the part ends. Raises OSError or HTTPException where the connection breaks."""
    begun = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        if begun and answer.status != 206:  # a server that can't resume sends all of it
            begun = 0
        length = answer.headers.get("Content-Length")
        whole = begun + int(length) if length else file.size
        with part.open("r+b" if begun else "wb") as out:
            out.seek(begun)
            for piece in _pieces(answer):
                out.write(piece)
                begun += len(piece)
                progress(file.name, begun, whole)
            out.truncate()
    if whole is not None and begun < whole:
        raise OSError(f"the connection ended after {begun} of {whole} bytes")


def _pieces(answer: object) -> Iterator[bytes]:
    while piece := answer.read(_PIECE):  # type: ignore[attr-defined]
        yield piece


def _expect(file: ModelFile, path: Path, digest: str, recorded: str | None) -> None:
    """Raises PullError, and puts the file aside, where it is not what was promised."""
    size, wanted = path.stat().st_size, file.sha256 or recorded
    if (file.size is None or size == file.size) and (wanted is None or digest == wanted):
        return
    aside = path.with_name(path.name + ".wrong")
    path.replace(aside)
    promised = f"{file.size} bytes" if file.size is not None and size != file.size else f"SHA-256 {wanted}"
    raise PullError(
        f"{file.name} is not what was promised ({promised}; it has {size} bytes, SHA-256 {digest}): "
        f"kept as {aside.name}; pull again, and distrust the source if that repeats"
    )


def _address(url: str, mirror: str | None) -> str:
    if mirror is None:
        return url
    stand_in = urlsplit(mirror)
    if stand_in.scheme not in ("http", "https") or not stand_in.netloc:
        raise PullError(f"--mirror {mirror!r} is no address: write https://HOST")
    return urlsplit(url)._replace(scheme=stand_in.scheme, netloc=stand_in.netloc).geturl()


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error) or type(error).__name__


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receipt(target: Path) -> dict[str, str]:
    """What the first pull recorded; nothing where the record is missing or torn."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((target / RECEIPT).read_text("utf-8"))
        if isinstance(told, dict):
            return {str(name): str(digest) for name, digest in told.items()}
    return {}


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)
