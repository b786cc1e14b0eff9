"""Spreadsheet: a report as XLSX with sheets of numbers and native charts over them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from voicebot.domain.report import SumsRow
from voicebot.reports.book import Book, roll_matrix
from voicebot.reports.figures import FIGURES, Unit
from voicebot.reports.reading import bounds, percent
from voicebot.reports.titles import title

_COUNTS = ("attempts", "answered", "human", "verified", "promises")


def spreadsheet(book: Book) -> bytes:
    """The workbook. Amounts are in yuan, times in seconds, shares are numbers formatted as percent."""
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    _figures(workbook, book)
    _sums(workbook, title("trend"), title(book.period.value), book.periods, line=True)
    _sums(workbook, title("groups"), title(book.dimension), book.groups, line=False)
    _funnel(workbook, book)
    _cohorts(workbook, book)
    _rolls(workbook, book)
    _uplift(workbook, book)
    _agents(workbook, book)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _sheet(workbook: Any, name: str, heads: Sequence[str], rows: Iterable[Sequence[object]], widths: int = 14) -> Any:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet = workbook.create_sheet(name.replace("/", "-")[:31])
    sheet.append([_safe(head) for head in heads])
    for row in rows:
        sheet.append([_safe(value) for value in row])
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E3F2EE")
    for column in range(1, len(heads) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = widths
    sheet.freeze_panes = "A2"
    return sheet


def _safe(value: object) -> object:
    """A text that a spreadsheet would take for a formula is kept as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and len(value) > 1 else value


def _figures(workbook: Any, book: Book) -> None:
    heads = ("figure", "english", "value", "numerator", "denominator", "interval", "definition")
    rows = []
    for name, ratio in book.figures.items():
        known = FIGURES[name]
        value = ratio.value
        if value is not None and known.unit is Unit.PER_10000:
            value *= 10_000
        elif value is not None and known.unit is Unit.MS:
            value /= 1000
        interval = bounds(known, ratio)
        rows.append((known.zh, known.en, value, ratio.numerator, ratio.denominator, interval, known.definition))
    sheet = _sheet(workbook, title("figures"), [title(head) for head in heads], rows, 18)
    sheet.column_dimensions["G"].width = 90
    for row, name in enumerate(book.figures, 2):
        share = FIGURES[name].unit is Unit.SHARE
        sheet.cell(row, 3).number_format = "0.0%" if share else "0.00"
    sheet.insert_rows(1)
    sheet.cell(1, 1, f"{title('report')}  {book.wanted.since} – {book.wanted.until}")
    sheet.freeze_panes = "A3"


def _sums(workbook: Any, name: str, key: str, rows: Sequence[SumsRow], *, line: bool) -> None:
    from openpyxl.chart import BarChart, LineChart, Reference

    body = [(row.key or title("unknown"), *(row.sums[count] for count in _COUNTS)) for row in rows]
    sheet = _sheet(workbook, name, [key, *(title(count) for count in _COUNTS)], body)
    if not body:
        return
    chart = LineChart() if line else BarChart()
    chart.title, chart.height, chart.width = name, 9, 20
    chart.add_data(
        Reference(sheet, min_col=2, max_col=1 + len(_COUNTS), min_row=1, max_row=1 + len(body)), titles_from_data=True
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=1 + len(body)))
    sheet.add_chart(chart, "H2")


def _funnel(workbook: Any, book: Book) -> None:
    from openpyxl.chart import BarChart, Reference

    names = ("script", "node", "came", "ended", "verified", "promises")
    rows = [(n.script, n.node, n.came, n.ended, n.verified, n.promised) for n in book.nodes]
    sheet = _sheet(workbook, title("funnel"), [title(name) for name in names], rows)
    if not rows:
        return
    chart = BarChart()
    chart.type, chart.title, chart.height, chart.width = "bar", title("funnel"), 12, 20
    chart.add_data(Reference(sheet, min_col=3, max_col=4, min_row=1, max_row=1 + len(rows)), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=2, min_row=2, max_row=1 + len(rows)))
    sheet.add_chart(chart, "H2")


def _cohorts(workbook: Any, book: Book) -> None:
    from openpyxl.chart import BarChart, Reference

    names = ("week", "matured", "kept", "kept_80", "broken", "renewed", "promised_yuan", "paid_yuan")
    rows = [
        (c.week.isoformat(), c.matured, c.kept, c.kept_80, c.broken, c.renewed, c.promised_fen / 100, c.paid_fen / 100)
        for c in book.cohorts
    ]
    sheet = _sheet(workbook, title("cohorts"), [title(name) for name in names], rows)
    if not rows:
        return
    chart = BarChart()
    chart.grouping, chart.overlap, chart.title = "stacked", 100, title("cohorts")
    for column in (3, 5):
        chart.add_data(Reference(sheet, min_col=column, min_row=1, max_row=1 + len(rows)), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=1 + len(rows)))
    sheet.add_chart(chart, "J2")


def _rolls(workbook: Any, book: Book) -> None:
    matrix = roll_matrix(book.rolls)
    after = sorted({name for row in matrix.values() for name in row})
    rows = [(before, *(row[name].value if name in row else 0.0 for name in after)) for before, row in matrix.items()]
    sheet = _sheet(workbook, title("rolls"), [title("before"), *after], rows, 10)
    for cells in sheet.iter_rows(min_row=2, min_col=2):
        for cell in cells:
            cell.number_format = "0.0%"


def _uplift(workbook: Any, book: Book) -> None:
    names = ("strategy", "treated", "held_out", "difference")
    rows: list[tuple[object, ...]] = []
    for u in book.uplifts:
        told = u.difference
        gap = "" if told is None else f"{percent(told[0])} ({percent(told[1])} – {percent(told[2])})"
        rows.append((u.strategy, u.treated.value, u.held_out.value, gap))
    sheet = _sheet(workbook, title("uplift"), [title(name) for name in names], rows or [(title("no_hold_out"),)], 24)
    for row in range(2, 2 + len(rows)):
        sheet.cell(row, 2).number_format = sheet.cell(row, 3).number_format = "0.0%"


def _agents(workbook: Any, book: Book) -> None:
    names = ("agent", "handled", "agent_ms", "agent_promises", "complaints")
    rows = [
        (r.key, r.sums["handled"], round(r.sums["agent_ms"] / 1000, 1), r.sums["agent_promises"], r.sums["complaints"])
        for r in book.agents
    ]
    _sheet(workbook, title("agents"), [title(name) for name in names], rows)
