"""/cases - the bills to remind of, their import, and one case with all that was tried and promised."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.chips import disposition_chip
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.pages.calls import page_number, pager
from voicebot.console.queries import AttemptRow, CaseDetail, CaseRow, MessageView, PromiseView
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words


def register(console: Console) -> None:
    """Add both pages."""

    @ui.page("/cases", response_timeout=10)
    async def cases(request: Request) -> None:
        visit = visit_of(request)
        words, query = visit.words, request.query_params
        search = query.get("search", "").strip()[:100]

        async def listed() -> Markup:
            found = await console.data.cases(search, page_number(query))
            table = _table(words, found.rows) if found.rows else _nothing(words, search)
            return tag("section", _search(words, search), table, pager(words, found, query), cls="panel")

        first = await listed()
        with shell(console, visit, "/cases", words("cases.title")):
            markup(heading(words("cases.title"), words("cases.lead")))
            markup(_import(words))
            drawn = markup(first)

            async def redraw() -> None:
                drawn.content = await listed()

            ui.on("cases_imported", redraw)

    @ui.page("/cases/{case_id}", response_timeout=10)
    async def case(case_id: str, request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        detail = await console.data.case(case_id)
        with shell(console, visit, "/cases", words("case.title")):
            if detail is None:
                missing = words("not_found.case", id=case_id)
                markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
                return
            _case(visit, detail)


def _case(visit: Visit, detail: CaseDetail) -> None:
    words, row = visit.words, detail.case
    lead = " · ".join(filter(None, (row.case_id, row.creditor, row.product)))
    markup(heading(row.debtor_name, lead, back=("/cases", words("cases.title"))))
    markup(_stats(words, row))
    right = tag(
        "div",
        _promises(words, detail.promises),
        _messages(words, detail.messages),
        _stops(words, detail.stops),
        cls="stack",
    )
    markup(tag("div", _attempts(words, detail.attempts), right, cls="two"))


def _stats(words: Words, row: CaseRow) -> Markup:
    def stat(name: str, value: object, below: object = "") -> Markup:
        return tag("div", tag("span", words(name)), tag("b", value), tag("small", below or "\u00a0"), cls="stat")

    state = _status(words, row.status)
    boxes = (
        stat("col.amount", words.money(row.amount_fen), row.product),
        stat("col.overdue", words("days", count=row.overdue_days), row.creditor),
        stat("col.attempts", row.attempts, ", ".join(row.numbers_masked)),
        stat("col.last", disposition_chip(words, row.last_disposition), state),
    )
    return tag("section", *boxes, cls="panel stats", style="margin-bottom:16px")


def _attempts(words: Words, attempts: tuple[AttemptRow, ...]) -> Markup:
    if not attempts:
        nothing = empty("calls", words("case.attempts.none"), small=True)
        return panel("calls", words("case.attempts"), nothing, inset=False)
    names = ("col.time", "col.number", "col.state", "col.outcome")
    heads = [tag("th", words(name), cls="hide-phone" if name == "col.number" else "") for name in names]
    rows = []
    for attempt in attempts:
        at = words.moment(attempt.at)
        link = tag("a", at, href=f"/calls/{attempt.call_id}", cls="cover num") if attempt.call_id else at
        rows.append(
            tag(
                "tr",
                tag("td", link, cls="num"),
                tag("td", attempt.number_masked, cls="num hide-phone"),
                tag("td", words(f"attempt.{attempt.state}"), tag("span", words.explain(attempt.why), cls="sub")),
                tag("td", disposition_chip(words, attempt.disposition)),
            )
        )
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("calls", words("case.attempts"), tag("div", table, cls="scroll"), inset=False)


def _promises(words: Words, promises: tuple[PromiseView, ...]) -> Markup:
    if not promises:
        return panel("promise", words("case.promises"), empty("promise", words("case.promises.none"), small=True))
    entries = []
    for promise in promises:
        tone, key = _state(promise)
        amount = tag("b", words.money(promise.amount_fen), cls="num")
        day = tag("span", words.date(promise.date), cls="muted num")
        state = tag("span", words(key), cls=f"chip {tone}")
        entries.append(tag("div", tag("dt", amount, " ", day), tag("dd", state)))
    return panel("promise", words("case.promises"), tag("dl", *entries, cls="facts"))


def _state(promise: PromiseView) -> tuple[str, str]:
    if promise.replaced:
        return "", "case.replaced"
    return {True: ("good", "case.kept"), False: ("bad", "case.broken"), None: ("accent", "case.due")}[promise.kept]


_MESSAGE_TONES = {"sent": "good", "failed": "bad", "refused": "bad", "waiting": "accent", "sending": "accent"}


def _messages(words: Words, messages: tuple[MessageView, ...]) -> Markup | None:
    if not messages:
        return None
    entries = []
    for message in messages:
        kind = tag("b", words(f"message.{message.kind}"))
        at = tag("span", words.moment(message.at), cls="muted num")
        below = tag("span", message.text or words.explain(message.why), cls="sub")
        state = tag("span", words(f"message.{message.state}"), cls=f"chip {_MESSAGE_TONES.get(message.state, '')}")
        entries.append(tag("div", tag("dt", kind, " ", at, below), tag("dd", state)))
    return panel("promise", words("case.messages"), tag("dl", *entries, cls="facts"))


def _stops(words: Words, stops: tuple[str, ...]) -> Markup | None:
    if not stops:
        return None
    chips = [tag("span", words.explain(stop), cls="chip bad") for stop in stops]
    return panel("stop", words("case.stops"), tag("div", *chips, cls="chips"))


def _table(words: Words, rows: Sequence[CaseRow]) -> Markup:
    columns = (
        ("col.debtor", ""),
        ("col.product", "hide-phone"),
        ("col.amount", "right"),
        ("col.overdue", "right hide-phone"),
        ("col.attempts", "right hide-phone"),
        ("col.last", ""),
    )
    heads = [tag("th", words(name), cls=cls) for name, cls in columns]
    body = []
    for row in rows:
        link = tag("a", row.debtor_name, href=f"/cases/{row.case_id}", cls="cover")
        below = tag("span", row.case_id, " ", ", ".join(row.numbers_masked), cls="sub num")
        body.append(
            tag(
                "tr",
                tag("td", link, below),
                tag("td", row.product, tag("span", row.creditor, cls="sub"), cls="hide-phone"),
                tag("td", tag("b", words.money(row.amount_fen)), cls="num right"),
                tag("td", words("days", count=row.overdue_days), cls="num right hide-phone"),
                tag("td", row.attempts, cls="num right hide-phone"),
                tag(
                    "td",
                    tag("div", disposition_chip(words, row.last_disposition), _status(words, row.status), cls="chips"),
                ),
            )
        )
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows"), cls="scroll")


def _status(words: Words, status: str) -> Markup | None:
    """What keeps a case from being called; nothing for an open one."""
    return None if status == "open" else tag("span", words(f"case.status.{status}"), cls="chip warn")


def _search(words: Words, search: str) -> Markup:
    entry = tag(
        "input",
        type="search",
        name="search",
        value=search,
        cls="input",
        placeholder=words("cases.search"),
        aria_label=words("search"),
    )
    return tag(
        "form",
        tag("div", icon("search"), entry, cls="find"),
        tag("button", words("search"), cls="btn", type="submit"),
        tag("a", words("reset"), href="/cases", cls="btn quiet") if search else None,
        cls="filters",
        method="get",
        role="search",
    )


def _import(words: Words) -> Markup:
    entry = tag("input", type="file", name="file", accept=".csv,.xlsx", cls="sr")
    text = tag("span", tag("b", words("cases.import")), words("cases.import.drop"))
    drop = tag("label", icon("upload"), text, entry, cls="drop", data_import="/api/cases/import")
    counts = [
        tag("div", tag("span", words(f"cases.{name}")), tag("b", "0", data_count=name))
        for name in ("imported", "updated", "duplicates", "rejected")
    ]
    heads = [tag("th", words(name)) for name in ("col.row", "col.column", "col.value", "col.reason")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody"), cls="rows", hidden=True)
    none = tag("p", words("cases.rejected.none"), cls="muted", data_no_rejects=True, style="margin-top:12px")
    inside = tag("div", tag("div", *counts, cls="counts"), none, cls="in")
    cap = tag("div", icon("upload"), tag("h2", words("cases.import.result")), cls="cap")
    result = tag(
        "section",
        cap,
        inside,
        tag("div", table, cls="scroll"),
        cls="panel import-result",
        data_import_result=True,
        hidden=True,
    )
    return tag("div", drop, result)


def _nothing(words: Words, search: str) -> Markup:
    if search:
        return empty("search", words("cases.none"), words("calls.none.lead"))
    return empty("cases", words("cases.empty"), words("cases.empty.lead"))
