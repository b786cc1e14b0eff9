"""Report charts: figures as ECharts options, in colours that read on light and on dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voicebot.console.words import Words
from voicebot.domain.report import Cohort, NodeRow, SumsRow
from voicebot.reports.ratio import Ratio

Option = dict[str, Any]
COLOURS = ("#7f8ea3", "#4f9d8b", "#d08a3e", "#c2524d", "#8a78c4", "#5b8fd0")
_TEXT, _LINE = "#8b8d86", "rgba(139,141,134,.25)"
_STEPS = ("attempts", "answered", "human", "verified", "promises")


def trend(words: Words, rows: Sequence[SumsRow]) -> Option:
    """Calls as bars, promises and complaints as lines, period by period."""
    option = _axes([row.key for row in rows])
    bars, lines = ("attempts", "human"), ("verified", "promises", "complaints")
    option["series"] = [_series(words, name, rows, "bar") for name in bars]
    option["series"] += [{**_series(words, name, rows, "line"), "smooth": True, "symbolSize": 5} for name in lines]
    return option


def stream(words: Words, sums: Mapping[str, int]) -> Option:
    """From the calls that were placed to the promises that were made."""
    steps = [{"name": words(f"reports.{name}"), "value": sums[name]} for name in _STEPS]
    label = {"position": "inside", "formatter": "{b}  {c}", "color": "#fff"}
    series = {
        "type": "funnel", "sort": "none", "gap": 3, "left": 10, "right": 10, "top": 6, "bottom": 6,
        "minSize": "22%", "label": label, "data": steps,
    }  # fmt: skip
    return {"color": list(COLOURS), "tooltip": {"trigger": "item"}, "series": [series]}


def groups(words: Words, rows: Sequence[SumsRow], most: int = 24) -> Option:
    """Contacts, verified debtors and promises side by side; the largest groups."""
    shown = sorted(rows, key=lambda row: -row.sums["attempts"])[:most]
    option = _axes([row.key or words("reports.unknown") for row in shown])
    option["series"] = [_series(words, name, shown, "bar") for name in ("human", "verified", "promises")]
    return option


def nodes(words: Words, rows: Sequence[NodeRow], title: Mapping[str, str], most: int = 16) -> Option:
    """How many calls came to each node, and how many ended there."""
    shown = list(reversed(rows[:most]))
    option = _axes([title.get(row.node, row.node) for row in shown])
    option["xAxis"], option["yAxis"] = option["yAxis"], option["xAxis"]
    option["series"] = [
        {"name": words("reports.came"), "type": "bar", "data": [row.came for row in shown], "barGap": "-100%",
         "itemStyle": {"color": "rgba(79,157,139,.35)"}},
        {"name": words("reports.ended"), "type": "bar", "data": [row.ended for row in shown],
         "itemStyle": {"color": "#c2524d"}},
    ]  # fmt: skip
    return option


def cohorts(words: Words, rows: Sequence[Cohort]) -> Option:
    """Promises by the week they were due: kept, kept to four fifths, broken."""
    option = _axes([row.week.isoformat() for row in rows])
    parts = (
        ("reports.kept", "#4f9d8b", [row.kept for row in rows]),
        ("reports.partly", "#d08a3e", [row.kept_80 - row.kept for row in rows]),
        ("reports.broken", "#c2524d", [row.matured - row.kept_80 for row in rows]),
    )
    option["series"] = [
        {"name": words(key), "type": "bar", "stack": "all", "data": data, "itemStyle": {"color": colour}}
        for key, colour, data in parts
    ]
    return option


def rolls(matrix: Mapping[str, Mapping[str, Ratio]]) -> Option:
    """Shares of the cases of each stage that were in each stage a month later, as a map of heat."""
    before = list(matrix)
    after = sorted({name for row in matrix.values() for name in row})
    cells = [
        [after.index(name), index, round((row[name].value or 0) * 100, 1)]
        for index, row in enumerate(matrix.values())
        for name in row
    ]
    label = {"show": True, "formatter": "{@[2]}%"}
    axis = {"type": "category", "axisLabel": {"color": _TEXT}, "axisLine": {"lineStyle": {"color": _LINE}}}
    return {
        "grid": {"left": 52, "right": 12, "top": 10, "bottom": 28},
        "tooltip": {"position": "top"},
        "xAxis": {**axis, "data": after},
        "yAxis": {**axis, "data": before},
        "visualMap": {"min": 0, "max": 100, "show": False, "inRange": {"color": ["#dcebe7", "#4f9d8b"]}},
        "series": [{"type": "heatmap", "data": cells, "label": label}],
    }


def _axes(names: Sequence[str]) -> Option:
    plain = {"axisLabel": {"color": _TEXT}, "axisLine": {"lineStyle": {"color": _LINE}}}
    return {
        "color": list(COLOURS),
        "grid": {"left": 8, "right": 14, "top": 34, "bottom": 6, "containLabel": True},
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": {"color": _TEXT}},
        "xAxis": {"type": "category", "data": list(names), **plain},
        "yAxis": {"type": "value", "minInterval": 1, "splitLine": {"lineStyle": {"color": _LINE}}, **plain},
    }


def _series(words: Words, name: str, rows: Sequence[SumsRow], kind: str) -> Option:
    return {"name": words(f"reports.{name}"), "type": kind, "data": [row.sums[name] for row in rows]}
