"""/calls - every call, searched by word, outcome and date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Request
from markupsafe import Markup
from nicegui import ui
from starlette.datastructures import QueryParams

from voicebot.console.chips import disposition_chip, emotion_chip, promise_short, stage_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.queries import CallRow, CallSearch, Page, Row
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.outcome import Disposition


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/calls", response_timeout=10)
    async def calls(request: Request) -> None:
        visit = visit_of(request)
        words, query = visit.words, request.query_params
        wanted = read_filter(query)
        found = await console.data.calls(wanted, page_number(query))
        with shell(console, visit, "/calls", words("calls.title")):
            markup(heading(words("calls.title"), words("calls.lead")))
            listed = calls_table(words, found.rows) if found.rows else _nothing(words, wanted)
            markup(tag("section", _filters(words, wanted), listed, pager(words, found, query), cls="panel"))


def read_filter(query: QueryParams) -> CallSearch:
    """The filter in an address; what cannot be read asks for nothing."""
    known = {item.value for item in Disposition}
    outcome = query.get("disposition", "")
    return CallSearch(
        text=query.get("text", "").strip()[:100],
        disposition=Disposition(outcome) if outcome in known else None,
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
    )


def page_number(query: QueryParams) -> int:
    """The page asked for, the first if that is no number."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def pager(words: Words, page: Page[Row], query: QueryParams) -> Markup | None:
    """Where in the list we are, and the way to its neighbours."""
    if not page.total:
        return None

    def to(number: int, name: str, key: str, there: bool) -> Markup:
        address = "?" + urlencode({**dict(query), "page": number})
        if not there:
            return tag("button", icon(name), cls="btn small", disabled=True, aria_label=words(key))
        return tag("a", icon(name), cls="btn small", href=address, aria_label=words(key))

    where = words("page.of", total=page.total, number=page.number, last=page.last)
    before = to(page.number - 1, "left", "previous", page.number > 1)
    after = to(page.number + 1, "right", "next", page.number < page.last)
    return tag("div", tag("span", where), before, after, cls="pager")


def calls_table(words: Words, rows: Sequence[CallRow]) -> Markup:
    """Calls as a table; a row leads to its call."""
    names = ("col.time", "col.debtor", "col.outcome", "col.promise", "col.emotion", "col.length")
    hidden = {"col.emotion", "col.length", "col.promise"}
    heads = [tag("th", words(name), cls="hide-phone" if name in hidden else "") for name in names]
    body = [_row(words, row) for row in rows]
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows"), cls="scroll")


def _row(words: Words, row: CallRow) -> Markup:
    way = "phone-in" if row.direction == "inbound" else "phone-out"
    name: Child = name_shown(row.debtor_name) or words("unknown_caller")
    case = tag("span", row.case_id, " ", cls="hide-phone") if row.case_id else None
    outcome = stage_chip(words, "talking") if row.running else disposition_chip(words, row.disposition)
    person = tag("span", icon("person"), words("today.handoffs"), cls="chip accent") if row.handoff else None
    link = tag("a", words.moment(row.started_at), href=f"/calls/{row.call_id}", cls="cover num")
    direction = tag("span", words(row.direction), cls="sub")
    return tag(
        "tr",
        tag(
            "td",
            tag("div", tag("span", icon(way), cls="faint line hide-phone"), tag("div", link, direction), cls="line"),
        ),
        tag("td", name, tag("span", case, row.number_masked, cls="sub num")),
        tag("td", tag("div", outcome, person, cls="chips")),
        tag("td", promise_short(words, row.promise), cls="hide-phone"),
        tag("td", emotion_chip(words, row.emotion) or tag("span", "—", cls="faint"), cls="hide-phone"),
        tag("td", words.length(row.duration_s) if row.duration_s else "—", cls="num hide-phone"),
    )


def _filters(words: Words, wanted: CallSearch) -> Markup:
    text = tag(
        "input",
        type="search",
        name="text",
        value=wanted.text,
        cls="input",
        placeholder=words("calls.search"),
        aria_label=words("search"),
    )
    options = [tag("option", words("col.outcome") + " · " + words("all"), value="")]
    options += [
        tag("option", words(item.value), value=item.value, selected=item is wanted.disposition) for item in Disposition
    ]
    outcome = tag("select", *options, name="disposition", cls="select", data_submit=True)
    return tag(
        "form",
        tag("div", icon("search"), text, cls="find"),
        outcome,
        _date(words("since"), "since", wanted.since),
        _date(words("until"), "until", wanted.until),
        tag("button", words("search"), cls="btn", type="submit"),
        tag("a", words("reset"), href="/calls", cls="btn quiet") if wanted.active else None,
        cls="filters",
        method="get",
        role="search",
    )


def _date(label: str, name: str, value: dt.date | None) -> Markup:
    entry = tag("input", type="date", name=name, value=value.isoformat() if value else None, cls="input")
    return tag("label", label, entry)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _nothing(words: Words, wanted: CallSearch) -> Markup:
    if wanted.active:
        return empty("search", words("calls.none"), words("calls.none.lead"))
    return empty("calls", words("calls.empty"), words("calls.empty.lead"))
