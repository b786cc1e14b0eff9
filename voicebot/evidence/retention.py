"""Retention: when a recording may go, and what stays behind when it does: its place in the log, and who deleted it."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.resources
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from ruamel.yaml import YAML

from voicebot.domain.clock import Clock
from voicebot.domain.operation import Action
from voicebot.evidence.depot.locating import FETCHED, fetch, forget
from voicebot.evidence.depot.objects import ObjectStore
from voicebot.evidence.reading import sealed_members
from voicebot.evidence.signer import utc
from voicebot.evidence.spelling import canonical
from voicebot.evidence.vault import VaultLocked
from voicebot.store.papers import Kept
from voicebot.store.store import Store

log = structlog.get_logger(__name__)
TOMBSTONE = "deleted.json"
_OVER = "its term is over"


@cache
def shipped_terms() -> Mapping[str, int]:
    """Years by jurisdiction, as they ship; `default` for places that are not known."""
    text = (importlib.resources.files(__package__) / "data" / "retention.yaml").read_text("utf-8")
    found: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load(text)
    return {place: int(rule["years"]) for place, rule in found.items()}


def keep_until(kept: Kept, years: int) -> dt.datetime | None:
    """When a recording may be deleted: `years` after the last call or the closing of its case, whichever is later.

    None while the case is open or under a legal hold. A call without a case counts from its own end.
    """
    if kept.held or kept.case_open:
        return None
    last = max(kept.ended_at, kept.last_action, kept.settled_at or kept.ended_at)
    return years_on(last, years)


def years_on(at: dt.datetime, years: int) -> dt.datetime:
    """The same moment so many years later, or earlier."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # 29 February
        return at.replace(year=at.year + years, month=3, day=1)


def erase(bundle: Path, at: dt.datetime, *, by: str, why: str) -> dict[str, Any]:
    """Delete a sealed call; what stays in its place is the log leaf of its manifest. What stays, as written.

    A call whose key is gone is deleted like any other. OSError: the disk refuses.
    """
    stone = _stone(bundle, at, by, why, _leaf(bundle))
    for path in bundle.parent.iterdir():
        if path.name != TOMBSTONE:
            path.unlink()
    return stone


def _stone(bundle: Path, at: dt.datetime, by: str, why: str, leaf: object) -> dict[str, Any]:
    """What stays in a call's place, written there."""
    stone = {"call_id": bundle.parent.name, "deleted_at": utc(at), "by": by, "why": why, "leaf": leaf}
    (bundle.parent / TOMBSTONE).write_bytes(canonical(stone))
    return stone


def _leaf(bundle: Path | None) -> object:
    """A call's place in the log; None where the call can't be read."""
    try:
        members: Mapping[str, bytes] = sealed_members(bundle) if bundle is not None and bundle.exists() else {}
        return json.loads(members["proof.json"])["leaf"]
    except (VaultLocked, KeyError, ValueError):
        return None


async def delete_expired(
    store: Store,
    recordings: Path,
    clock: Clock,
    terms: Mapping[str, int] | None = None,
    objects: ObjectStore | None = None,
) -> int:
    """Delete every recording whose term is over; how many. Each is written into the operation log first.

    `objects`: where they also lie. What lies on the disk of another machine is deleted there, see depot/sweeping.py.
    """
    terms = terms or shipped_terms()
    now, gone = clock.now(), 0
    after: tuple[dt.datetime, str] | None = None
    first_possible = years_on(now, -min(terms.values()))
    while rows := await store.papers.kept(first_possible, after=after):
        for kept in rows:
            until = keep_until(kept, terms.get(kept.jurisdiction or "", terms["default"]))
            if until is not None and until <= now:
                gone += await _delete(store, recordings, kept, now, objects)
        after = rows[-1].ended_at, rows[-1].call_id
    return gone


async def _delete(store: Store, recordings: Path, kept: Kept, now: dt.datetime, objects: ObjectStore | None) -> int:
    if _inside(recordings, kept.bundle) is None:
        log.error("a recording lies outside the recordings folder and is not deleted", call_id=kept.call_id)
        return 0
    detail = {"why": "retention", "bundle": kept.bundle}
    try:
        if objects is not None and await asyncio.to_thread(_is_locked, objects, kept.bundle, now):
            log.error("the object store still locks a recording whose term is over", call_id=kept.call_id)
            return 0
        await store.operations.note("retention", "system", Action.DELETED, f"call:{kept.call_id}", now, detail)
        here = await asyncio.to_thread(_delete_everywhere, recordings, kept.bundle, now, objects)
    except OSError as error:
        log.error("a recording can't be deleted, see to its folder", call_id=kept.call_id, error=str(error))
        return 0
    await store.uploads.expired(kept.call_id, now, here=here)
    await store.papers.bundle_gone(kept.call_id)
    return 1


def _delete_everywhere(recordings: Path, bundle: str, now: dt.datetime, objects: ObjectStore | None) -> bool:
    """Delete a call in the object store and on this disk; False: it was not on this disk. OSError."""
    if objects is None:
        return erase_here(recordings, bundle, now)
    here = (recordings / bundle).exists()
    leaf = None if here else _leaf(fetch(objects, recordings.parent / FETCHED, bundle))
    objects.delete(bundle)
    if erase_here(recordings, bundle, now):
        return True
    (recordings / bundle).parent.mkdir(parents=True, exist_ok=True)
    _stone(recordings / bundle, now, "retention", _OVER, leaf)
    return False


def _is_locked(objects: ObjectStore, bundle: str, now: dt.datetime) -> bool:
    found = objects.find(bundle)
    return found is not None and (found.held or (found.keep_until is not None and found.keep_until > now))


def _inside(recordings: Path, bundle: str) -> Path | None:
    """The bundle or unsealed folder of a call, None where it would lie outside."""
    path = (recordings / bundle).resolve()
    return path if path.is_relative_to(recordings.resolve()) and path != recordings.resolve() else None


def erase_here(recordings: Path, bundle: str, at: dt.datetime) -> bool:
    """Delete a recording whose term is over from this disk, fetched copies too; False: it was not here. OSError."""
    path = _inside(recordings, bundle)
    if path is None:
        raise OSError(f"{bundle} lies outside the recordings folder")
    forget(recordings.parent / FETCHED, bundle=bundle)
    sealed = path if path.suffix == ".zip" else path / f"{path.name}.zip"
    if not sealed.parent.exists():
        return False
    erase(sealed, at, by="retention", why=_OVER)
    return True
