"""/cases - the bills to remind of: searched, filtered, paged by keyset, exported."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from fastapi import Request
from markupsafe import Markup
from nicegui import ui
from starlette.datastructures import QueryParams

from voicebot.console.case_data import CaseList
from voicebot.console.chips import disposition_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.queries import CaseRow
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.case import Creditor
from voicebot.store.case_list import ORDERS
from voicebot.store.cases import CaseFilter

STATUSES = ("open", "suspended", "closed")


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/cases", response_timeout=10)
    async def cases(request: Request) -> None:
        visit = visit_of(request)
        words, query = visit.words, request.query_params
        wanted = filter_of(query)
        try:
            found = await console.data.casework.page(
                wanted, query.get("before") or query.get("after"), bool(query.get("before"))
            )
        except ValueError:  # a mark of another order, or typed by hand
            found = await console.data.casework.page(wanted)
        creditors = await console.data.casework.creditors()
        with shell(console, visit, "/cases", words("cases.title")):
            markup(heading(words("cases.title"), words("cases.lead"), *_actions(words, query)))
            table = _table(words, found.rows) if found.rows else _nothing(words, wanted)
            filters = _filters(words, wanted, creditors)
            markup(tag("section", filters, table, _pager(words, found, query), cls="panel"))


def filter_of(query: QueryParams) -> CaseFilter:
    """What the address asks for; what can't be read does not restrict."""

    def number(name: str, factor: int = 1) -> int | None:
        text = query.get(name, "")
        return int(text) * factor if text.isascii() and text.isdigit() and len(text) < 10 else None

    status, order = query.get("status", ""), query.get("order", "")
    return CaseFilter(
        text=query.get("search", "").strip()[:100],
        status=status if status in STATUSES else "",
        creditor_id=query.get("creditor", "")[:64],
        min_overdue_days=number("min_overdue_days"),
        max_overdue_days=number("max_overdue_days"),
        min_amount_fen=number("min_yuan", 100),
        max_amount_fen=number("max_yuan", 100),
        order=order if order in ORDERS else "overdue",
    )


def case_address(case_id: str) -> str:
    """The address of a case's page."""
    return f"/cases/{quote(case_id, safe='/')}"


def status_chip(words: Words, status: str) -> Markup | None:
    """What keeps a case from being called; nothing for an open one."""
    return None if status == "open" else tag("span", words(f"case.status.{status}"), cls="chip warn")


def _actions(words: Words, query: QueryParams) -> tuple[Markup, ...]:
    kept = {key: value for key, value in query.items() if key not in ("before", "after", "min_yuan", "max_yuan")}
    for name in ("min_yuan", "max_yuan"):
        if query.get(name, "").isdigit():
            kept[name.replace("yuan", "amount_fen")] = query[name] + "00"
    address = "/api/cases/export?" + urlencode({**kept, "format": "csv"})
    export = tag("a", icon("download"), words("cases.export"), href=address, cls="btn", download=True)
    load = tag("a", icon("upload"), words("cases.import"), href="/cases/import", cls="btn primary")
    return export, load


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
    body = [_row(words, row) for row in rows]
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows"), cls="scroll")


def _row(words: Words, row: CaseRow) -> Markup:
    link = tag("a", name_shown(row.debtor_name), href=case_address(row.case_id), cls="cover")
    below = tag("span", row.case_id, " ", ", ".join(row.numbers_masked), cls="sub num")
    outcome = tag("div", disposition_chip(words, row.last_disposition), status_chip(words, row.status), cls="chips")
    return tag(
        "tr",
        tag("td", link, below),
        tag("td", row.product, tag("span", row.creditor, cls="sub"), cls="hide-phone"),
        tag("td", tag("b", words.money(row.amount_fen)), cls="num right"),
        tag("td", words("days", count=row.overdue_days), cls="num right hide-phone"),
        tag("td", row.attempts, cls="num right hide-phone"),
        tag("td", outcome),
    )


def _pager(words: Words, found: CaseList, query: QueryParams) -> Markup:
    kept = {key: value for key, value in query.items() if key not in ("before", "after")}

    def to(mark: str | None, key: str, name: str, label: str) -> Markup:
        if mark is None:
            return tag("button", icon(name), cls="btn small", disabled=True, aria_label=words(label))
        address = "?" + urlencode({**kept, key: mark})
        return tag("a", icon(name), cls="btn small", href=address, aria_label=words(label))

    key = "cases.count.more" if found.more_than_counted else "cases.count"
    count = words(key, total=f"{found.total - found.more_than_counted:,}")
    pair = (to(found.before, "before", "left", "previous"), to(found.after, "after", "right", "next"))
    return tag("div", tag("span", count), *pair, cls="pager")


def _filters(words: Words, wanted: CaseFilter, creditors: Sequence[Creditor]) -> Markup:
    entry = _entry("search", wanted.text, type="search", placeholder=words("cases.search"), aria_label=words("search"))
    statuses = [("", words("cases.all_status")), *((name, words(f"case.status.{name}")) for name in STATUSES)]
    owners = [("", words("cases.all_creditors")), *((each.id, each.name) for each in creditors)]
    orders = [(name, words(f"cases.order.{name}")) for name in ORDERS]
    active = wanted != CaseFilter(order=wanted.order)
    return tag(
        "form",
        tag("div", icon("search"), entry, cls="find"),
        _choice("status", statuses, wanted.status),
        _choice("creditor", owners, wanted.creditor_id) if len(creditors) > 1 else None,
        _between(words("cases.overdue"), "overdue_days", wanted.min_overdue_days, wanted.max_overdue_days),
        _between(words("cases.amount"), "yuan", _yuan(wanted.min_amount_fen), _yuan(wanted.max_amount_fen)),
        _choice("order", orders, wanted.order),
        tag("button", words("search"), cls="btn", type="submit"),
        tag("a", words("reset"), href="/cases", cls="btn quiet") if active else None,
        cls="filters case-filters",
        method="get",
        role="search",
    )


def _entry(name: str, value: Child, **attributes: str) -> Markup:
    return tag("input", name=name, value=None if value is None else str(value), cls="input", **attributes)


def _choice(name: str, options: Sequence[tuple[str, str]], chosen: str) -> Markup:
    inside = [tag("option", text, value=value, selected=value == chosen) for value, text in options]
    return tag("select", *inside, name=name, cls="select", data_submit=True)


def _between(label: str, name: str, low: int | None, high: int | None) -> Markup:
    pair = [
        _entry(f"{edge}_{name}", value, inputmode="numeric", size="5", aria_label=label)
        for edge, value in (("min", low), ("max", high))
    ]
    return tag("label", label, pair[0], "–", pair[1], cls="hide-phone")


def _yuan(fen: int | None) -> int | None:
    return None if fen is None else fen // 100


def _nothing(words: Words, wanted: CaseFilter) -> Markup:
    if wanted != CaseFilter(order=wanted.order):
        return empty("search", words("cases.none"), words("calls.none.lead"))
    return empty("cases", words("cases.empty"), words("cases.empty.lead"))
