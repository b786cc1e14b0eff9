"""ScriptVersions: drafts, reviews, what is on the air, roll-backs and splits. Each refusal says why in a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.script_version import OnAir, ScriptVersion, Share, Split, VersionState, sha256_of
from voicebot.store.database import SCRIPTS, Database, lock_key
from voicebot.store.rows import AnyRow
from voicebot.store.schema_scripts import script_splits, script_versions

WRITERS = ", "
"""Between the names of those who wrote on one draft; none of them may review it."""
_TABLE = script_versions.c


class VersionRefused(Exception):
    """This step is not open to this version or this person; the message says which step would be."""


class VersionUnknown(LookupError):
    """There is no such version of a script."""


class ScriptVersions:
    """What changes the air wakes the listeners of SCRIPTS with the script's name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- reading

    async def list(self, script: str | None = None) -> Sequence[ScriptVersion]:
        """All versions (of one script), newest first."""
        query = select(script_versions).order_by(_TABLE.script, _TABLE.number.desc())
        if script is not None:
            query = query.where(_TABLE.script == script)
        async with self._database.begin() as connection:
            return [_to_version(row) for row in await connection.execute(query)]

    async def get(self, script: str, number: int) -> ScriptVersion:
        """Raises VersionUnknown."""
        async with self._database.begin() as connection:
            return await _find(connection, script, number)

    async def published(self, script: str) -> Sequence[OnAir]:
        """The versions on the air with their parts of the calls, which add up to 1; empty when there is none."""
        return [entry for entry in await self.on_air() if entry.version.script == script]

    async def on_air(self) -> Sequence[OnAir]:
        """Every published version of every script with its part of the calls, by script and number."""
        query = select(script_versions).where(_TABLE.state == VersionState.PUBLISHED)
        async with self._database.begin() as connection:
            versions = [_to_version(row) for row in await connection.execute(query)]
            splits = {row.script: _to_split(row) for row in await connection.execute(select(script_splits))}
        entries = [OnAir(version, _share_of(version, versions, splits)) for version in versions]
        return sorted(entries, key=lambda entry: (entry.version.script, entry.version.number))

    async def split_of(self, script: str) -> Split | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(script_splits).where(script_splits.c.script == script))).first()
        return _to_split(row) if row else None

    # -- writing

    async def save_draft(
        self,
        script: str,
        source: str,
        by: str,
        now: dt.datetime,
        note: str = "",
        *,
        expected_sha256: str | None = None,
        beside: bool = False,
    ) -> ScriptVersion:
        """Write over the draft that is open, or begin the next version (`beside`: in any case). Its writers add up.

        VersionRefused when the open draft is not the one of `expected_sha256` any more.
        """
        values = {"source": source, "sha256": sha256_of(source), "note": note, "written_by": by, "written_at": now}
        async with self._database.begin() as connection:
            await _lock(connection, script)
            newest = await _newest(connection, script)
            if newest is not None and newest.state is VersionState.DRAFT and not beside:
                if expected_sha256 not in (None, newest.sha256):
                    raise VersionRefused(
                        f"{newest.written_by} has changed version {newest.number} of {script} meanwhile: "
                        "load it again, or keep yours as a version of its own"
                    )
                writers = newest.written_by.split(WRITERS)
                values["written_by"] = newest.written_by if by in writers else WRITERS.join((*writers, by))
                return await _change(connection, newest, values)
            number = 1 if newest is None else newest.number + 1
            query = insert(script_versions).values(script=script, number=number, **values).returning(script_versions)
            return _to_version((await connection.execute(query)).one())

    async def discard(self, script: str, number: int) -> None:
        """Throw a draft away. Raises VersionUnknown, VersionRefused."""
        async with self._database.begin() as connection:
            version = await _in_state(connection, script, number, VersionState.DRAFT)
            await connection.execute(delete(script_versions).where(_TABLE.id == version.id))

    async def review(self, script: str, number: int, by: str, now: dt.datetime) -> ScriptVersion:
        """Four eyes: another person than the writer has read the draft. Raises VersionUnknown, VersionRefused."""
        async with self._database.begin() as connection:
            version = await _in_state(connection, script, number, VersionState.DRAFT)
            if by in version.written_by.split(WRITERS):
                raise VersionRefused(f"{by} wrote version {number} of {script}: somebody else must review it")
            change = {"state": VersionState.REVIEWED, "reviewed_by": by, "reviewed_at": now}
            return await _change(connection, version, change)

    async def publish(self, script: str, number: int, by: str, now: dt.datetime, frozen: str = "") -> ScriptVersion:
        """Put a reviewed version on the air in the place of what was there; a split ends.

        `frozen` is the text that calls load; the source when left out. Raises VersionUnknown, VersionRefused.
        """
        async with self._database.begin() as connection:
            version = await _in_state(connection, script, number, VersionState.REVIEWED)
            kept = frozen or version.source
            change = {"frozen": kept, "sha256": sha256_of(kept)}
            return await self._put_on_air(connection, version, by, now, change)

    async def roll_back(self, script: str, to_number: int, by: str, now: dt.datetime) -> ScriptVersion:
        """Put a version that was on the air before back. Raises VersionUnknown, VersionRefused."""
        async with self._database.begin() as connection:
            version = await _in_state(connection, script, to_number, VersionState.RETIRED, VersionState.PUBLISHED)
            return await self._put_on_air(connection, version, by, now, {"retired_at": None})

    async def split(
        self, script: str, parts: Sequence[Share], hold_out: float, by: str, now: dt.datetime
    ) -> Sequence[OnAir]:
        """Share the air between versions that are or were published. Raises VersionUnknown, VersionRefused.

        `parts` add up to 1; `hold_out` (0 to 0.9) of all calls stay on the lowest number whatever its part is.
        """
        _check_split(script, parts, hold_out)
        async with self._database.begin() as connection:
            await _lock(connection, script)
            numbers = [part.number for part in parts]
            for number in numbers:
                version = await _in_state(connection, script, number, VersionState.RETIRED, VersionState.PUBLISHED)
                change = {"published_by": by, "published_at": now} if version.retired_at else {}
                await _change(connection, version, {"state": VersionState.PUBLISHED, "retired_at": None} | change)
            await _retire_others(connection, script, numbers, now)
            await _write_split(connection, Split(script, tuple(parts), hold_out, now))
            await _wake(connection, script)
        return await self.published(script)

    async def ship(self, script: str, source: str, frozen: str, now: dt.datetime, by: str) -> ScriptVersion | None:
        """Take in a file that came with the product: the next version when it is new, None when it is known.

        On the air at once if nothing was, or what was there was shipped too; else it is left reviewed.
        """
        sha256 = sha256_of(frozen)
        async with self._database.begin() as connection:
            await _lock(connection, script)
            known = _TABLE.sha256 == sha256
            if (await connection.execute(select(_TABLE.id).where(_TABLE.script == script, known))).first():
                return None
            newest = await _newest(connection, script)
            values = {
                "script": script, "number": 1 if newest is None else newest.number + 1, "source": source,
                "frozen": frozen, "sha256": sha256, "state": VersionState.REVIEWED, "written_by": by,
                "written_at": now, "reviewed_by": by, "reviewed_at": now,
            }  # fmt: skip
            query = insert(script_versions).values(**values).returning(script_versions)
            version = _to_version((await connection.execute(query)).one())
            current = await _published(connection, script)
            if all(other.written_by == by for other in current):
                version = await self._put_on_air(connection, version, by, now, {})
            return version

    async def _put_on_air(
        self, connection: AsyncConnection, version: ScriptVersion, by: str, now: dt.datetime, change: dict[str, Any]
    ) -> ScriptVersion:
        await _retire_others(connection, version.script, [version.number], now)
        await connection.execute(delete(script_splits).where(script_splits.c.script == version.script))
        values = {"state": VersionState.PUBLISHED, "published_by": by, "published_at": now} | change
        published = await _change(connection, version, values)
        await _wake(connection, version.script)
        return published


def _check_split(script: str, parts: Sequence[Share], hold_out: float) -> None:
    if len({part.number for part in parts}) != len(parts) or len(parts) < 2:
        raise VersionRefused(f"a split of {script} names at least two versions, each once")
    if any(part.share <= 0 for part in parts) or abs(sum(part.share for part in parts) - 1) > 1e-6:
        raise VersionRefused(f"the parts of {script} must be more than nothing and add up to 1")
    if not 0 <= hold_out <= 0.9:
        raise VersionRefused("the hold-out is a part of all calls from 0 to 0.9")


def _share_of(version: ScriptVersion, versions: Sequence[ScriptVersion], splits: dict[str, Split]) -> float:
    split = splits.get(version.script)
    if split is not None:
        return next((part.share for part in split.shares() if part.number == version.number), 0.0)
    return 1.0 / sum(other.script == version.script for other in versions)


async def _lock(connection: AsyncConnection, script: str) -> None:
    """One change of a script at a time, so that numbers have no gap and one version alone is on the air."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("script", script)})


async def _find(connection: AsyncConnection, script: str, number: int) -> ScriptVersion:
    query = select(script_versions).where(_TABLE.script == script, _TABLE.number == number)
    row = (await connection.execute(query)).first()
    if row is None:
        raise VersionUnknown(f"script {script} has no version {number}")
    return _to_version(row)


async def _in_state(connection: AsyncConnection, script: str, number: int, *states: VersionState) -> ScriptVersion:
    await _lock(connection, script)
    version = await _find(connection, script, number)
    if version.state not in states:
        raise VersionRefused(f"version {number} of {script} is {version.state}, it would have to be {states[0]}")
    return version


async def _newest(connection: AsyncConnection, script: str) -> ScriptVersion | None:
    query = select(script_versions).where(_TABLE.script == script).order_by(_TABLE.number.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return _to_version(row) if row else None


async def _published(connection: AsyncConnection, script: str) -> Sequence[ScriptVersion]:
    query = select(script_versions).where(_TABLE.script == script, _TABLE.state == VersionState.PUBLISHED)
    return [_to_version(row) for row in await connection.execute(query)]


async def _change(connection: AsyncConnection, version: ScriptVersion, values: dict[str, Any]) -> ScriptVersion:
    query = update(script_versions).where(_TABLE.id == version.id).values(**values).returning(script_versions)
    return _to_version((await connection.execute(query)).one())


async def _retire_others(connection: AsyncConnection, script: str, numbers: Sequence[int], now: dt.datetime) -> None:
    others: ColumnElement[bool] = _TABLE.number.not_in(numbers)
    query = update(script_versions).where(_TABLE.script == script, _TABLE.state == VersionState.PUBLISHED, others)
    await connection.execute(query.values(state=VersionState.RETIRED, retired_at=now))


async def _write_split(connection: AsyncConnection, split: Split) -> None:
    parts = [{"number": part.number, "share": part.share} for part in split.parts]
    values = {"parts": parts, "hold_out": split.hold_out, "since": split.since}
    query = insert(script_splits).values(script=split.script, **values)
    await connection.execute(query.on_conflict_do_update(index_elements=["script"], set_=values))


async def _wake(connection: AsyncConnection, script: str) -> None:
    await connection.execute(select(func.pg_notify(SCRIPTS, script)))


def _to_split(row: AnyRow) -> Split:
    parts = tuple(Share(int(part["number"]), float(part["share"])) for part in row.parts)
    return Split(row.script, parts, row.hold_out, row.since)


def _to_version(row: AnyRow) -> ScriptVersion:
    return ScriptVersion(**{**row._mapping, "state": VersionState(row.state)})
