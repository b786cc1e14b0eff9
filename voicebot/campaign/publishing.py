"""Publishing: a call script's way to the air. Compiler, four eyes and freezing stand between; shipped files come in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from voicebot.dialog.checker import Finding, Severity
from voicebot.dialog.loader import PARTS
from voicebot.dialog.parcel import parcel
from voicebot.domain.clock import Clock
from voicebot.domain.script_version import SHIPPED, ScriptVersion, Share
from voicebot.pipeline.script_review import review_text
from voicebot.store.script_versions import VersionRefused
from voicebot.store.store import Store

log = structlog.get_logger(__name__)


class ScriptBroken(VersionRefused):
    """The compiler finds errors in a version; `findings` holds them."""

    def __init__(self, version: ScriptVersion, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(
            f"version {version.number} of {version.script} has {len(findings)} errors, "
            f"the first in line {first.line}: {first.message}"
        )
        self.findings = findings


class Publishing:
    """`shipped` is the folder of the product's scripts: what a text rests on is sought on the air, then there.

    Refusals are VersionRefused (ScriptBroken among them) and VersionUnknown; each holds a sentence.
    """

    def __init__(self, store: Store, shipped: Path, clock: Clock) -> None:
        self._store = store
        self._shipped = shipped
        self._clock = clock

    async def check(self, script: str, source: str) -> Sequence[Finding]:
        """What the compiler says about a text that may stand in an editor; up to a second."""
        return await asyncio.to_thread(review_text, await self.frozen(script, source), script, (self._shipped,))

    async def draft(
        self,
        script: str,
        source: str,
        by: str,
        note: str = "",
        *,
        expected_sha256: str | None = None,
        beside: bool = False,
    ) -> ScriptVersion:
        """Keep a text, whatever is wrong with it; see ScriptVersions.save_draft."""
        return await self._store.script_versions.save_draft(
            script, source, by, self._clock.now(), note, expected_sha256=expected_sha256, beside=beside
        )

    async def review(self, script: str, number: int, by: str) -> ScriptVersion:
        """Somebody else than the writer says yes; nobody can to a version with errors."""
        await self._checked(script, number)
        return await self._store.script_versions.review(script, number, by, self._clock.now())

    async def publish(self, script: str, number: int, by: str) -> ScriptVersion:
        """On the air with everything it rests on now; calls get it seconds later."""
        frozen = await self._checked(script, number)
        return await self._store.script_versions.publish(script, number, by, self._clock.now(), frozen)

    async def roll_back(self, script: str, to_number: int, by: str) -> ScriptVersion:
        return await self._store.script_versions.roll_back(script, to_number, by, self._clock.now())

    async def split(self, script: str, parts: Sequence[Share], hold_out: float, by: str) -> None:
        await self._store.script_versions.split(script, parts, hold_out, by, self._clock.now())

    async def frozen(self, script: str, source: str) -> str:
        """The text with every script it rests on behind it: those on the air, newest first, else the shipped ones."""
        library = await self._library()
        return parcel(script, source, library.get)

    async def ship(self) -> list[ScriptVersion]:
        """Take in the product's own scripts where they are new; the versions that were made of them."""
        texts = await asyncio.to_thread(_texts, self._shipped)
        known = await asyncio.to_thread(_texts, self._shipped / PARTS) | texts
        tried = [await self._ship(script, source, known) for script, source in texts.items()]
        made = [version for version in tried if version is not None]
        if made:
            log.info("shipped call scripts taken in", new=len(made), of=len(texts))
        return made

    async def _ship(self, script: str, source: str, texts: Mapping[str, str]) -> ScriptVersion | None:
        frozen, versions = parcel(script, source, texts.get), self._store.script_versions
        version = await versions.ship(script, source, frozen, self._clock.now(), SHIPPED)
        if version is not None:
            log.debug("shipped call script taken in", script=script, version=version.number, state=version.state.value)
        return version

    async def _checked(self, script: str, number: int) -> str:
        version = await self._store.script_versions.get(script, number)
        frozen = await self.frozen(script, version.source)
        findings = await asyncio.to_thread(review_text, frozen, script, (self._shipped,))
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            raise ScriptBroken(version, errors)
        return frozen

    async def _library(self) -> Mapping[str, str]:
        parts = await asyncio.to_thread(_texts, self._shipped / PARTS)
        texts = parts | await asyncio.to_thread(_texts, self._shipped)
        on_air = await self._store.script_versions.on_air()  # by number: the newest one on the air wins
        return texts | {entry.version.script: entry.version.source for entry in on_air}


def _texts(folder: Path) -> dict[str, str]:
    """The scripts of a folder by name; what is not UTF-8 is left out, the brain will say so."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            found[file.stem] = file.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            log.error("call script can't be read: save it as UTF-8", file=str(file))
    return found
