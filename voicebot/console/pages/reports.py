"""/reports - what it all came to: figures with their parts, trends, funnels, promises, roll rates, uplift, people."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console import report_charts as charts
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.report_data import read_shape, read_wanted
from voicebot.console.report_parts import (
    agents_panel,
    figure_tables,
    filters,
    headline,
    plans_panel,
    uplift_panel,
)
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.console.words import Words
from voicebot.reports.book import Book, roll_matrix


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/reports", response_timeout=20)
    async def reports(request: Request) -> None:
        visit = visit_of(request)
        words, query = visit.words, request.query_params
        wanted = read_wanted(query, console.data.reports.today)
        period, by, script = read_shape(query)
        book = await console.data.reports.book(wanted, period, by, script)
        values = await console.data.reports.values(wanted)
        with shell(console, visit, "/reports", words("reports.title")):
            exports = [_export(words, kind, dict(query)) for kind in ("xlsx", "pdf")]
            markup(heading(words("reports.title"), words("reports.lead"), *exports))
            with ui.element("div").classes("stack reports"):
                markup(tag("section", filters(words, book, values, script), cls="panel"))
                _content(words, book)
                plans = markup(plans_panel(words, await console.data.reports.plans()))

        async def redraw() -> None:
            plans.content = plans_panel(words, await console.data.reports.plans())

        ui.on("report_plans", redraw)


def _content(words: Words, book: Book) -> None:
    if not book.sums["attempts"] + book.sums["inbound"]:
        nothing = empty("chart", words("reports.none"), words("reports.none.lead"))
        markup(tag("section", nothing, cls="panel"))
        return
    markup(headline(words, book))
    with ui.element("div").classes("report-pair"):
        _chart(words("reports.trend"), charts.trend(words, book.periods))
        _chart(words("reports.stream"), charts.stream(words, book.sums))
    with ui.element("div").classes("report-pair"):
        _chart(words("reports.groups"), charts.groups(words, book.groups), words(f"reports.{book.dimension}"))
        if book.nodes:
            title = words("reports.funnel", script=book.nodes[0].script)
            _chart(title, charts.nodes(words, book.nodes, {}), words("reports.funnel.hint"))
    with ui.element("div").classes("report-pair"):
        if book.cohorts:
            _chart(words("reports.cohorts"), charts.cohorts(words, book.cohorts))
        else:
            _note(words, "reports.cohorts")
        if book.rolls:
            _chart(words("reports.rolls"), charts.rolls(roll_matrix(book.rolls)), words("reports.rolls.before"))
        else:
            _note(words, "reports.rolls")
    with ui.element("div").classes("report-pair"):
        markup(uplift_panel(words, book.uplifts))
        markup(agents_panel(words, book.agents))
    markup(figure_tables(words, book))


def _chart(title: str, option: charts.Option, hint: str = "") -> None:
    with ui.element("section").classes("panel"):
        told = tag("span", hint, cls="hint") if hint else None
        markup(tag("div", icon("chart"), tag("h2", title), told, cls="cap"))
        ui.echart(option).classes("chart")


def _note(words: Words, key: str) -> None:
    nothing = empty("info", words(f"{key}.none"), small=True)
    cap = tag("div", icon("chart"), tag("h2", words(key)), cls="cap")
    markup(tag("section", cap, tag("div", nothing, cls="in"), cls="panel"))


def _export(words: Words, kind: str, query: dict[str, str]) -> Markup:
    address = f"/api/reports/export.{kind}?{urlencode(query)}"
    hint = words("reports.export")
    return tag("a", icon("download"), kind.upper(), href=address, cls="btn", download=True, title=hint)
