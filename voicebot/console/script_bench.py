"""Workbench: one designer at one script - the text being changed, what it is as a script, and who else is at it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from voicebot.console.script_data import Reading, ScriptsData
from voicebot.console.script_drawing import Shades
from voicebot.console.script_fields import Form
from voicebot.console.script_flow import Flow, flow_of
from voicebot.console.script_text import ScriptText, ScriptTextError
from voicebot.dialog.checker import Finding, Severity
from voicebot.domain.script_version import ScriptVersion
from voicebot.store.script_versions import VersionUnknown


class Workbench:
    """The working copy of one open page. `flow` is the last one that could be read; `reading` what is there now."""

    def __init__(self, data: ScriptsData, version: ScriptVersion, who: str) -> None:
        self._data = data
        self.version = version
        self.who = who
        self.source = version.source
        self.reading = Reading(None, ())
        self.flow: Flow | None = None
        self.since = dt.datetime.now(dt.UTC)
        self._parents: dict[str, ScriptText] = {}
        self._text: tuple[str, ScriptText] | None = None
        self._turn = asyncio.Lock()

    @property
    def script(self) -> str:
        return self.version.script

    @property
    def changed(self) -> bool:
        return self.source != self.version.source

    @property
    def errors(self) -> Sequence[Finding]:
        return [finding for finding in self.reading.findings if finding.severity is Severity.ERROR]

    async def read(self) -> bool:
        """Build and check what is written now; False when it was changed again meanwhile."""
        async with self._turn:
            source = self.source
            reading = await self._data.read(self.script, source)
            if source != self.source:
                return False
            self.reading = reading
            if reading.script is not None:
                self.flow = flow_of(reading.script)
            return True

    def own(self, finding: Finding) -> bool:
        """True for what stands in this text and not in one it rests on."""
        return finding.file == self.script

    async def text(self) -> ScriptText:
        """The YAML, card by card. ScriptTextError when it is none."""
        if self._text is None or self._text[0] != self.source:
            source = self.source
            base = await self._parent(source)
            self._text = (source, await asyncio.to_thread(ScriptText, source, base))
        return self._text[1]

    async def _parent(self, source: str, depth: int = 0) -> ScriptText | None:
        name = (await asyncio.to_thread(ScriptText, source)).extends
        if not name or depth > 5:
            return None
        if name not in self._parents:
            try:
                text = (await self._data.version(name)).source
            except VersionUnknown:
                return None
            self._parents[name] = await asyncio.to_thread(ScriptText, text, await self._parent(text, depth + 1))
        return self._parents[name]

    async def form(self, section: str, name: str) -> tuple[Form, bool] | None:
        """What the form of a card or signal shows, and whether it stands in this text; None when there is none."""
        text = await self.text()
        form = text.card(name) if section == "nodes" else text.signal(name)
        return (form, text.own(section, name)) if form is not None else None

    async def write(self, section: str, name: str, form: Mapping[str, Any]) -> None:
        """Take a filled-in form into the text. ScriptTextError when that does not work."""
        await self._change(lambda text: text.write(section, name, dict(form)))

    async def add(self, name: str, kind: str, goto: str) -> None:
        await self._change(lambda text: text.add(name, kind, goto))

    async def remove(self, section: str, name: str) -> None:
        await self._change(lambda text: text.remove(section, name))

    async def _change(self, change: Any) -> None:
        text = await self.text()
        self._text = None  # a change that fails half-way must not be built upon
        await asyncio.to_thread(change, text)
        self.source = await asyncio.to_thread(text.text)
        self._text = (self.source, text)

    async def save(self, note: str = "") -> ScriptVersion:
        """DraftTaken when somebody else was faster; nothing is lost then on either side."""
        self.version = await self._data.save(self.version, self.source, self.who, note)
        return self.version

    def problems(self) -> Mapping[str, str]:
        """The worst finding of each card, by the lines it spans."""
        if self.flow is None:
            return {}
        starts = sorted((card.line, name) for name, card in self.flow.cards.items() if card.own)
        worst: dict[str, str] = {}
        for finding in self.reading.findings:
            if self.own(finding):
                name = next((name for line, name in reversed(starts) if line <= finding.line), None)
                if name and worst.get(name) != "error":
                    worst[name] = finding.severity.value
        return worst

    def shades(self, figures: Mapping[str, Any] | None = None) -> Shades:
        return Shades(problems=self.problems(), **(figures or {}))


class Benches:
    """Who has which version open and changed, in this process; so that two designers hear of each other."""

    def __init__(self) -> None:
        self._open: dict[int, Workbench] = {}

    def enter(self, bench: Workbench) -> None:
        self._open[id(bench)] = bench

    def leave(self, bench: Workbench) -> None:
        self._open.pop(id(bench), None)

    def others(self, bench: Workbench) -> list[str]:
        """Others who are changing the same script, by name."""
        found = {b.who for b in self._open.values() if b.script == bench.script and b.changed and b.who != bench.who}
        return sorted(found)


__all__ = ["Benches", "ScriptTextError", "Workbench"]
