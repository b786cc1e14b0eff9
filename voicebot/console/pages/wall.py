"""/wall - the supervisor's wall: queue, agents, calls with what is being said, alerts."""

from __future__ import annotations

import datetime as dt

from fastapi import Request
from nicegui import ui

from voicebot.console import wall_parts as parts
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.pages.running import live_body
from voicebot.console.queries import CallRow
from voicebot.console.shell import Console, Visit, blank, empty, heading, markup, shell, visit_of

REDRAW_S = 0.4


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/wall", response_timeout=10)
    async def wall(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        console.floor.watch()
        await console.floor.refresh()
        with shell(console, visit, "/wall", words("wall.title"), ("desk.js",)):
            sound = tag(
                "button",
                icon("bell"),
                words("wall.sound"),
                cls="btn",
                type="button",
                data_desk="sound",
                aria_pressed="false",
            )
            big = tag("button", icon("big"), words("wall.big"), cls="btn", type="button", data_desk="big")
            markup(heading(words("wall.title"), words("wall.lead"), sound, big))
            page = _Wall(console, visit)
            page.redraw()
            ui.timer(REDRAW_S, page.redraw)


class _Wall:
    """One open wall; a box is sent again only when its content has changed."""

    def __init__(self, console: Console, visit: Visit) -> None:
        self._console, self._visit, self._words = console, visit, visit.words
        self._cards: dict[str, _Card] = {}
        self._figures = blank()
        if visit.who.agent_id is None and visit.who.may("supervise"):
            markup(tag("p", icon("info"), self._words("wall.no_phone"), cls="note wall-note"))
        with ui.element("div").classes("wall"):
            with ui.element("div").classes("wall-side"):
                self._alerts, self._queue, self._agents = blank(), blank(), blank()
            with ui.element("div").classes("wall-calls"):
                self._none = markup(empty("live", self._words("running.none"))).classes("panel")
                self._grid = ui.element("div").classes("cards")

    def redraw(self) -> None:
        """Called several times a second."""
        floor, board, words = self._console.floor, self._console.board, self._words
        floor.watch()
        now = dt.datetime.now(dt.UTC)
        calls = {call.call_id: call for call in board.calls}
        agents = tuple(floor.agents.values())
        may = self._visit.who.may("supervise")
        self._figures.content = parts.figures(words, floor.queue, agents, board.stories, now)
        self._alerts.content = parts.alerts_panel(words, floor.alerts, may)
        self._queue.content = parts.queue_panel(words, floor.queue, calls, now)
        self._agents.content = parts.agents_panel(words, agents, floor.figures, calls, may)
        self._redraw_calls(board.calls)

    def _redraw_calls(self, calls: tuple[CallRow, ...]) -> None:
        for gone in self._cards.keys() - {call.call_id for call in calls}:
            self._cards.pop(gone).delete()
        for call in calls:
            if call.call_id not in self._cards:
                with self._grid:
                    self._cards[call.call_id] = _Card(self._console, self._visit, call.call_id)
            self._cards[call.call_id].redraw(call)
        self._none.set_visibility(not calls)


class _Card:
    """One running call."""

    def __init__(self, console: Console, visit: Visit, call_id: str) -> None:
        self._console, self._visit = console, visit
        self._seen: tuple[object, object] | None = None
        with ui.element("article").classes("panel live-card wall-card") as self._box:
            self._body = blank().classes("body")
            self._foot = blank("footer")
        self._box.props(f'data-call="{call_id}"')

    def redraw(self, call: CallRow) -> None:
        words, story = self._visit.words, self._console.board.story(call.call_id)
        if (call, story) == self._seen:
            return
        self._seen = (call, story)
        self._body.content = live_body(words, call, story)
        who = self._visit.who
        if who.may("supervise"):
            self._foot.content = parts.call_buttons(words, call, story.people, who.agent_id)
        grave = story.danger or bool(story.people.alerts)
        self._box.classes(add="grave" if grave else "", remove="" if grave else "grave")

    def delete(self) -> None:
        self._box.delete()
