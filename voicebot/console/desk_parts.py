"""Desk parts: presence, the call in hand and what is known of it, as markup."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup

from voicebot.console.chips import emotion_chip, verified_chip
from voicebot.console.desk_data import DeskCall
from voicebot.console.icons import icon
from voicebot.console.knowledge import Card
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.mood_line import mood_line
from voicebot.console.people_story import People
from voicebot.console.shell import empty, panel
from voicebot.console.story import CallStory
from voicebot.console.transcript import bubbles
from voicebot.console.words import Words
from voicebot.domain.case import Case
from voicebot.domain.phone import mask_number
from voicebot.domain.records import AgentRecord
from voicebot.handoff.screen_pop import ScreenPop

BREAKS = ("away.lunch", "away.rest", "away.care", "away.training", "away.meeting")
_TONES = {"ready": "good", "busy": "accent", "wrap_up": "warn", "away": "warn"}


def presence_chip(words: Words, agent: AgentRecord) -> Markup:
    """What an agent does just now."""
    tone = f"{_TONES.get(agent.presence, '')} live" if agent.presence in ("ready", "busy") else ""
    note = f" · {agent.note}" if agent.note else ""
    return tag(
        "span", words(f"presence.{agent.presence}"), note, cls=f"chip dot {tone or _TONES.get(agent.presence, '')}"
    )


def presence_bar(words: Words, agent: AgentRecord) -> Markup:
    """My state, since when, and the switch."""
    since = tag("span", "", cls="clock num muted", data_since=_ms(agent.presence_at)) if agent.presence_at else None
    if agent.presence == "wrap_up" and agent.wrap_until:
        since = tag("span", "", cls="clock num muted", data_until=_ms(agent.wrap_until))
    breaks = [_presence(words, "away", words(key), note=words(key), small=True) for key in BREAKS]
    away = tag(
        "details",
        tag("summary", words("presence.away"), cls="seg", aria_pressed=str(agent.presence == "away").lower()),
        tag("div", *breaks, cls="menu"),
        cls="drop-menu",
    )
    choices = (
        _presence(words, "ready", words("presence.ready"), pressed=agent.presence == "ready"),
        away,
        _presence(words, "wrap_up", words("presence.wrap_up"), pressed=agent.presence == "wrap_up"),
        _presence(words, "offline", words("presence.offline"), pressed=agent.presence == "offline"),
    )
    state = tag("div", presence_chip(words, agent), since, cls="line")
    return tag("div", state, tag("div", *choices, cls="segments", role="group"), cls="presence")


def _presence(
    words: Words, presence: str, title: str, *, note: str = "", pressed: bool = False, small: bool = False
) -> Markup:
    return tag(
        "button",
        title,
        type="button",
        cls="menu-item" if small else "seg",
        aria_pressed=str(pressed).lower(),
        data_post="/api/desk/presence",
        data_body=json.dumps({"presence": presence, "note": note}, ensure_ascii=False),
    )


def idle(words: Words, agent: AgentRecord) -> Markup:
    """Nothing rings."""
    lead = words("desk.idle.ready" if agent.presence == "ready" else "desk.idle.away")
    return tag("section", empty("headset", words("desk.idle"), lead), cls="panel desk-idle")


def call_head(words: Words, shown: DeskCall, story: CallStory) -> Markup:
    """Who is on the line, in what state."""
    people = story.people
    name = shown.pop.case.debtor.name if shown.pop.case else words("unknown_caller")
    state = "dialling" if people.state == "joined" and story.answered_at is None else people.state
    ticking = tag("span", "", cls="clock num", data_since=_ms(people.state_at)) if people.state_at else None
    tone = "good" if state == "joined" else "accent"
    stage = tag("span", words(f"desk.{state}"), cls=f"chip dot live {tone}")
    held = tag("span", words("desk.held"), cls="chip warn") if people.held else None
    talk = tag("span", words("desk.consulting", who=people.consult), cls="chip accent") if people.consult else None
    helpers = [
        tag("span", icon("ear"), words("desk.supervised", how=words(f"mode.{mode}")), cls="chip")
        for mode in people.supervisors.values()
        if mode != "listen"
    ]
    danger = tag("span", icon("alert"), words("danger"), cls="chip bad") if shown.pop.situation.danger else None
    chips = tag(
        "div",
        danger,
        stage,
        verified_chip(words, shown.pop.situation.verified),
        emotion_chip(words, story.emotion),
        held,
        talk,
        *helpers,
        cls="chips",
    )
    number = tag("span", mask_number(shown.call.number), cls="muted num")
    title = tag("div", tag("h2", name), number, ticking, cls="call-title")
    return tag("div", title, chips, cls=f"call-head {people.state}")


def controls(words: Words, call_id: str, name: str, people: People, browser: bool) -> Markup:
    """Buttons for what may be done in this state."""
    base = f"/api/desk/calls/{call_id}"

    def order(verb: str, title: str, sign: str, cls: str = "btn") -> Markup:
        more = {"data_post": f"{base}/{verb}", "data_done": words("desk.ordered")}
        return tag("button", icon(sign), words(title), cls=cls, type="button", **more)

    if people.state in ("ringing", "answered"):
        accept = order("accept", "desk.accept", "calls", "btn primary big")
        return tag("div", accept, order("decline", "desk.decline", "arrow"), cls="controls")
    held = order("resume", "desk.resume", "play", "btn primary") if people.held else order("hold", "desk.hold", "pause")
    mute = tag("button", icon("mute"), words("desk.mute"), cls="btn", type="button", data_phone="mute")
    if people.consult:
        consult: list[Child] = [
            order("three_way", "desk.three_way", "people"),
            order("end_consult", "desk.end_consult", "left"),
        ]
    else:
        consult = [_to(words, base, "consult", "people")]
    hang_up = tag(
        "button",
        icon("hangup"),
        words("hangup"),
        cls="btn danger solid",
        type="button",
        data_post=f"{base}/hang_up",
        data_confirm=words("desk.hangup.ask", name=name),
        data_confirm_lead=words("desk.hangup.lead"),
        data_cancel=words("cancel"),
        data_verb=words("hangup"),
        data_done=words("desk.ordered"),
    )
    shown = (held, mute if browser else None, *consult, _to(words, base, "transfer", "arrow"), hang_up)
    return tag("div", *shown, cls="controls")


def _to(words: Words, base: str, verb: str, sign: str) -> Markup:
    """A button that asks for whom."""
    title = words(f"desk.{verb}")
    entry = tag(
        "input",
        name="target",
        cls="input",
        required=True,
        maxlength=120,
        list="desk-agents",
        placeholder=words("desk.target"),
        aria_label=words("desk.target"),
    )
    go = tag("button", title, cls="btn primary", type="submit")
    form = tag("form", entry, go, cls="menu line", data_form=f"{base}/{verb}", data_done=words("desk.ordered"))
    return tag("details", tag("summary", icon(sign), title, cls="btn"), form, cls="drop-menu")


def agent_list(agents: Sequence[AgentRecord], me: str) -> Markup:
    """Names to choose from where a target is asked for."""
    options = [
        tag("option", f"{agent.name} · {agent.presence}", value=agent.id) for agent in agents if agent.id != me
    ]
    return tag("datalist", *options, id="desk-agents")


def pop_panel(words: Words, pop: ScreenPop) -> Markup:
    """What to say first, what not, and why we were called."""
    situation = pop.situation
    first = tag("blockquote", pop.first_sentence, cls="first")
    taboos = [
        tag("li", tag("span", taboo.rule, cls="rule"), taboo.text, cls="grave" if taboo.grave else "")
        for taboo in pop.taboos
    ]
    intents = [tag("span", words.intent(name), cls="chip") for name in situation.intents[:6]]
    why: list[Child] = []
    if situation.briefing:
        why.append(tag("p", situation.briefing))
    elif situation.reason:
        why.append(tag("p", words.explain(situation.reason)))
    why.append(tag("div", *intents, cls="chips") if intents else None)
    left = tag("div", tag("h3", words("desk.first")), first, tag("h3", words("desk.why")) if why[0] else None, *why)
    right = tag("div", tag("h3", words("desk.taboos")), tag("ul", *taboos, cls="taboos"))
    return tag("section", left, right, cls="panel pop")


def gate_alerts(words: Words, people: People) -> Markup:
    """The last thing a person said that must not be said, loud."""
    if not people.alerts:
        return Markup("")
    last = people.alerts[-1]
    said = tag("p", f"“{last.text}”")
    rules = tag("span", last.kind, cls="rule")
    head = tag("b", words("desk.alert"))
    return tag("section", icon("alert"), tag("div", head, said), rules, cls="gate-alert", role="alert")


def talk_panel(words: Words, story: CallStory) -> Markup:
    """The conversation of all sides, newest at the bottom, and the emotion above it."""
    cap = tag("div", icon("live"), tag("h2", words("desk.talk")), _legend(words), cls="cap")
    return tag("section", cap, mood_line(words, story.people.moods), bubbles(words, story), cls="panel desk-talk")


def _legend(words: Words) -> Markup:
    keys = [tag("span", words(f"speaker.{who}"), cls=f"by {who}") for who in ("bot", "caller", "agent")]
    return tag("span", *keys, cls="hint talk-legend")


def case_panel(words: Words, shown: DeskCall) -> Markup:
    """The bill, and what was agreed before."""
    case = shown.pop.case
    if case is None:
        return panel("cases", words("desk.case"), empty("cases", words("desk.case.none"), small=True))
    promise = shown.pop.situation.promise
    rows: list[tuple[str, Child]] = [
        (words("col.overdue"), words("days", count=case.overdue_days)),
        (words("col.product"), case.product),
        (words("col.creditor"), case.creditor.name),
        (words("desk.principal"), words.money(case.principal_fen) if case.principal_fen is not None else None),
        (words("desk.fees"), words.money(case.fees_fen) if case.fees_fen is not None else None),
        (words("col.case"), tag("code", case.id)),
    ]
    if promise:
        sum_ = f"{words.money(promise.amount_fen)} · {words.date(promise.date)}"
        rows.insert(0, (words("call.promise"), tag("b", sum_, cls="num")))
    facts = [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows if value is not None]
    amount = tag("div", words.money(case.amount_fen), cls="promise-sum num")
    return panel(
        "cases", words("desk.case"), amount, tag("dl", *facts, cls="facts desk-facts"), _history(words, shown)
    )


def _history(words: Words, shown: DeskCall) -> Markup:
    lines: list[Markup] = []
    for promise in shown.promises[:4]:
        state = tag("span", words(f"promise.{promise.state}"), cls="chip")
        lines.append(tag("li", f"{words.money(promise.amount_fen)} · {promise.date:%m-%d}", state))
    for note in shown.written[:3]:
        code = tag("span", words(note.code), cls="chip")
        lines.append(tag("li", note.notes or words("wrap.title"), code, title=words.moment(note.done_at)))
    if not lines:
        return tag("p", words("desk.history.none"), cls="faint history-none")
    return tag("div", tag("h3", words("desk.history")), tag("ul", *lines, cls="history"), cls="history-box")


def hint_list(words: Words, people: People) -> Markup:
    """The newest hints, newest first."""
    if not people.hints:
        return Markup("")
    rows = [tag("li", hint.text, cls=f"hint-{hint.kind}") for hint in reversed(people.hints[-3:])]
    return panel("bulb", words("desk.hints"), tag("ul", *rows, cls="hints"))


def card(words: Words, shown: Card, opened: bool = False) -> Markup:
    """One card of knowledge, folded."""
    say = [tag("li", text) for text in shown.say]
    never = [tag("li", text) for text in shown.never]
    inside = (tag("ul", *say, cls="say"), tag("h4", words("desk.never")), tag("ul", *never, cls="never"))
    search = " ".join((shown.title, *shown.tags, *shown.say)).lower()
    return tag("details", tag("summary", shown.title), *inside, cls="card", open=opened, data_search=search)


def case_name(words: Words, case: Case) -> Markup:
    """A case in one cell: whose, and how much since when."""
    below = f"{words.money(case.amount_fen)} · {words('days', count=case.overdue_days)} · {case.product}"
    return tag("div", tag("b", name_shown(case.debtor.name)), tag("span", below, cls="sub num"))


def _ms(at: object) -> int:
    return int(at.timestamp() * 1000) if hasattr(at, "timestamp") else 0
