"""/desk - the agent's desk: presence, screen pop, the call in hand, wrap-up, cases and callbacks."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console import desk_parts as parts
from voicebot.console import desk_work as work
from voicebot.console.desk_data import DeskCall
from voicebot.console.icons import icon
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
        agent = console.floor.agents.get(visit.who.agent_id or "")
        reading = _Reading(console, visit, agent) if agent else None
        if reading:
            await reading.everything()  # nothing may be awaited once the frame is there: NiceGUI would send half a page
        with shell(console, visit, "/desk", words("desk.title"), ("desk.js",)):
            if reading is None:
                markup(heading(words("desk.title"), words("desk.lead")))
                markup(tag("section", empty("headset", words("desk.no_agent")), cls="panel"))
                return
            page = _Desk(visit, reading)
            page.draw()
            _keep_current(page, reading)

    @ui.page("/desk/cases/{case_id}", response_timeout=10)
    async def case(case_id: str, request: Request) -> None:
        await _preview(console, visit_of(request), case_id)


def _keep_current(page: _Desk, reading: _Reading) -> None:
    async def redraw() -> None:
        await reading.talk()
        await reading.owed()
        page.draw()

    async def work() -> None:
        reading.look_again()
        await reading.work()
        page.draw()

    ui.timer(REDRAW_S, redraw)
    ui.timer(WORK_S, work)
    ui.on("work", work)


class _Reading:
    """What one open desk shows; reads only what may have changed."""

    def __init__(self, console: Console, visit: Visit, agent: AgentRecord) -> None:
        self._console, self._desk, self._visit = console, console.data.desk, visit
        self._read = ("", -1, 0.0)
        self._looked = float("-inf")
        self._owed = ""
        self.agent = agent
        self.agents: tuple[AgentRecord, ...] = ()
        self.call_id = ""
        self.story = CallStory()
        self.call: DeskCall | None = None
        self.form = Markup("")
        self.lists = Markup("")
        self.day = Markup("")

    async def everything(self) -> None:
        await self.talk()
        await self.owed()
        await self.work()

    async def talk(self) -> None:
        """Who I am with: at once when somebody rings, and every few seconds what has changed in the talk."""
        floor = self._console.floor
        floor.watch()
        self.agents = tuple(floor.agents.values())
        self.agent = floor.agents.get(self.agent.id, self.agent)
        self.call_id = self._mine()
        story = self._console.board.story(self.call_id)
        mine = self.agent.id in story.people.seats
        self.story = replace(story, people=story.people.seen_by(self.agent.id)) if mine else story
        known, seq, at = self._read
        if not self.call_id:
            self.call, self._read = None, ("", -1, 0.0)
        elif self.call_id != known or (seq != self.story.seq and time.monotonic() - at > REREAD_S):
            self.call = await self._desk.pop(self.call_id, self._visit.who.display_name)
            self._read = (self.call_id, self.story.seq, time.monotonic())

    def _mine(self) -> str:
        """The running call in which my phone rings or I talk."""
        found = [call for call, story in self._console.board.stories.items() if self.agent.id in story.people.seats]
        return self.agent.call_id if self.agent.call_id in found else next(iter(found), "")

    async def owed(self) -> None:
        """The form of the call in hand once I talk, else of the oldest call I have not written about.

        It is made once per call: what is being typed must not be drawn over.
        """
        if self.call_id:
            wanted = self.call_id if self.story.people.state == "joined" else self._owed
        elif time.monotonic() - self._looked < REREAD_S:
            return
        else:
            self._looked = time.monotonic()
            unwritten = [call.id for call in await self._desk.unwritten(self.agent.id)]
            wanted = self._owed if self._owed in unwritten else next(iter(unwritten), "")
        if wanted != self._owed:
            self._owed = wanted
            shown = await self._desk.pop(wanted) if wanted else None
            today = dt.datetime.now(SHANGHAI).date()
            self.form = wrap_form(self._visit.words, shown.call, shown.pop.case, today) if shown else Markup("")

    def look_again(self) -> None:
        """I have just written something."""
        self._looked = float("-inf")

    async def work(self) -> None:
        """My cases, the pool, callbacks and figures; after a change of mine, and now and then."""
        words, me = self._visit.words, self.agent.id
        pool, total = await self._desk.pool()
        mine = work.my_cases(words, await self._desk.mine(me))
        later = work.callbacks(words, await self._desk.callbacks(me), dt.datetime.now(SHANGHAI))
        self.lists = join((tag("div", later, mine, cls="stack"), work.pool(words, pool[:6], total)))
        self.day = work.my_day(words, await self._desk.figures(me))


class _Desk:
    """One open desk. Every box is sent again only when what it shows has changed."""

    def __init__(self, visit: Visit, reading: _Reading) -> None:
        self._words, self._reading = visit.words, reading
        self._seen: tuple[object, ...] = ()
        with ui.element("header").classes("head desk-head"):
            markup(tag("div", tag("h1", self._words("desk.title")), tag("p", reading.agent.name)))
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

    def draw(self) -> None:
        """Called several times a second."""
        words, now = self._words, self._reading
        seen = (now.agent, now.agents, now.call, now.story, now.form, now.lists, now.day)
        if seen == self._seen:
            return
        self._seen = seen
        self._presence.content = parts.presence_bar(words, now.agent)
        self._names.content = parts.agent_list(now.agents, now.agent.id)
        self._wrap.content, self._lists.content, self._day.content = now.form, now.lists, now.day
        self._box.set_visibility(now.call is not None)
        self._idle.content = Markup("") if now.call else parts.idle(words, now.agent)
        if now.call is None:
            for box in (self._alert, self._head, self._controls, self._pop, self._talk, self._case, self._hints):
                box.content = ""
            self._suggested.content = ""
        else:
            self._draw_call(now.call, now.call_id, now.story)

    def _draw_call(self, shown: DeskCall, call_id: str, story: CallStory) -> None:
        words = self._words
        name = shown.pop.case.debtor.name if shown.pop.case else words("unknown_caller")
        browser = self._reading.agent.device == "browser"
        self._alert.content = parts.gate_alerts(words, story.people)
        self._head.content = parts.call_head(words, shown, story)
        self._controls.content = parts.controls(words, call_id, name, story.people, browser)
        self._pop.content = parts.pop_panel(words, shown.pop)
        self._talk.content = parts.talk_panel(words, story)
        self._case.content = parts.case_panel(words, shown)
        self._hints.content = parts.hint_list(words, story.people)
        found = [parts.card(words, card, opened=True) for card in suggested(shown.pop.situation.intents)]
        self._suggested.content = join(found)


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
    mine = await console.data.desk.open_to(visit.who.agent_id, case_id)
    case = await console.data.desk.case(case_id) if mine else None
    body = await _preview_body(console, visit, case_id) if case else None
    with shell(console, visit, "/desk", words("case.title")):
        if case is None or body is None:
            missing = words("not_found.case", id=case_id) if mine else words("desk.not_yours")
            markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
            return
        lead = f"{case.creditor.name} · {case.product}"
        markup(heading(case.debtor.name, lead, back=("/desk", words("desk.title"))))
        markup(body)


async def _preview_body(console: Console, visit: Visit, case_id: str) -> Markup:
    words, desk = visit.words, console.data.desk
    shown = await desk.before(case_id)
    allowed, told = await _permission(console, visit, case_id)
    case = shown.pop.case
    ring = tag("div", work.ring_button(words, case.id, case.debtor.name), cls="line") if allowed and case else None
    left = tag("div", parts.case_panel(words, shown), cls="stack")
    note = tag("p", icon("check" if allowed else "alert"), told, cls="note good" if allowed else "note bad")
    right = tag("div", note, ring, parts.pop_panel(words, shown.pop), cls="stack")
    return tag("div", left, right, cls="two preview")


async def _permission(console: Console, visit: Visit, case_id: str) -> tuple[bool, str]:
    """Whether the rulebook allows a call now, in words; with rule and next time where it does not."""
    words = visit.words
    try:
        verdict = await console.data.desk.may_ring(case_id)
    except LookupError:
        return False, words("ring.unreachable")
    if verdict.allowed:
        return True, words("ring.check")
    later = words("ring.later", at=words.moment(verdict.not_before)) if verdict.not_before else words("ring.never")
    return False, words("ring.refused", rule=verdict.rule or "—", why=words.explain(verdict.reason), later=later)
