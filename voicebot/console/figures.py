"""Figures: the day in four numbers and a ring of outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

from voicebot.console.markup import Child, tag
from voicebot.console.shell import empty
from voicebot.console.words import Words
from voicebot.domain.records import DayFigures

_SLICES = 6
_RADIUS = 15.9155
"""Circumference 100, so that shares are percent."""


def day_figures(words: Words, day: DayFigures) -> Markup:
    """Today's figures for the head of the live page."""
    share = f"{round(100 * day.answered / day.calls)}%" if day.calls else "—"
    joined = f"{round(100 * day.handoffs / day.talked)}%" if day.talked else "—"
    stats = (
        _stat(words("today.calls"), day.calls, words("today")),
        _stat(words("today.talked"), day.answered, share),
        _stat(words("today.handoffs"), day.handoffs, joined),
        _stat(
            words("today.promised"),
            words.money(day.promised_fen),
            words("today.promises", count=day.promises),
        ),
    )
    box = tag("section", *stats, cls="panel stats")
    return tag("div", box, tag("section", outcomes(words, day.dispositions), cls="panel"), cls="figures")


def outcomes(words: Words, counts: Mapping[str, int]) -> Markup:
    """A ring of dispositions with its legend; the smallest ones are drawn together."""
    total = sum(counts.values())
    if not total:
        return empty("live", words("today.none"), small=True)
    ranked = sorted(((count, str(name)) for name, count in counts.items() if count), reverse=True)
    shown = [(words(name), count) for count, name in ranked[: _SLICES - 1]]
    rest = sum(count for count, _ in ranked[_SLICES - 1 :])
    if rest:
        shown.append((words("today.others"), rest))
    entries = [tag("li", tag("i", cls=f"k{index}"), name, tag("b", count)) for index, (name, count) in enumerate(shown)]
    return tag("div", _ring(words, shown, total), tag("ul", *entries, cls="legend"), cls="donut")


def _ring(words: Words, shown: list[tuple[str, int]], total: int) -> Markup:
    arcs: list[Child] = []
    turned = 25.0  # a quarter turn: the first slice starts at twelve o'clock
    gap = 0.8 if len(shown) > 1 else 0.0
    for index, (name, count) in enumerate(shown):
        share = 100 * count / total
        drawn = max(0.4, share - gap)
        arcs.append(
            tag(
                "circle",
                tag("title", f"{name} {count}"),
                cls=f"k{index}",
                cx=21,
                cy=21,
                r=_RADIUS,
                fill="none",
                stroke="var(--c)",
                stroke_width=4.6,
                stroke_dasharray=f"{drawn:.3f} {100 - drawn:.3f}",
                stroke_dashoffset=f"{math.fmod(turned, 100):.3f}",
            )
        )
        turned = turned - share + 100
    middle = (
        tag("text", total, x=21, y=22.6, cls="hole"),
        tag("text", words("today.ended"), x=21, y=27.6, cls="hole-sub"),
    )
    return tag("svg", *arcs, *middle, viewBox="0 0 42 42", role="img", aria_label=words("today.outcomes"))


def _stat(name: str, value: Child, below: Child) -> Markup:
    return tag("div", tag("span", name), tag("b", value), tag("small", below), cls="stat")
