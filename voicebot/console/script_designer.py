"""Designer: one open page of a script - what its boxes show and what happens when somebody does something in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import structlog
from markupsafe import Markup
from nicegui import background_tasks, ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from voicebot.console.script_boxes import Boxes, chip
from voicebot.console.script_chat import drawn_chat, drawn_state, is_over, waits_for_person
from voicebot.console.script_data import DraftTaken
from voicebot.console.script_diff import changes, drawn_diff
from voicebot.console.script_frame import (
    chat_entry,
    conflict_notice,
    diff_box,
    restored_notice,
    sheet,
)
from voicebot.console.script_merge import merged
from voicebot.console.script_panels import (
    run_panel,
)
from voicebot.console.script_runs import MOST, Run, simulate
from voicebot.console.script_text import ScriptTextError
from voicebot.console.shell import empty
from voicebot.dialog.plays import expected_of
from voicebot.domain.script_version import ScriptVersion
from voicebot.store.script_versions import VersionRefused, VersionUnknown

log = structlog.get_logger(__name__)
PAUSE_S = 0.6
"""How long nobody types before the text is read."""


class Designer(Boxes):
    """What happens when somebody does something on the page; `open` draws everything and listens."""

    async def open(self) -> None:
        """Draw the page and begin to listen."""
        self._benches.enter(self.bench)
        ui.context.client.on_delete(self._leave)
        self._build()
        self.editor.on_value_change(self._typed)
        self._listen()
        ui.timer(2.0, self._look_around)
        background_tasks.create(self._begin())

    async def _begin(self) -> None:
        """Reading takes a second: the page is there before."""
        with self._client:
            self._flow.content = empty("script", self._words("loading"), small=True)
            await self._show_card()
            await self.bench.read()
            await self._redraw()
            await self._show_versions()
            await self._show_plays()
            await self._replay()

    def _listen(self) -> None:
        for name, handler in (
            ("script-card", self._choose),
            ("script-form", self._filled),
            ("script-add", self._add),
            ("script-remove", self._remove),
            ("script-shade", self._set_shade),
            ("script-save", self._save),
            ("script-restore", self._restore),
            ("script-drop", self._drop),
            ("script-conflict", self._settle),
            ("script-chat", self._talked),
            ("script-keep", self._keep),
            ("script-diff", self._compare),
            ("script-simulate", self._simulate),
            ("script-play", self._open_play),
            ("script-versions", self._changed_versions),
            ("script-theme", self._set_theme),
        ):
            ui.on(name, handler)

    def _leave(self) -> None:
        self._benches.leave(self.bench)
        if self._running:
            self._running.cancel()

    # -- the text

    def _typed(self, event: ValueChangeEventArguments[str]) -> None:
        if event.value == self.bench.source:
            return
        self.bench.source = event.value or ""
        self._mark_changed()
        if self._pause:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(
            PAUSE_S, lambda: background_tasks.create(self._read_again())
        )

    async def _read_again(self) -> None:
        """Read what is written now; what was written meanwhile is read by whoever wrote it."""
        with self._client:
            self._counts.content = chip(self._words("script.problems.checking"))
            if await self.bench.read():
                await self._redraw()
                await self._replay()

    async def _rewritten(self) -> None:
        """The text was changed from here and not in the editor."""
        self.editor.value = self.bench.source
        self._mark_changed()
        self._client.run_javascript(f"window.designer.keep({json.dumps(self.bench.source)})")
        await self._read_again()

    def _mark_changed(self) -> None:
        self._client.run_javascript(f"window.designer.changed({json.dumps(self.bench.changed)})")

    async def _choose(self, event: GenericEventArguments) -> None:
        # `confirm/kept` was written as a part of `confirm`.
        self._chosen = (str(event.args["section"]), str(event.args["name"]).partition("/")[0])
        await self._show_card()

    async def _filled(self, event: GenericEventArguments) -> None:
        await self._change(event.args["section"], event.args["name"], event.args["form"])

    async def _change(self, section: str, name: str, form: Mapping[str, Any]) -> None:
        if not self._rights.write:
            return
        try:
            await self.bench.write(section, name, form)
        except (ScriptTextError, KeyError, TypeError, AttributeError) as refused:
            self._say(str(refused), bad=True)
            return
        self._say(self._words("script.card.applied"))
        await self._rewritten()

    async def _add(self, event: GenericEventArguments) -> None:
        if not self._rights.write:
            return
        name, kind = str(event.args["name"]).strip(), str(event.args["kind"])
        try:
            await self.bench.add(name, kind, str(event.args.get("goto") or ""))
        except ScriptTextError as refused:
            self._say(str(refused), bad=True)
            return
        self._chosen = ("nodes", name)
        await self._rewritten()

    async def _remove(self, event: GenericEventArguments) -> None:
        if not self._rights.write:
            return
        try:
            await self.bench.remove(str(event.args["section"]), str(event.args["name"]))
        except ScriptTextError as refused:
            self._say(str(refused), bad=True)
            return
        await self._rewritten()

    async def _set_shade(self, event: GenericEventArguments) -> None:
        self._shade = str(event.args["shade"])
        await self._paint()

    def _set_theme(self, event: GenericEventArguments) -> None:
        self.editor.theme = "basicDark" if event.args.get("theme") == "dark" else "basicLight"

    # -- keeping

    async def _save(self, event: GenericEventArguments) -> None:
        if not self._rights.write:
            return
        number = self.bench.version.number
        try:
            saved = await self.bench.save(str(event.args.get("note") or ""))
        except DraftTaken as taken:
            self._show_conflict(taken.theirs, str(event.args.get("base") or ""))
            return
        except VersionRefused as refused:
            self._say(str(refused), bad=True)
            return
        self._notices.content = Markup("")
        self._say(self._words("script.saved", number=saved.number))
        self._client.run_javascript(f"window.designer.saved({json.dumps(sheet(saved))})")
        if saved.number != number:
            path = f"/scripts/{saved.script}?v={saved.number}"
            self._client.run_javascript(f"history.replaceState(null, '', {json.dumps(path)})")
        await self._redraw()
        await self._show_versions()

    def _show_conflict(self, theirs: ScriptVersion, base: str) -> None:
        words = self._words
        self._theirs, self._base = theirs, base or self.bench.version.source
        title = words("script.conflict", by=theirs.written_by, when=words.moment(theirs.written_at))
        self._notices.content = conflict_notice(words, title, drawn_diff(words, theirs.source, self.bench.source))

    async def _settle(self, event: GenericEventArguments) -> None:
        """Merge, take theirs, or write over theirs."""
        theirs, how = self._theirs, str(event.args["how"])
        mine = self.bench.source
        self.bench.version = theirs
        self._notices.content = Markup("")
        if how == "theirs":
            self.bench.source = theirs.source
        elif how == "merge":
            both = merged(self._base, mine, theirs.source, self._rights.who, theirs.written_by)
            self.bench.source = both.text
            line = both.overlaps[0] if both.overlaps else 0
            key = "script.conflict.overlap" if line else "script.conflict.merged"
            self._say(self._words(key, line=line) if line else self._words(key), bad=bool(line))
        self._client.run_javascript(f"window.designer.based({json.dumps(sheet(theirs))})")
        await self._rewritten()
        if how == "mine":
            await self._save_now()

    async def _save_now(self) -> None:
        saved = await self.bench.save()
        self._say(self._words("script.saved", number=saved.number))
        self._client.run_javascript(f"window.designer.saved({json.dumps(sheet(saved))})")
        await self._redraw()
        await self._show_versions()

    async def _restore(self, event: GenericEventArguments) -> None:
        """The browser kept changes that were not saved: they are put back, or merged when the draft has moved on."""
        kept, version = event.args, self.bench.version
        if not self._rights.write or kept["source"] == version.source:
            return
        self.bench.source = str(kept["source"])
        if kept.get("sha256") not in (None, version.sha256):
            self._show_conflict(version, str(kept.get("base") or ""))
        else:
            told = self._words("script.restored", when=kept.get("at") or "")
            self._notices.content = restored_notice(self._words, told)
        await self._rewritten()

    async def _drop(self) -> None:
        self.bench.source = self.bench.version.source
        self._notices.content = Markup("")
        self._client.run_javascript("window.designer.forget()")
        await self._rewritten()

    async def _look_around(self) -> None:
        if self._trying:
            await self._show_versions()
        others = self._benches.others(self.bench)
        told = self._words("script.others", names="、".join(others)) if others else ""
        self._client.run_javascript(f"window.designer?.others({json.dumps(told)})")

    async def _changed_versions(self) -> None:
        try:
            self.bench.version = await self._data.version(self.bench.script, self.bench.version.number)
        except VersionUnknown:
            self._client.run_javascript("location.href = '/scripts'")
            return
        await self._redraw()
        await self._show_versions()

    # -- comparing

    async def _compare(self, event: GenericEventArguments) -> None:
        """With the version asked for, else with the one on the air."""
        number, graph = int(event.args["number"]), bool(event.args.get("graph"))
        versions = await self._data.versions(self.bench.script)
        others = [v for v in versions if v.number != self.bench.version.number or self.bench.changed]
        other = next((v for v in others if v.number == number), None) or next(
            (v for v in others if v.state.value == "published"), others[0] if others else None
        )
        if other is None:
            self._diff.content = empty("check", self._words("script.diff.none"), small=True)
            return
        before = (await self._data.read(other.script, other.source)).script
        after = self.bench.reading.script
        found = changes(before, after) if before and after else None
        text = await asyncio.to_thread(drawn_diff, self._words, other.source, self.bench.source)
        self._diff.content = diff_box(self._words, others, other.number, found, graph, text)
        if found is not None:
            self._changes = found if graph else {}
            await self._paint()

    # -- talking

    async def _replay(self) -> None:
        script = self.bench.reading.script
        if script is None:
            self._input.content = Markup("")
            self._talk.content = empty("alert", self._words("script.chat.broken"), small=True)
            return
        await self.chat.replay(script)
        self._talk.content = drawn_chat(self._words, self.chat)
        self._state.content = drawn_state(self._words, self.chat)
        self._input.content = chat_entry(
            self._words, waits_for_person(self.chat), is_over(self.chat), self._rights.write
        )

    async def _talked(self, event: GenericEventArguments) -> None:
        """Add an event, change an earlier one, cut, start again or change the case."""
        asked: dict[str, Any] = dict(event.args)
        at = asked.get("at")
        match asked.get("do"):
            case "add":
                self.chat.events.append(dict(asked["event"]))
            case "edit" if isinstance(at, int) and 0 <= at < len(self.chat.events):
                self.chat.events[at] = dict(asked["event"])
            case "cut" if isinstance(at, int):
                del self.chat.events[at:]
            case "restart":
                self.chat.events.clear()
            case "case":
                try:
                    self.chat.set_case(asked["case"])
                except ValueError as wrong:
                    self._say(str(wrong), bad=True)
        await self._replay()

    async def _keep(self, event: GenericEventArguments) -> None:
        """The conversation as it is becomes a test of the script."""
        expected = expected_of(self.chat.played)
        name = str(event.args.get("name") or "")
        try:
            await self._data.keep_play(self.bench.script, name, self.chat.told, expected, self._rights.who)
        except VersionRefused as refused:
            self._say(str(refused), bad=True)
            return
        self._say(self._words("script.chat.kept"))
        await self._show_plays()

    async def _open_play(self, event: GenericEventArguments) -> None:
        """Load a test into the chat, delete it, or run all of them."""
        plays = {play.name: play for play in await self._data.plays(self.bench.script)}
        verb, play = str(event.args["do"]), plays.get(str(event.args.get("name")))
        if verb == "run" and self.bench.reading.script is not None:
            self._results = dict(await self._data.run_plays(self.bench.script, self.bench.reading.script))
        elif verb == "drop" and play is not None and self._rights.write:
            await self._data.drop_play(play.id)
        elif verb == "open" and play is not None:
            self.chat.load(play.events)
            await self._replay()
            return
        await self._show_plays()

    # -- simulating

    async def _simulate(self, event: GenericEventArguments) -> None:
        if self._running and not self._running.done():
            self._running.cancel()
            self.run = None
            self._run.content = run_panel(self._words, None)
            return
        try:
            total, seed = int(event.args["count"]), int(event.args["seed"])
        except (TypeError, ValueError, KeyError):
            return
        self.run = Run(min(max(total, 1), MOST), seed)
        self._running = background_tasks.create(self._simulated(self.run))

    async def _simulated(self, run: Run) -> None:
        with self._client:
            self._draw_run(run)
            whole = await self._data.whole(self.bench.script, self.bench.source)
            await simulate(run, self.bench.script, whole, lambda: self._draw_run(run))
            self._draw_run(run)
            if run.done and not run.failed:
                self._shade = "simulated"
                self._client.run_javascript("window.designer.shade('simulated')")
                await self._paint()
