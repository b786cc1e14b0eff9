"""Locating: a sealed call as a file, from the local disk or, where it is no longer there, from the object store.

What was fetched lies below VOICEBOT_HOME/fetched for a while, so that a player's many requests fetch it once.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from voicebot.config import Settings, load_settings
from voicebot.evidence.depot.objects import Hashing, ObjectStore, StoreTrouble
from voicebot.evidence.depot.s3 import S3Store

FETCHED = "fetched"
KEPT_S = 24 * 3600
"""A fetched copy is deleted so long after it was last asked for, so that retention reaches it too."""


def open_objects(settings: Settings) -> ObjectStore | None:
    """The object store that the settings name; None: recordings stay on the local disk. StoreTrouble."""
    if settings.object_store is None:
        return None
    bucket, _, prefix = settings.object_store.removeprefix("s3://").partition("/")
    secret = settings.object_store_secret
    return S3Store(
        bucket,
        prefix,
        lock=settings.object_lock,
        endpoint=settings.object_store_endpoint,
        region=settings.object_store_region,
        key_id=settings.object_store_key_id,
        secret=secret.get_secret_value() if secret else None,
        authorities=settings.object_store_ca,
    )


@cache
def _house() -> tuple[Path, ObjectStore | None]:
    """The recordings folder and the object store of this installation."""
    settings = load_settings()
    return settings.recordings, open_objects(settings)


def present(path: Path) -> Path:
    """Where a sealed call can be read: `path`, or a copy from the object store where it is no longer on this disk.

    Only what belongs below the recordings folder is fetched. `path` as it is where it is nowhere. Blocking.
    StoreTrouble: the object store is away.
    """
    if path.exists() or path.suffix != ".zip":
        return path
    recordings, objects = _house()
    if objects is None or not path.resolve().is_relative_to(recordings.resolve()):
        return path
    bundle = path.resolve().relative_to(recordings.resolve()).as_posix()
    return fetch(objects, recordings.parent / FETCHED, bundle) or path


def fetch(objects: ObjectStore, folder: Path, bundle: str) -> Path | None:
    """A copy from the object store, below `folder`; None: it is not there either."""
    target = folder / bundle
    with suppress(FileNotFoundError):
        os.utime(target)
        return target
    found = objects.find(bundle)
    if found is None:
        return None
    forget(folder, KEPT_S)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f"{target.name}.{os.urandom(6).hex()}.part")
    try:
        with draft.open("wb") as file:
            whole = Hashing(file)
            there = objects.read(bundle, whole)
        if not there:
            return None
        if whole.size != found.size or whole.sha256 != (found.sha256 or whole.sha256):
            raise StoreTrouble(f"{bundle} came damaged from the object store; it is fetched anew when asked for again")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def forget(folder: Path, older_s: float = 0.0, bundle: str | None = None) -> None:
    """Delete fetched copies that nobody asked for in so many seconds, or that of one call."""
    before = time.time() - older_s
    for path in [folder / bundle] if bundle is not None else list(folder.glob("*/*/*/*/*")):
        with suppress(OSError):
            if bundle is not None or path.stat().st_mtime < before:
                path.unlink()
                path.parent.rmdir()
