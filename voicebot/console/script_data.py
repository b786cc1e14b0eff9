"""ScriptsData: what the designer's pages read and command about call scripts, their versions, tests and figures."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from voicebot.campaign.publishing import Publishing
from voicebot.console.script_ear import Ear
from voicebot.dialog.checker import Finding, findings_of
from voicebot.dialog.loader import read_text
from voicebot.dialog.plays import PlayError, differences, play
from voicebot.dialog.script import Script
from voicebot.domain.clock import Clock
from voicebot.domain.script_version import Play, ScriptFigures, ScriptVersion, Share, Split, VersionState
from voicebot.pipeline.script_review import forbidden
from voicebot.quality.calls_again import Candidate
from voicebot.quality.trial import MOST, Trial, play_all
from voicebot.store import Store
from voicebot.store.replays import ReplayRun
from voicebot.store.script_versions import VersionRefused, VersionUnknown

log = structlog.get_logger(__name__)

FIGURES_OF = dt.timedelta(days=30)
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_TOP = re.compile(r"^(title|stage):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


class DraftTaken(VersionRefused):
    """Somebody else saved the draft since it was opened; `theirs` is what stands there now."""

    def __init__(self, theirs: ScriptVersion) -> None:
        super().__init__(f"{theirs.written_by} saved version {theirs.number} of {theirs.script} in the meantime")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """One script in the list: what is on the air with its parts, the newest version, and the last 30 days."""

    script: str
    title: str
    stage: str
    newest: ScriptVersion
    on_air: tuple[tuple[int, float], ...] = ()
    figures: ScriptFigures = field(default_factory=ScriptFigures)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is as a script: None when it cannot be built, with what the compiler says about it."""

    script: Script | None
    findings: tuple[Finding, ...]


class ScriptsData:
    """Refusals are VersionRefused (DraftTaken among them) and VersionUnknown; each holds a sentence."""

    def __init__(self, store: Store, clock: Clock, shipped: Path, recordings: Path | None = None) -> None:
        """`recordings`: where sealed calls lie, to be played again."""
        self._store = store
        self._recordings = recordings
        self._trials: dict[tuple[str, int], Trial] = {}
        self._playing: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._shipped = shipped
        self._publishing = Publishing(store, shipped, clock)
        self.ear = Ear()

    # -- reading

    async def rows(self) -> Sequence[ScriptRow]:
        """Every script, those on the air first."""
        versions = await self._store.script_versions.list()
        air: dict[str, list[tuple[int, float]]] = {}
        for entry in await self._store.script_versions.on_air():
            air.setdefault(entry.version.script, []).append((entry.version.number, entry.share))
        rows = []
        for newest in _newest(versions):
            known = next(
                (v for v in versions if v.script == newest.script and v.state is VersionState.PUBLISHED), newest
            )
            top = top_of(known.source)
            figures = await self.figures(newest.script)
            shares = tuple(air.get(newest.script, ()))
            rows.append(ScriptRow(newest.script, top.get("title", ""), top.get("stage", ""), newest, shares, figures))
        return sorted(rows, key=lambda row: (not row.on_air, row.script))

    async def versions(self, script: str) -> Sequence[ScriptVersion]:
        """Newest first; empty for a script nobody wrote."""
        return await self._store.script_versions.list(script)

    async def version(self, script: str, number: int | None = None) -> ScriptVersion:
        """The version with this number, or the one to open: the draft, else the one on the air, else the newest."""
        if number is not None:
            return await self._store.script_versions.get(script, number)
        versions = await self.versions(script)
        if not versions:
            raise VersionUnknown(f"there is no script {script}")
        if versions[0].state in (VersionState.DRAFT, VersionState.REVIEWED):
            return versions[0]
        return next((v for v in versions if v.state is VersionState.PUBLISHED), versions[0])

    async def split_of(self, script: str) -> Split | None:
        return await self._store.script_versions.split_of(script)

    async def shares(self, script: str) -> Mapping[int, float]:
        return {entry.version.number: entry.share for entry in await self._store.script_versions.published(script)}

    async def figures(self, script: str, number: int | None = None) -> ScriptFigures:
        """What calls of the last 30 days made of it."""
        since = self._clock.now() - FIGURES_OF
        return await self._store.script_calls.figures(script, number, since)

    async def read(self, script: str, source: str) -> Reading:
        """Build and check a text with everything it rests on; up to a second of one core."""
        whole = await self._publishing.frozen(script, source)
        return await asyncio.to_thread(self._read, script, whole)

    def _read(self, script: str, whole: str) -> Reading:
        built, problems = read_text(whole, script, (self._shipped,))
        if built is not None and not any(problem.code.startswith("unknown-") for problem in problems):
            problems = [*problems, *forbidden(built)]
        return Reading(built, tuple(findings_of(built, problems)))

    async def whole(self, script: str, source: str) -> str:
        """The text with everything it rests on behind it, as calls load it."""
        return await self._publishing.frozen(script, source)

    # -- writing

    async def begin(self, script: str, title: str, base: str, extend: bool, by: str) -> ScriptVersion:
        """A draft of a new script that extends or copies `base`. VersionRefused for a name that cannot be used."""
        if not _NAME.fullmatch(script):
            raise VersionRefused("the id of a script: a small letter, then 1 to 39 small letters, digits or _")
        if await self.versions(script):
            raise VersionRefused(f"there is a script {script} already")
        source = (await self.version(base)).source
        text = _extending(script, title, base) if extend else _copied(source, script, title)
        return await self._publishing.draft(script, text, by)

    async def save(self, seen: ScriptVersion, source: str, by: str, note: str = "") -> ScriptVersion:
        """Keep a text as the open draft, or begin the next one. DraftTaken when it is not the one `seen` any more."""
        try:
            return await self._publishing.draft(seen.script, source, by, note, expected_sha256=seen.sha256)
        except VersionRefused as refused:
            newest = (await self.versions(seen.script))[0]
            if newest.source == source:
                return newest
            raise DraftTaken(newest) from refused

    async def draft(self, script: str, source: str, by: str, note: str, sha256: str | None) -> ScriptVersion:
        """The same for programs, which may not know what stands there. VersionUnknown for a script nobody began."""
        await self.version(script)
        return await self._publishing.draft(script, source, by, note, expected_sha256=sha256)

    async def review(self, script: str, number: int, by: str) -> ScriptVersion:
        """Somebody else than the writer says yes to a version without errors that passes its tests."""
        source = (await self.version(script, number)).source
        built = (await self.read(script, source)).script
        failing = [name for name, found in (await self.run_plays(script, built)).items() if found] if built else []
        if failing:
            raise VersionRefused(f"version {number} of {script} does not pass its tests: {', '.join(failing)}")
        return await self._publishing.review(script, number, by)

    async def publish(self, script: str, number: int, by: str) -> ScriptVersion:
        return await self._publishing.publish(script, number, by)

    async def discard(self, script: str, number: int) -> None:
        await self._store.script_versions.discard(script, number)

    async def roll_back(self, script: str, number: int, by: str) -> ScriptVersion:
        return await self._publishing.roll_back(script, number, by)

    async def split(self, script: str, parts: Sequence[Share], hold_out: float, by: str) -> None:
        await self._publishing.split(script, parts, hold_out, by)

    # -- real calls, played again

    async def begin_trial(self, script: str, number: int, by: str, most: int = MOST) -> Trial:
        """Play the script's sealed calls through a version, in the background; one that runs already is given back."""
        version = await self.version(script, number)
        running = self._trials.get((script, number))
        if running is not None and not running.done:
            return running
        built = (await self.read(script, version.source)).script
        if built is None:
            raise VersionRefused(f"version {number} of {script} cannot be read; see its problems")
        if self._recordings is None or not await self._store.replays.calls_of(script, 1):
            raise VersionRefused(f"{script} has no sealed calls yet that could be played through a version")
        trial = self._trials[script, number] = Trial(script, number, version.sha256, by)
        task = asyncio.create_task(self._try_out(trial, Candidate(built), most))
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)
        return trial

    async def _try_out(self, trial: Trial, candidate: Candidate, most: int) -> None:
        assert self._recordings is not None
        try:
            await play_all(trial, self._store, self._recordings, candidate, self._clock, most)
        except Exception as error:
            log.exception("calls could not be played again", script=trial.script)
            trial.failed, trial.done = str(error) or type(error).__name__, True

    def trial(self, script: str, number: int) -> Trial | None:
        """The one that was begun last in this process."""
        return self._trials.get((script, number))

    async def trials(self, script: str) -> Mapping[str, ReplayRun]:
        """The newest kept report by the SHA-256 of the text it is about."""
        runs = await self._store.replays.latest(script, limit=50)
        return {run.sha256: run for run in reversed(runs)}

    async def report(self, run_id: int) -> ReplayRun | None:
        return await self._store.replays.find(run_id)

    # -- tests

    async def plays(self, script: str) -> Sequence[Play]:
        return await self._store.script_calls.plays(script)

    async def keep_play(
        self,
        script: str,
        name: str,
        events: Sequence[Mapping[str, Any]],
        expected: Sequence[Mapping[str, Any]],
        by: str,
    ) -> None:
        """Write a conversation down as a test; one of the same name is replaced. VersionRefused without a name."""
        if not name.strip():
            raise VersionRefused("a test needs a name")
        kept = Play(script, name.strip()[:80], tuple(events), tuple(expected), by, self._clock.now())
        await self._store.script_calls.keep_play(kept)

    async def drop_play(self, play_id: int) -> None:
        await self._store.script_calls.drop_play(play_id)

    async def run_plays(self, script: str, built: Script) -> Mapping[str, Sequence[str]]:
        """What a script does otherwise than its tests say, by their names; an empty list passes."""
        plays = await self.plays(script)
        if plays:
            await self.ear.ready()
        return {kept.name: await asyncio.to_thread(self._differences, kept, built) for kept in plays}

    def _differences(self, kept: Play, built: Script) -> Sequence[str]:
        try:
            return differences(kept.expected, play(built, kept.events, self.ear.understand))
        except PlayError as error:
            return [str(error)]


def top_of(source: str) -> dict[str, str]:
    """Title and stage as they stand at the beginning of a text, whether it can be read or not."""
    return {key: value.strip("\"'") for key, value in _TOP.findall(source)}


def _newest(versions: Sequence[ScriptVersion]) -> list[ScriptVersion]:
    found: dict[str, ScriptVersion] = {}
    for version in versions:
        if version.script not in found or found[version.script].number < version.number:
            found[version.script] = version
    return list(found.values())


def _extending(script: str, title: str, base: str) -> str:
    lines = (f"script: {script}", f"title: {_quoted(title or script)}", 'version: "1"', f"extends: {base}", "")
    return "\n".join(lines)


def _copied(source: str, script: str, title: str) -> str:
    text = re.sub(r"^script:.*$", f"script: {script}", source, count=1, flags=re.MULTILINE)
    return re.sub(r"^title:.*$", lambda _: f"title: {_quoted(title or script)}", text, count=1, flags=re.MULTILINE)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")[:60] + '"'


def unsigned(version: ScriptVersion) -> ScriptVersion:
    """The same version without its text, for lists."""
    return replace(version, source="", frozen="")
