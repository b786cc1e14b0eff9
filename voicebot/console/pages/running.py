"""/ - the running calls with what is being said in them, and the day so far."""

from __future__ import annotations

import datetime as dt

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.chips import emotion_chip, promise_short, stage_chip, verified_chip
from voicebot.console.figures import day_figures
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.masking import name_shown, story_shown
from voicebot.console.queries import CallRow
from voicebot.console.shell import Console, Visit, empty, heading, markup, shell, visit_of
from voicebot.console.story import CallStory
from voicebot.console.transcript import bubbles
from voicebot.console.words import Words
from voicebot.domain.clock import SHANGHAI

REDRAW_S = 0.25
FIGURES_S = 5.0


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/", response_timeout=10)
    async def running(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        figures = await _today(console, words)
        with shell(console, visit, "/", words("running.title")):
            markup(heading(words("running.title"), words("running.lead")))
            today = markup(figures)
            cards = _Cards(console, visit)
            cards.redraw()

            async def redraw_figures() -> None:
                today.content = await _today(console, words)

            ui.timer(REDRAW_S, cards.redraw)
            ui.timer(FIGURES_S, redraw_figures)


async def _today(console: Console, words: Words) -> Markup:
    return day_figures(words, await console.data.day(dt.datetime.now(SHANGHAI).date()))


class _Cards:
    """The cards of one open page; redraws only the cards whose call has moved on."""

    def __init__(self, console: Console, visit: Visit) -> None:
        self._console = console
        self._visit = visit
        self._drawn: dict[str, ui.html] = {}
        self._boxes: dict[str, ui.element] = {}
        self._version = -1
        self._none = markup(_nothing(visit.words)).classes("panel")
        self._grid = ui.element("div").classes("cards")

    def redraw(self) -> None:
        board = self._console.board
        if board.version == self._version:
            return
        self._version = board.version
        calls = board.calls
        for gone in self._boxes.keys() - {call.call_id for call in calls}:
            self._boxes.pop(gone).delete()
            del self._drawn[gone]
        for call in calls:
            content = live_body(self._visit.words, call, board.story(call.call_id))
            if call.call_id in self._drawn:
                self._drawn[call.call_id].content = content
            else:
                self._add(call, content)
        self._none.set_visibility(not calls)

    def _add(self, call: CallRow, content: Markup) -> None:
        with self._grid, ui.element("article").classes("panel live-card") as box:
            self._drawn[call.call_id] = markup(content).classes("body")
            markup(_footer(self._visit, call), "footer")
        box.props(f'data-call="{call.call_id}"')
        self._boxes[call.call_id] = box


def live_body(words: Words, call: CallRow, story: CallStory) -> Markup:
    """The head and the talk of a live card."""
    story = story_shown(story, call.debtor_name)
    since = story.answered_at or call.answered_at
    ticking = tag("span", "0:00", cls="clock", data_since=int(since.timestamp() * 1000)) if since else None
    way = icon("phone-in" if call.direction == "inbound" else "phone-out")
    title = tag("div", way, tag("b", name_shown(call.debtor_name) or words("unknown_caller")), ticking, cls="title")
    danger = tag("span", icon("alert"), words("danger"), cls="chip bad") if story.danger else None
    promise = tag("span", icon("promise"), promise_short(words, story.promise), cls="chip accent")
    meta = tag(
        "div",
        danger,
        stage_chip(words, story.stage),
        emotion_chip(words, story.emotion),
        verified_chip(words, story.verified) if story.answered_at else None,
        promise if story.promise else None,
        tag("span", icon("path"), story.node, cls="chip") if story.node else None,
        cls="meta",
    )
    return tag("header", title, meta) + bubbles(words, story)


def _footer(visit: Visit, call: CallRow) -> Markup:
    words = visit.words
    where = tag("span", f"{call.number_masked} · {call.script}".strip(" ·"), cls="where")
    opened = tag("a", words("open"), href=f"/calls/{call.call_id}", cls="btn small quiet")
    ending = hang_up_button(words, call) if visit.who.may("campaigns") else None
    return tag("div", where, opened, ending, cls="line grow")


def hang_up_button(words: Words, call: CallRow) -> Markup:
    """Ends the call, after asking whether that is meant."""
    name = name_shown(call.debtor_name) or words("unknown_caller")
    return tag(
        "button",
        icon("hangup"),
        words("hangup"),
        cls="btn small danger",
        data_post=f"/api/calls/{call.call_id}/hangup",
        data_confirm=words("hangup.ask", name=name),
        data_confirm_lead=words("hangup.lead"),
        data_cancel=words("cancel"),
        data_verb=words("hangup"),
        data_done=words("hangup.done"),
    )


def _nothing(words: Words) -> Markup:
    link = tag("a", words("running.to_campaigns"), icon("arrow"), href="/campaigns", cls="btn")
    return empty("live", words("running.none"), words("running.none.lead"), link)
