"""/lines - the trunks with their state, use and last trouble, and the processes that carry the calls."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.line_view import LineView, TrunkView, WorkerView, line_view
from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words

REDRAW_S = 2.0
_TONES = {"up": "good", "trial": "warn", "paused": "warn", "unregistered": "bad", "down": "bad"}
_REGISTRATION_TONES = {"done": "good", "waiting": "warn", "failed": "bad"}


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/lines", response_timeout=10)
    async def lines(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        with shell(console, visit, "/lines", words("lines.title")):
            markup(heading(words("lines.title"), words("lines.lead")))
            drawn = markup(lines_markup(words, line_view(console.settings.home)))

            def redraw() -> None:
                drawn.content = lines_markup(words, line_view(console.settings.home))

            ui.timer(REDRAW_S, redraw)


def lines_markup(words: Words, view: LineView) -> Markup:
    """The page's content."""
    if not view.workers:
        nothing = empty("alert", words("lines.none"), words("lines.none.lead"))
        return tag("section", nothing, cls="panel")
    return tag("div", _trunks(words, view.trunks), _workers(words, view.workers), cls="stack")


def _trunks(words: Words, trunks: Sequence[TrunkView]) -> Markup:
    if not trunks:
        nothing = empty("calls", words("lines.trunks.none"), words("lines.trunks.none.lead"), small=True)
        return panel("path", words("lines.trunks"), nothing, inset=False)
    names = (
        ("lines.trunk", ""),
        ("col.state", ""),
        ("lines.used", "right"),
        ("lines.rate", "right hide-phone"),
        ("lines.answered", "right"),
        ("lines.failure", "hide-phone"),
    )
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    body = [_trunk(words, trunk) for trunk in trunks]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows")
    return panel("path", words("lines.trunks"), tag("div", table, cls="scroll"), inset=False)


def _trunk(words: Words, trunk: TrunkView) -> Markup:
    order = words("lines.order", priority=trunk.priority, weight=trunk.weight)
    rate = trunk.answer_rate
    placed = words("lines.tried", tried=trunk.tried, answered=trunk.answered)
    inbound = words("lines.inbound", count=trunk.inbound)
    return tag(
        "tr",
        tag("td", tag("b", trunk.name), tag("span", trunk.address, cls="sub num"), tag("span", order, cls="sub")),
        tag("td", tag("div", *_state(words, trunk), cls="chips")),
        tag("td", tag("b", f"{trunk.used}/{trunk.channels}"), tag("span", inbound, cls="sub"), cls="num right"),
        tag("td", f"{trunk.per_second:.1f}/{trunk.most_per_second:g}", cls="num right hide-phone"),
        tag("td", "—" if rate is None else f"{rate:.0%}", tag("span", placed, cls="sub"), cls="num right"),
        tag("td", *_failure(words, trunk), cls="hide-phone"),
    )


def _state(words: Words, trunk: TrunkView) -> list[Markup]:
    state = words(f"lines.{trunk.state}", seconds=trunk.paused_s)
    chips = [tag("span", state, cls=f"chip dot {_TONES.get(trunk.state, 'bad')}")]
    if trunk.registration != "not_needed":
        tone = _REGISTRATION_TONES.get(trunk.registration, "")
        chips.append(tag("span", words(f"lines.registration.{trunk.registration}"), cls=f"chip {tone}"))
    return chips


def _failure(words: Words, trunk: TrunkView) -> list[Markup | str]:
    if not trunk.last_failure:
        return ["—"]
    below = " · ".join((words.moment(trunk.last_failure_at), words("lines.failed", count=trunk.failed)))
    return [trunk.last_failure, tag("span", below, cls="sub num")]


def _workers(words: Words, workers: Sequence[WorkerView]) -> Markup:
    rows = []
    for worker in workers:
        takes = ("good", "lines.admits") if worker.admits else ("bad", "lines.overloaded")
        brain = ("good", "lines.brain.up") if worker.brain_alive else ("bad", "lines.brain.down")
        chips = [tag("span", words(key), cls=f"chip dot {tone}") for tone, key in (takes, brain)]
        late = words("lines.late", share=f"{worker.late_share:.2%}")
        lag = words("lines.lag", ms=worker.brain_lag_ms)
        overloads = words("lines.overloads", count=worker.overloads) if worker.overloads else None
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", worker.name), cls="num"),
                tag("td", tag("div", *chips, cls="chips")),
                tag("td", tag("b", worker.calls), cls="num right"),
                tag("td", late, tag("span", lag, cls="sub"), tag("span", overloads, cls="sub") if overloads else None),
            )
        )
    names = (("lines.workers", ""), ("col.state", ""), ("lines.calls", "right"), ("", ""))
    heads = [tag("th", words(name) if name else "", cls=cls) for name, cls in names]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("live", words("lines.workers"), tag("div", table, cls="scroll"), inset=False)
