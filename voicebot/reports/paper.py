"""Paper: a report as PDF in Chinese, with the trend and the funnel drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from voicebot.reports.book import Book, roll_matrix
from voicebot.reports.figures import FIGURES
from voicebot.reports.reading import bounds, percent, shown
from voicebot.reports.titles import title

FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
)
"""TrueType outlines, as Debian packages them (fonts-wqy-microhei first); Noto CJK has other outlines."""
_FALLBACK = "STSong-Light"
_ACCENT, _SOFT = "#0b7a66", "#e3f2ee"
_MOST_ROWS = 40


def paper(book: Book) -> bytes:
    """The PDF. Where no font can be embedded, the reader's own Song is asked for, and a line says so."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, title=title("report"), author="voicebot", leftMargin=36, rightMargin=36, topMargin=40,
        bottomMargin=40, invariant=True,
    )  # fmt: skip
    document.build(_story(book))
    return out.getvalue()


def embeds() -> bool:
    """Whether Chinese characters travel inside the file."""
    return font() != _FALLBACK


@cache
def font() -> str:
    """The name of the font all text is set in, registered."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    for path in FONTS:
        if Path(path).is_file():
            try:
                pdfmetrics.registerFont(TTFont("report", path, subfontIndex=0))
            except (TTFError, OSError):
                continue
            return "report"
    pdfmetrics.registerFont(UnicodeCIDFont(_FALLBACK))
    return _FALLBACK


def _story(book: Book) -> list[Any]:
    from reportlab.platypus import PageBreak, Spacer

    story = [_text(title("report"), 18), _text(f"{book.wanted.since} – {book.wanted.until}{_only(book)}", 10)]
    if not embeds():
        story.append(_text(title("unembedded"), 8))
    story += [Spacer(1, 10), *_trend(book), Spacer(1, 8), _figures(book), PageBreak()]
    groups = [
        (r.key or title("unknown"), *(str(r.sums[name]) for name in _COUNTS)) for r in book.groups[:_MOST_ROWS]
    ]
    story += _part("groups", (book.dimension, *_COUNTS), groups)
    nodes = [(n.node, str(n.came), str(n.ended), str(n.verified), str(n.promised)) for n in book.nodes[:_MOST_ROWS]]
    story += _part("funnel", ("node", "came", "ended", "verified", "promises"), nodes)
    weeks = [(str(c.week), str(c.matured), str(c.kept), str(c.kept_80), str(c.broken)) for c in book.cohorts]
    story += _part("cohorts", ("week", "matured", "kept", "kept_80", "broken"), weeks)
    story += _rolls(book)
    uplift = []
    for u in book.uplifts:
        gap = u.difference
        told = "—" if gap is None else f"{percent(gap[0])}（{percent(gap[1])} – {percent(gap[2])}）"
        uplift.append((u.strategy, percent(u.treated.value or 0), percent(u.held_out.value or 0), told))
    story += _part("uplift", ("strategy", "treated", "held_out", "difference"), uplift, title("no_hold_out"))
    agents = [(r.key, str(r.sums["handled"]), str(r.sums["agent_promises"])) for r in book.agents[:_MOST_ROWS]]
    return story + _part("agents", ("agent", "handled", "agent_promises"), agents)


_COUNTS = ("attempts", "human", "verified", "promises", "complaints")


def _only(book: Book) -> str:
    return "".join(f"　{title(name)}：{value}" for name, value in book.wanted.only.items())


def _text(words: str, size: int) -> Any:
    from html import escape

    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    return Paragraph(escape(words), ParagraphStyle("line", fontName=font(), fontSize=size, leading=size * 1.45))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float] | None = None) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table, TableStyle

    table = Table([list(heads), *(list(row) for row in rows)], colWidths=widths, repeatRows=1, hAlign="LEFT")
    style = [
        ("FONTNAME", (0, 0), (-1, -1), font()),
        ("FONTSIZE", (0, 0), (-1, -1), 8),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(_SOFT)),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#d5d3cc")),
        ("ALIGN", (1, 1), (-1, -1), "RIGHT"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    table.setStyle(TableStyle(style))
    return table


def _part(
    name: str, heads: Sequence[str], rows: Sequence[Sequence[str]], otherwise: str = ""
) -> list[Any]:
    from reportlab.platypus import Spacer

    body = _table([title(head) for head in heads], rows) if rows else _text(otherwise or title("none"), 9)
    return [_text(title(name), 12), body, Spacer(1, 12)]


def _figures(book: Book) -> Any:
    rows = [
        (FIGURES[name].zh, shown(FIGURES[name], ratio), bounds(FIGURES[name], ratio),
         f"{ratio.numerator:,} / {ratio.denominator:,}")
        for name, ratio in book.figures.items()
    ]  # fmt: skip
    heads = (title("figure"), title("value"), title("interval"), f"{title('numerator')} / {title('denominator')}")
    return _table(heads, rows, (150, 80, 130, 160))


def _rolls(book: Book) -> list[Any]:
    matrix = roll_matrix(book.rolls)
    after = sorted({name for row in matrix.values() for name in row})
    rows = [
        (before, *(percent(row[name].value or 0) if name in row else "—" for name in after))
        for before, row in matrix.items()
    ]
    return _part("rolls", ("before", *after), rows)


def _trend(book: Book) -> list[Any]:
    """Attempts and what came of them, period by period."""
    if len(book.periods) < 2:
        return []
    from reportlab.graphics.charts.linecharts import HorizontalLineChart
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib import colors

    drawing, chart = Drawing(520, 150), HorizontalLineChart()
    chart.x, chart.y, chart.width, chart.height = 36, 24, 470, 115
    chart.data = [[row.sums[name] for row in book.periods] for name in ("attempts", "human", "promises")]
    for index, colour in enumerate(("#8b8d86", _ACCENT, "#bf3330")):
        chart.lines[index].strokeColor, chart.lines[index].strokeWidth = colors.HexColor(colour), 1.4
    step = max(1, len(book.periods) // 8)
    names = [row.key[5:] if at % step == 0 else "" for at, row in enumerate(book.periods)]
    chart.categoryAxis.categoryNames = names
    chart.categoryAxis.labels.fontSize = chart.valueAxis.labels.fontSize = 7
    chart.valueAxis.valueMin = 0
    drawing.add(chart)
    legend = " · ".join(title(name) for name in ("attempts", "human", "promises"))
    return [_text(f"{title('trend')}（{legend}）", 10), drawing]
