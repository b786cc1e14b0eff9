"""Desk work: an agent's cases, the pool, callbacks and figures, as markup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from markupsafe import Markup

from voicebot.console.desk_parts import case_name
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.shell import empty, panel
from voicebot.console.words import Words
from voicebot.domain.case import Case
from voicebot.domain.desk import AgentCallback, AgentFigures
from voicebot.domain.phone import mask_number


def my_cases(words: Words, cases: Sequence[Case]) -> Markup:
    """What I pulled; a click looks whether the debtor may be rung."""
    if not cases:
        return panel("cases", words("mine.title"), empty("cases", words("mine.none"), small=True))
    rows = []
    for case in cases:
        back = tag(
            "button",
            words("mine.back"),
            cls="btn small quiet",
            type="button",
            data_post=f"/api/desk/cases/{case.id}/give-back",
            data_saved="work",
        )
        look = tag("a", words("mine.look"), cls="btn small quiet", href=f"/desk/cases/{case.id}")
        ring = ring_button(words, case.id, case.debtor.name)
        rows.append(tag("li", case_name(words, case), tag("div", back, look, ring, cls="line")))
    return panel("cases", words("mine.title"), tag("ul", *rows, cls="work"), inset=False)


def ring_button(words: Words, case_id: str, name: str) -> Markup:
    """Rings my phone, then the debtor's; refused with the reason where a rule forbids it."""
    return tag(
        "button",
        icon("phone-out"),
        words("mine.ring"),
        cls="btn small",
        type="button",
        data_post=f"/api/desk/cases/{case_id}/ring",
        data_confirm=words("ring.ask", name=name),
        data_confirm_lead=words("ring.lead"),
        data_cancel=words("cancel"),
        data_verb=words("ring.go"),
        data_tone="primary",
        data_done=words("ring.started"),
    )


def pool(words: Words, cases: Sequence[Case], total: int) -> Markup:
    """Cases that nobody has."""
    following = tag(
        "button",
        icon("hand"),
        words("pool.next"),
        cls="btn small primary",
        type="button",
        data_post="/api/desk/cases/pull",
        data_done=words("pool.pulled"),
        data_saved="work",
    )
    if not cases:
        return panel("hand", words("pool.title"), empty("hand", words("pool.none"), small=True))
    rows = []
    for case in cases:
        pull = tag(
            "button",
            words("pool.pull"),
            cls="btn small",
            type="button",
            data_post=f"/api/desk/cases/{case.id}/pull",
            data_done=words("pool.pulled"),
            data_saved="work",
        )
        rows.append(tag("li", case_name(words, case), pull))
    top = tag("li", tag("span", words("pool.count", count=total), cls="muted"), following, cls="work-top")
    return panel("hand", words("pool.title"), tag("ul", top, *rows, cls="work"), inset=False)


def callbacks(words: Words, found: Sequence[AgentCallback], now: dt.datetime) -> Markup:
    """Mine, due first; then those that nobody took."""
    if not found:
        return panel("clock", words("callback.title"), empty("clock", words("callback.none"), small=True))
    rows = [_callback(words, one, now) for one in found]
    return panel("clock", words("callback.title"), tag("ul", *rows, cls="work"), inset=False)


def _callback(words: Words, one: AgentCallback, now: dt.datetime) -> Markup:
    late = one.at is not None and one.at < now
    at = words.moment(one.at)[:11] if one.at else words("callback.any_time")
    mark = tag("span", words("callback.late"), cls="chip warn") if late else None
    name = name_shown(one.debtor_name or "") or mask_number(one.number)
    who = tag("div", tag("b", name, " ", mark), tag("span", f"{at} · {one.reason}", cls="sub num"))
    verb = "done" if one.agent_id else "take"
    buttons: list[Child] = [
        tag(
            "button",
            words(f"callback.{verb}"),
            cls="btn small quiet",
            type="button",
            data_post=f"/api/desk/callbacks/{one.id}/{verb}",
            data_saved="work",
        )
    ]
    if one.case_id and one.agent_id:
        buttons.append(ring_button(words, one.case_id, name))
    return tag("li", who, tag("div", *buttons, cls="line"))


def my_day(words: Words, mine: AgentFigures) -> Markup:
    """Five figures."""

    def figure(name: str, value: Child, below: Child = None) -> Markup:
        return tag("div", tag("span", words(name)), tag("b", value), tag("small", below) if below else None)

    kept = f"{round(100 * mine.kept / mine.judged)}%" if mine.judged else "—"
    figures = (
        figure("me.calls", mine.calls),
        figure("me.talk", words.length(mine.talk_s)),
        figure("me.promised", mine.promises, words.money(mine.promised_fen)),
        figure("me.kept", kept, f"{mine.kept}/{mine.judged}" if mine.judged else None),
        figure("me.wrap", words.length(mine.wrap_s)),
    )
    return panel("chart", words("me.title"), tag("div", *figures, cls="counts my-day"))
