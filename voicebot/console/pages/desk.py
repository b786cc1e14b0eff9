"""/desk - the agent's desk: presence, screen pop, the call in hand, wrap-up, cases and callbacks."""

from __future__ import annotations

import datetime as dt
import time

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console import desk_parts as parts
from voicebot.console import desk_work as work
from voicebot.console.desk_data import DeskCall
from voicebot.console.knowledge import cards, suggested
from voicebot.console.markup import join, tag
from voicebot.console.shell import Console, Visit, blank, empty, heading, markup, panel, shell, visit_of
from voicebot.console.story import CallStory
from voicebot.console.wrap_form import wrap_form
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.records import AgentRecord

REDRAW_S = 0.25
REREAD_S = 2.0
WORK_S = 15.0


def register(console: Console) -> None:
    """Add the desk, and the page of one case as an agent sees it before ringing."""

    @ui.page("/desk", response_timeout=10)
    async def desk(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        console.floor.watch()
        await console.floor.refresh()
        with shell(console, visit, "/desk", words("desk.title"), ("desk.js",)):
            agent = console.floor.agents.get(visit.who.agent_id or "")
            if agent is None:
                markup(heading(words("desk.title"), words("desk.lead")))
                markup(tag("section", empty("headset", words("desk.no_agent")), cls="panel"))
                return
            page = _Desk(console, visit, agent)
            await page.work()
            await page.redraw()
            ui.timer(REDRAW_S, page.redraw)
            ui.timer(WORK_S, page.work)
            ui.on("work", page.work)

    @ui.page("/desk/cases/{case_id}", response_timeout=10)
    async def case(case_id: str, request: Request) -> None:
        await _preview(console, visit_of(request), case_id)


class _Desk:
    """One open desk. Every box is drawn again only when what it shows has changed."""

    def __init__(self, console: Console, visit: Visit, agent: AgentRecord) -> None:
        self._console, self._visit, self._words = console, visit, visit.words
        self._agent = agent
        self._call: DeskCall | None = None
        self._read = ("", -1, 0.0)
        self._wrapping, self._looked = "", float("-inf")
        with ui.element("header").classes("head desk-head"):
            markup(tag("div", tag("h1", self._words("desk.title")), tag("p", agent.name)))
            self._presence = blank().classes("actions")
        self._names = blank()
        with ui.element("div").classes("desk"):
            with ui.element("div").classes("desk-main"):
                self._alert = blank()
                with ui.element("div").classes("panel call-box") as self._box:
                    self._head, self._controls = blank(), blank()
                self._idle, self._pop, self._talk, self._wrap = (blank() for _ in range(4))
                self._lists = blank().classes("desk-lists")
            with ui.element("div").classes("desk-side"):
                ui.element("div").classes("phone-place")
                self._case, self._hints = blank(), blank()
                self._suggested = blank().classes("suggested")
                markup(_knowledge(visit))
                self._day = blank()

    async def redraw(self) -> None:
        """Called several times a second: reads only what changed since."""
        floor = self._console.floor
        floor.watch()
        self._agent = floor.agents.get(self._agent.id, self._agent)
        self._presence.content = parts.presence_bar(self._words, self._agent)
        self._names.content = parts.agent_list(tuple(floor.agents.values()), self._agent.id)
        call_id = self._mine()
        story = self._console.board.story(call_id)
        await self._reread(call_id, story)
        self._draw(call_id, story)
        await self._draw_wrap(call_id, story)

    def _mine(self) -> str:
        """The running call in which my phone rings or I talk."""
        stories = self._console.board.stories
        reserved = self._agent.call_id or ""
        if reserved in stories and stories[reserved].people.agent == self._agent.id:
            return reserved
        for call_id, story in stories.items():
            if story.people.agent == self._agent.id and story.people.present:
                return call_id
        return ""

    async def _reread(self, call_id: str, story: CallStory) -> None:
        """Who it is at once; what has changed in the talk, every few seconds."""
        known, seq, at = self._read
        if not call_id:
            self._call, self._read = None, ("", -1, 0.0)
        elif call_id != known or (seq != story.seq and time.monotonic() - at > REREAD_S):
            self._call = await self._console.data.desk.pop(call_id, self._visit.who.display_name)
            self._read = (call_id, story.seq, time.monotonic())

    def _draw(self, call_id: str, story: CallStory) -> None:
        words, shown = self._words, self._call
        self._box.set_visibility(shown is not None)
        self._idle.content = "" if shown else parts.idle(words, self._agent)
        if shown is None:
            for box in (self._alert, self._head, self._controls, self._pop, self._talk, self._case, self._hints):
                box.content = ""
            self._suggested.content = ""
            return
        name = shown.pop.case.debtor.name if shown.pop.case else words("unknown_caller")
        browser = self._agent.device == "browser"
        self._alert.content = parts.gate_alerts(words, story.people)
        self._head.content = parts.call_head(words, shown, story)
        self._controls.content = parts.controls(words, call_id, name, story.people, browser)
        self._pop.content = parts.pop_panel(words, shown.pop)
        self._talk.content = parts.talk_panel(words, story)
        self._case.content = parts.case_panel(words, shown)
        self._hints.content = parts.hint_list(words, story.people)
        found = [parts.card(words, card, opened=True) for card in suggested(shown.pop.situation.intents)]
        self._suggested.content = join(found)

    async def _draw_wrap(self, call_id: str, story: CallStory) -> None:
        """The form of the call in hand once I talk, else of the oldest call I have not written about."""
        if call_id and story.people.state == "joined":
            wanted = call_id
        elif call_id or time.monotonic() - self._looked < REREAD_S:
            return
        else:
            self._looked = time.monotonic()
            unwritten = [call.id for call in await self._console.data.desk.unwritten(self._agent.id)]
            wanted = self._wrapping if self._wrapping in unwritten else next(iter(unwritten), "")
        if wanted == self._wrapping:
            return
        self._wrapping = wanted
        self._wrap.content = await self._form(wanted) if wanted else ""

    async def _form(self, call_id: str) -> Markup:
        shown = await self._console.data.desk.pop(call_id)
        if shown is None:
            return Markup("")
        return wrap_form(self._words, shown.call, shown.pop.case, dt.datetime.now(SHANGHAI).date())

    async def work(self) -> None:
        """My cases, the pool, callbacks and figures; after a change of mine, and now and then."""
        self._looked = float("-inf")
        desk, words, me = self._console.data.desk, self._words, self._agent.id
        pool, total = await desk.pool()
        self._lists.content = join(
            (
                work.callbacks(words, await desk.callbacks(me), dt.datetime.now(SHANGHAI)),
                work.my_cases(words, await desk.mine(me)),
                work.pool(words, pool[:6], total),
            )
        )
        self._day.content = work.my_day(words, await desk.figures(me))


def _knowledge(visit: Visit) -> Markup:
    words = visit.words
    entry = tag(
        "input",
        type="search",
        cls="input",
        placeholder=words("desk.knowledge.search"),
        aria_label=words("search"),
        data_filter=".card",
    )
    listed = tag("div", *(parts.card(words, card) for card in cards()), cls="cards-list")
    return panel("bulb", words("desk.knowledge"), entry, listed)


async def _preview(console: Console, visit: Visit, case_id: str) -> None:
    """A case before ringing: the bill, what was agreed before, and whether the rules allow a call now."""
    words = visit.words
    case = await console.data.desk.case(case_id)
    with shell(console, visit, "/desk", words("case.title")):
        if case is None:
            missing = words("not_found.case", id=case_id)
            markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
            return
        markup(heading(case.debtor.name, f"{case.creditor.name} · {case.product}", back=("/desk", words("desk.title"))))
        markup(await _preview_body(console, visit, case_id))


async def _preview_body(console: Console, visit: Visit, case_id: str) -> Markup:
    words, desk = visit.words, console.data.desk
    shown = await desk.before(case_id)
    assert shown.pop.case is not None
    try:
        verdict = await desk.may_ring(case_id)
    except LookupError as unreachable:
        verdict_box = tag("p", str(unreachable), cls="note bad")
    else:
        if verdict.allowed:
            verdict_box = tag("p", words("ring.check"), cls="note good")
        else:
            later = words("ring.later", at=words.moment(verdict.not_before)) if verdict.not_before else ""
            why = words("ring.refused", rule=verdict.rule or "—", why=words.explain(verdict.reason), later=later)
            verdict_box = tag("p", why, cls="note bad")
    ring = work.ring_button(words, shown.pop.case)
    left = tag("div", parts.case_panel(words, shown), cls="stack")
    right = tag("div", verdict_box, tag("div", ring, cls="line"), parts.pop_panel(words, shown.pop), cls="stack")
    return tag("div", left, right, cls="two preview")
