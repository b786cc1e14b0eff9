"""/cases/… - one case: what is owed, who can be reached, and everything that happened, in one line of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.cases.traits import Trait, traits
from voicebot.console.campaign_data import RiskView
from voicebot.console.case_data import CaseView
from voicebot.console.case_story import story_line
from voicebot.console.chips import disposition_chip
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.masking import name_shown
from voicebot.console.pages.cases import case_address, status_chip
from voicebot.console.risk_drawing import risk_panel
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.phone import mask_number
from voicebot.domain.records import Number

_CHANGES = {
    "open": (("suspended", "case.suspend"), ("closed", "case.close")),
    "suspended": (("open", "case.open"), ("closed", "case.close")),
    "closed": (("open", "case.open"),),
}


def register(console: Console) -> None:
    """Add the page; it comes after the pages of imports, whose addresses it would take for case numbers."""

    @ui.page("/cases/{case_id:path}", response_timeout=10)
    async def case(case_id: str, request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        before = _moment(request.query_params.get("before", ""))
        view = await console.data.casework.view(case_id, before)
        with shell(console, visit, "/cases", words("case.title"), ("cases.js",)):
            if view is None:
                missing = words("not_found.case", id=case_id)
                markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
                return
            _case(visit, view, await console.data.campaigning.risk(case_id))


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _case(visit: Visit, view: CaseView, risk: RiskView) -> None:
    words, row = visit.words, view.row
    lead = " · ".join(filter(None, (row.case_id, row.creditor, row.product)))
    markup(heading(name_shown(row.debtor_name), lead, back=("/cases", words("cases.title"))))
    markup(stats(words, view))
    right = (
        _stops(words, view.stops),
        risk_panel(words, risk),
        _numbers(words, view),
        _known(words, view),
        _instalments(words, view),
        _note(words, row.case_id),
        _change(words, row.case_id, row.status),
    )
    markup(tag("div", timeline(words, view), tag("div", *right, cls="stack"), cls="two"))


def stats(words: Words, view: CaseView) -> Markup:
    """What is owed, how long, what was tried, how it stands."""
    row, record = view.row, view.record
    billed = words("case.billed", amount=words.money(record.billed_fen)) if record.billed_fen != row.amount_fen else ""
    boxes = (
        ("col.amount", words.money(row.amount_fen), billed or row.product),
        ("col.overdue", words("days", count=row.overdue_days), record.case.as_of.isoformat()),
        ("col.attempts", row.attempts, record.region),
        ("col.last", disposition_chip(words, row.last_disposition), status_chip(words, row.status)),
    )
    drawn = [
        tag("div", tag("span", words(name)), tag("b", value), tag("small", below or "\u00a0"), cls="stat")
        for name, value, below in boxes
    ]
    return tag("section", *drawn, cls="panel stats", style="margin-bottom:16px")


def timeline(words: Words, view: CaseView) -> Markup:
    """Everything that happened, newest first."""
    if not view.moments:
        return panel("clock", words("case.timeline"), empty("clock", words("case.timeline.none"), small=True))
    lines = []
    for moment in view.moments:
        line = story_line(words, moment)
        title = tag("a", line.title, href=line.href) if line.href else tag("span", line.title)
        when = tag("time", words.moment(moment.at), datetime=moment.at.isoformat(), cls="num")
        told = tag("div", tag("b", title), tag("small", line.text) if line.text else None)
        lines.append(tag("li", icon(line.icon), told, when, cls=line.tone, data_moment=moment.kind))
    older = None
    if view.older:
        address = f"{case_address(view.row.case_id)}?{urlencode({'before': view.moments[-1].at.isoformat()})}"
        older = tag("a", words("case.timeline.older"), href=address, cls="btn small")
    return panel("clock", words("case.timeline"), tag("ol", *lines, cls="history"), older)


def _numbers(words: Words, view: CaseView) -> Markup:
    entries = [_number(words, number) for number in view.record.numbers]
    entries += [
        tag("div", tag("dt", words(f"address.{a.channel}")), tag("dd", a.address)) for a in view.record.addresses
    ]
    return panel("calls", words("case.numbers"), tag("dl", *entries, cls="facts"))


def _number(words: Words, number: Number) -> Markup:
    whose = " ".join(filter(None, (words(f"kind.{number.kind}"), number.name, number.relation)))
    place = " · ".join(filter(None, (number.place, number.carrier)))
    gone = None if number.valid else tag("span", words("case.numbers.invalid"), cls="chip bad")
    told = tag("dd", tag("span", mask_number(number.number), cls="num"), tag("span", place, cls="sub"), gone)
    return tag("div", tag("dt", whose), told)


def _known(words: Words, view: CaseView) -> Markup | None:
    record = view.record
    known = {**record.traits, **record.loan}
    entries = [_trait(words, trait, known) for trait in traits().values() if known.get(trait.id) is not None]
    if not entries:
        return None
    return panel("info", words("case.known"), tag("dl", *entries, cls="facts"))


def _trait(words: Words, trait: Trait, known: Mapping[str, object]) -> Markup:
    value = known[trait.id]
    if isinstance(value, bool):
        told = words("yes" if value else "no")
    elif trait.kind == "money" and isinstance(value, int):
        told = words.money(value)
    else:
        told = f"{value:g}" if isinstance(value, float) else str(value)
    return tag("div", tag("dt", trait.zh if words.language == "zh" else trait.en), tag("dd", told, cls="num"))


def _instalments(words: Words, view: CaseView) -> Markup | None:
    if not view.record.instalments:
        return None
    entries = [
        tag(
            "div",
            tag("dt", words("case.instalment", number=part.number), " ", words.date(part.due_on)),
            tag("dd", words.money(part.amount_fen), cls="num"),
        )
        for part in view.record.instalments
    ]
    return panel("promise", words("case.instalments"), tag("dl", *entries, cls="facts"))


def _stops(words: Words, stops: tuple[str, ...]) -> Markup | None:
    if not stops:
        return None
    chips = [tag("span", words.explain(stop), cls="chip bad") for stop in stops]
    return panel("stop", words("case.stops"), tag("div", *chips, cls="chips"))


def _note(words: Words, case_id: str) -> Markup:
    label = words("case.note")
    text = tag("textarea", name="text", required=True, maxlength=2000, rows=3, cls="input", aria_label=label)
    save = tag("button", words("case.note.do"), cls="btn small", type="submit")
    address = f"/api/cases/{quote(case_id, safe='/')}/notes"
    form = tag("form", text, save, cls="stack", data_form=address, data_done=words("case.note.saved"), data_reload=True)
    return panel("pen", words("case.note"), form)


def _change(words: Words, case_id: str, status: str) -> Markup:
    options = [tag("option", words(name), value=value) for value, name in _CHANGES[status]]
    choice = tag("select", *options, name="status", cls="select", aria_label=words("case.change"))
    why = tag(
        "input", name="why", required=True, maxlength=500, cls="input", placeholder=words("case.change.why"),
        aria_label=words("case.change.why"),
    )  # fmt: skip
    do = tag("button", words("case.change.do"), cls="btn small", type="submit")
    address = f"/api/cases/{quote(case_id, safe='/')}/status"
    form = tag("form", choice, why, do, cls="stack", data_form=address, data_done=words("case.changed"),
               data_reload=True)  # fmt: skip
    return panel("pause", words("case.change"), form)
