"""Script boxes: what one open page of a script shows, drawn from its workbench, its chat and its simulation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.script_bench import Benches, Workbench
from voicebot.console.script_chat import Chat
from voicebot.console.script_data import ScriptsData
from voicebot.console.script_drawing import Shades, drawn_flow, drawn_rack
from voicebot.console.script_form import card_form, card_names, intent_list, no_card
from voicebot.console.script_frame import (
    chat_box,
    frame,
    simulate_box,
    tools_of,
    top_of_page,
)
from voicebot.console.script_panels import (
    Rights,
    Tried,
    plays_panel,
    problems_count,
    problems_panel,
    run_panel,
    versions_panel,
)
from voicebot.console.script_runs import MOST, Run
from voicebot.console.script_text import ScriptTextError
from voicebot.console.shell import blank, empty, markup
from voicebot.console.words import Words
from voicebot.domain.script_version import ScriptVersion


class Boxes:
    """Everything on the page; built inside the page's shell."""

    def __init__(
        self, data: ScriptsData, benches: Benches, words: Words, version: ScriptVersion, rights: Rights
    ) -> None:
        self._data, self._benches, self._words, self._rights = data, benches, words, rights
        self._client = ui.context.client
        self.bench = Workbench(data, version, rights.who)
        self.chat = Chat(data.ear)
        self.run: Run | None = None
        self._running: asyncio.Task[None] | None = None
        self._shade = "none"
        self._changes: Mapping[str, str] = {}
        self._chosen: tuple[str, str] | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._results: dict[str, Sequence[str]] = {}
        self._trying = False

    def _build(self) -> None:
        words, bench = self._words, self.bench
        self._top = markup(top_of_page(words, bench, self._rights))
        self._notices = blank().classes("notices")
        with ui.element("div").classes("designer") as page:
            page.props(f'data-script="{bench.script}" data-number="{bench.version.number}"')
            with ui.element("section").classes("panel stage"):
                markup(tools_of(words))
                with ui.element("div").classes("pane flow-pane").props('data-pane="flow"'):
                    self._rack = blank()
                    with ui.element("div").classes("flow-view"):
                        self._flow = blank().classes("flow-zoom")
                with ui.element("div").classes("pane").props('data-pane="yaml"'):
                    self.editor = ui.codemirror(
                        bench.source,
                        language="YAML",
                        theme="basicLight",
                        indent="  ",
                        line_wrapping=True,
                    ).classes("yaml")
                self._diff = self._pane("diff")
                with ui.element("div").classes("pane in").props('data-pane="simulate"'):
                    markup(simulate_box(words, MOST))
                    self._run = blank()
                self._plays = self._pane("plays")
                self._versions = self._pane("versions")
                with ui.element("details").classes("problems").props("open"):
                    self._counts = blank("summary")
                    self._problems = blank()
            with ui.element("aside").classes("panel aside"):
                markup(frame(words, self._rights.write))
                with ui.element("div").classes("pane in").props('data-side="card"'):
                    self._form = blank()
                with ui.element("div").classes("pane chat-pane").props('data-side="chat"'):
                    markup(chat_box(words, self.chat))
                    self._state = blank()
                    self._talk = blank().classes("talk")
                    self._input = blank()
        self._names = blank()
        markup(intent_list(words.language))
        self.editor.set_enabled(self._rights.write)

    def _pane(self, name: str) -> ui.html:
        with ui.element("div").classes("pane in").props(f'data-pane="{name}"'):
            return blank()

    # -- drawing

    async def _redraw(self) -> None:
        """Everything that follows from the text."""
        words, bench = self._words, self.bench
        self._counts.content = problems_count(words, bench)
        self._problems.content = problems_panel(words, bench)
        self.editor.decorations = _marked(bench)
        await self._paint()
        self._top.content = top_of_page(words, bench, self._rights)
        if bench.flow is not None:
            self._names.content = card_names(bench.flow)
        await self._show_card()

    async def _paint(self) -> None:
        flow = self.bench.flow
        if flow is None:
            self._flow.content = empty("alert", self._words("script.unreadable"), small=True)
            return
        shades = await self._shades()
        self._flow.content = await asyncio.to_thread(drawn_flow, self._words, flow, shades)
        self._rack.content = drawn_rack(self._words, flow, shades)

    async def _shades(self) -> Shades:
        problems, changed = self.bench.problems(), self._changes
        if self._shade == "calls":
            figures = await self._data.figures(self.bench.script, self.bench.version.number)
            return Shades(figures.calls, figures.nodes, figures.branches, changed, problems)
        if self._shade == "simulated" and self.run is not None and self.run.done:
            return Shades(self.run.finished, self.run.nodes, self.run.branches, changed, problems)
        return Shades(changes=changed, problems=problems)

    async def _show_card(self) -> None:
        words = self._words
        if self._chosen is None:
            self._form.content = no_card(words)
            return
        section, name = self._chosen
        try:
            found = await self.bench.form(section, name)
            base = (await self.bench.text()).extends
        except ScriptTextError as broken:
            self._form.content = empty("alert", words("script.unreadable"), str(broken), small=True)
            return
        if found is None:
            self._form.content = no_card(words)
            return
        form, own = found
        self._form.content = card_form(words, section, name, form, own, base, self._rights.write)

    async def _show_versions(self) -> None:
        versions = await self._data.versions(self.bench.script)
        shares = await self._data.shares(self.bench.script)
        split = await self._data.split_of(self.bench.script)
        running = {v.number: found for v in versions if (found := self._data.trial(self.bench.script, v.number))}
        tried = Tried(await self._data.trials(self.bench.script), running)
        self._versions.content = versions_panel(self._words, versions, shares, split, self._rights, tried)
        self._trying = any(not trial.done for trial in running.values())

    async def _show_plays(self) -> None:
        plays = await self._data.plays(self.bench.script)
        self._plays.content = plays_panel(self._words, plays, self._results, self._rights.write)

    def _say(self, text: str, bad: bool = False) -> None:
        self._client.run_javascript(f"window.voicebot.toast({json.dumps(text)}, {json.dumps(bad)})")

    def _draw_run(self, run: Run) -> None:
        self._run.content = run_panel(self._words, run)


def _marked(bench: Workbench) -> list[dict[str, Any]]:
    """Lines with findings, for the editor."""
    lines: dict[int, str] = {}
    last = bench.source.count("\n") + 1
    for finding in bench.reading.findings:
        if bench.own(finding) and finding.line <= last and lines.get(finding.line) != "error":
            lines[finding.line] = finding.severity.value
    return [{"kind": "line", "line": line, "class": f"line-{tone}"} for line, tone in sorted(lines.items())]


def chip(text: str) -> Markup:
    return tag("span", text, cls="chip")
