"""What-if drawn: a campaign's day in figures, its hours as bars, and who is not rung by which rule."""

from __future__ import annotations

from markupsafe import Markup

from voicebot.console.markup import tag
from voicebot.console.shell import empty, panel
from voicebot.console.words import Words
from voicebot.strategy.what_if import Refusal, WhatIf


def what_if_panel(words: Words, seen: WhatIf) -> Markup:
    """How today would go."""
    end = words.moment(seen.last_end)[6:11] if seen.last_end else "—"
    figures: tuple[tuple[str, int | str, str], ...] = (
        ("what_if.calls", seen.calls, "sum"),
        ("what_if.rung", seen.cases_rung, ""),
        ("what_if.talks", seen.conversations, ""),
        ("what_if.end", end, ""),
        ("what_if.refused", seen.refused, ""),
        ("what_if.left", seen.left_over, ""),
        ("what_if.held_out", seen.held_out, ""),
        ("what_if.not_due", seen.not_due, ""),
        ("what_if.pulled", seen.pulled, ""),
        ("what_if.unreachable", seen.unreachable, ""),
        ("what_if.messages", seen.messages, ""),
        ("what_if.persons", seen.persons, ""),
        ("what_if.cases", seen.cases, ""),
    )
    always = 5
    shown = [one for number, one in enumerate(figures) if number < always or one[1]]
    counts = [tag("div", tag("span", words(name)), tag("b", _grouped(value), cls=cls)) for name, value, cls in shown]
    rate = words("what_if.assumed", rate=f"{seen.answer_rate:.0%}")
    inside = (
        tag("div", *counts, cls="counts"),
        _hours(words, seen),
        _refusals(words, seen),
        tag("p", rate, cls="muted"),
    )
    return panel("chart", words("what_if.title"), *inside, cls="what-if", hint=words.date(seen.day))


def _grouped(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _hours(words: Words, seen: WhatIf) -> Markup:
    if not seen.calls:
        return empty("chart", words("what_if.nobody"), small=True)
    most = max(seen.by_hour.values())
    first, last = min(seen.by_hour), max(seen.by_hour)
    bars = [
        tag(
            "div",
            seen.by_hour.get(hour, 0) or "",
            tag("i", style=f"height:{60 * seen.by_hour.get(hour, 0) / most:.0f}px"),
            tag("span", f"{hour}"),
        )
        for hour in range(first, last + 1)
    ]
    return tag("div", *bars, cls="hours-of-day", role="img", aria_label=words("what_if.by_hour"))


def _refusals(words: Words, seen: WhatIf) -> Markup | None:
    if not seen.refusals:
        return None
    rows = [_refusal(words, one) for one in seen.refusals]
    heads = tag("tr", tag("th", words("what_if.why")), tag("th", words("card.cases"), cls="right"))
    return tag("div", tag("table", tag("thead", heads), tag("tbody", *rows), cls="rows"), cls="scroll refused")


def _refusal(words: Words, one: Refusal) -> Markup:
    rule = words(f"what_if.rule.{one.rule}") if one.rule == "campaign" else one.rule
    later = words("what_if.first", at=words.moment(one.first_allowed)) if one.first_allowed else None
    reason = tag("span", one.reason, tag("small", " ", later, cls="muted") if later else None, cls="sub")
    return tag("tr", tag("td", tag("b", rule), reason), tag("td", f"{one.cases:,}", cls="num right"))
