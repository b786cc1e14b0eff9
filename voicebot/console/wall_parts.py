"""Wall parts: figures, queue, agents, alerts and the buttons of a call, as markup."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from voicebot.console.desk_parts import presence_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.people_story import People
from voicebot.console.queries import CallRow
from voicebot.console.shell import empty, panel
from voicebot.console.story import CallStory
from voicebot.console.words import Words
from voicebot.domain.desk import AgentFigures
from voicebot.domain.records import AgentRecord, Alert, WaitingCall

TARGET_S = 60
URGENT_TARGET_S = 30
"""A wait that is longer is shown in red."""
_MODES = (("listen", "ear"), ("whisper", "headset"), ("barge", "people"), ("take_over", "hand"))


def figures(
    words: Words,
    queue: Sequence[WaitingCall],
    agents: Sequence[AgentRecord],
    stories: Mapping[str, CallStory],
    now: dt.datetime,
) -> Markup:
    """Five numbers that can be read from across the room."""
    longest = max(((now - call.since).total_seconds() for call in queue), default=0.0)
    ready = sum(agent.presence == "ready" for agent in agents)
    talking = sum(story.people.state == "joined" for story in stories.values())

    def stat(name: str, value: Child, tone: str = "") -> Markup:
        return tag("div", tag("span", words(name)), tag("b", value, cls=tone), cls="stat")

    waits = "bad" if any(late(call, now) for call in queue) else ""
    here = sum(agent.presence != "offline" for agent in agents)
    boxes = (
        stat("wall.waiting", len(queue), waits),
        stat("wall.longest", words.length(longest) if queue else "—", waits),
        stat("wall.ready", (str(ready), tag("small", f" / {here}")), "" if ready or not queue else "bad"),
        stat("wall.talking", talking),
        stat("wall.running", len(stories)),
    )
    return tag("section", *boxes, cls="panel stats wall-stats")


def late(call: WaitingCall, now: dt.datetime) -> bool:
    """Whether a call waits longer than it should."""
    return (now - call.since).total_seconds() > (URGENT_TARGET_S if call.urgent else TARGET_S)


def queue_panel(
    words: Words, queue: Sequence[WaitingCall], calls: Mapping[str, CallRow], now: dt.datetime
) -> Markup:
    """Who waits for a person, in the order in which they are served."""
    if not queue:
        return panel("clock", words("wall.queue"), empty("check", words("wall.queue.none"), small=True), inset=False)
    rows = []
    for place, call in enumerate(queue, 1):
        row = calls.get(call.call_id)
        name = name_shown(row.debtor_name) if row and row.debtor_name else words("unknown_caller")
        urgent = tag("span", words("wall.urgent"), cls="chip bad") if call.urgent else None
        below = f"{words.explain(call.reason)} · {call.skill}"
        who = tag("div", tag("b", name, " ", urgent), tag("span", below, cls="sub"))
        age = tag("span", "", cls=f"clock num{' bad' if late(call, now) else ''}", data_since=_ms(call.since))
        rows.append(tag("li", tag("span", place, cls="place num"), who, age))
    return panel("clock", words("wall.queue"), tag("ol", *rows, cls="work queue"), inset=False)


def agents_panel(
    words: Words,
    agents: Sequence[AgentRecord],
    found: Mapping[str, AgentFigures],
    calls: Mapping[str, CallRow],
    may_set: bool,
) -> Markup:
    """Everybody, those who talk first, those who are not here last."""
    if not agents:
        return panel("people", words("wall.agents"), empty("people", words("wall.agents.none"), small=True))
    order = {"busy": 0, "wrap_up": 1, "ready": 2, "away": 3, "offline": 4}
    rows = [
        _agent(words, agent, found.get(agent.id, AgentFigures()), calls.get(agent.call_id or ""), may_set)
        for agent in sorted(agents, key=lambda agent: (order.get(agent.presence, 5), agent.name))
    ]
    return panel("people", words("wall.agents"), tag("ul", *rows, cls="work agents"), inset=False)


def _agent(words: Words, agent: AgentRecord, mine: AgentFigures, call: CallRow | None, may_set: bool) -> Markup:
    talk = f"{words('me.calls')} {mine.calls} · {words.length(mine.talk_s)}"
    with_whom = f"{name_shown(call.debtor_name) or words('unknown_caller')} · " if call else ""
    who = tag("div", tag("b", agent.name), tag("span", f"{with_whom}{talk}", cls="sub num"))
    since = tag("span", "", cls="clock num muted", data_since=_ms(agent.presence_at)) if agent.presence_at else None
    menu = None
    if may_set and agent.presence != "busy":
        items = [
            tag(
                "button",
                words(f"presence.{presence}"),
                type="button",
                cls="menu-item",
                data_post=f"/api/floor/agents/{agent.id}/presence",
                data_body=json.dumps({"presence": presence}),
            )
            for presence in ("ready", "away", "offline")
        ]
        dots = tag("summary", "⋯", cls="btn small quiet", aria_label=words("wall.set"))
        menu = tag("details", dots, tag("div", *items, cls="menu right"), cls="drop-menu")
    state = tag("div", presence_chip(words, agent), since, menu, cls="line")
    return tag("li", who, state, cls=f"agent-{agent.presence}")


def alerts_panel(words: Words, alerts: Sequence[Alert], may_acknowledge: bool) -> Markup:
    """What nobody has acknowledged; the newest id makes the browser sound."""
    newest = max((alert.id for alert in alerts), default=0)
    if not alerts:
        nothing = empty("check", words("wall.alerts.none"), small=True)
        return tag("div", panel("bell", words("wall.alerts"), nothing, inset=False), data_alarm=newest)
    rows = []
    for alert in alerts:
        seen = tag(
            "button",
            words("wall.ack"),
            cls="btn small",
            type="button",
            data_post=f"/api/floor/alerts/{alert.id}/acknowledge",
        )
        link = tag("a", words("open"), href=f"/calls/{alert.call_id}", cls="btn small quiet") if alert.call_id else None
        grave = alert.kind in ("danger", "brain_lost", "worker_lost", "trunk_down", "breaker_open", "disk_full")
        kind = tag("span", words(f"alert.{alert.kind}"), cls=f"chip {'bad' if grave else 'warn'}")
        when = tag("span", words.moment(alert.at)[6:], cls="faint num")
        text = tag("div", tag("div", kind, when, cls="line"), tag("p", alert.text))
        buttons = tag("div", link, seen if may_acknowledge else None, cls="line")
        rows.append(tag("li", text, buttons, cls="grave" if grave else ""))
    listed = panel("bell", words("wall.alerts"), tag("ul", *rows, cls="work alerts"), inset=False)
    return tag("div", listed, data_alarm=newest)


def call_buttons(words: Words, call: CallRow, people: People, me: str | None) -> Markup:
    """What a supervisor can do with this call: their own phone is rung."""
    base = f"/api/floor/calls/{call.call_id}"
    name = name_shown(call.debtor_name) or words("unknown_caller")
    buttons: list[Child] = []
    mine = people.supervisors.get(me or "")
    for mode, sign in _MODES if me else ():
        more: dict[str, str | None] = {}
        if mode == "take_over":
            more = {
                "data_confirm": words("take_over.ask", name=name),
                "data_confirm_lead": words("take_over.lead"),
                "data_cancel": words("cancel"),
                "data_verb": words("mode.take_over"),
            }
        buttons.append(_mode(words, base, mode, sign, mine == mode, **more))
    if mine:
        buttons.append(_mode(words, base, "leave", "out", False))
    if not people.present and call.answered_at is not None:
        fetch = tag(
            "button",
            icon("person"),
            words("fetch"),
            cls="btn small",
            type="button",
            data_post=f"{base}/fetch-person",
            data_body=json.dumps({"skill": "general"}),
            data_done=words("fetch.done"),
        )
        buttons.append(fetch)
    opened = tag("a", words("open"), href=f"/calls/{call.call_id}", cls="btn small quiet")
    return tag("div", *buttons, opened, cls="line wall-buttons")


def _mode(words: Words, base: str, mode: str, sign: str, pressed: bool, **more: str | None) -> Markup:
    return tag(
        "button",
        icon(sign),
        tag("span", words(f"mode.{mode}")),
        cls="btn small",
        type="button",
        title=words(f"mode.{mode}"),
        aria_pressed=str(pressed).lower(),
        data_post=f"{base}/supervise",
        data_body=json.dumps({"mode": mode}),
        data_done=words("mode.ring") if not pressed and mode != "leave" else words("desk.ordered"),
        **more,
    )


def _ms(at: dt.datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0
