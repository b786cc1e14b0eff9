"""/promises - a month of promises drawn as a calendar: what is due, kept and broken on each day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.follow_data import PromiseDay
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.masking import name_shown
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.records import PromiseState

TONES = {"kept": "good", "partly_kept": "warn", "broken": "bad", "open": ""}


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/promises", response_timeout=10)
    async def promises(request: Request, month: str = "", day: str = "") -> None:
        visit = visit_of(request)
        words = visit.words
        today = console.data.follow.today()
        first = _first(month, today)
        days = await console.data.follow.month(first.year, first.month)
        with shell(console, visit, "/promises", words("promises.title")):
            markup(heading(words("promises.title"), words("promises.lead"), *_turns(words, first, today)))
            markup(figures(words, days, today))
            markup(calendar(words, days, today, day))
            chosen = next((one for one in days if one.day.isoformat() == day), None)
            if chosen is not None:
                markup(day_panel(words, chosen))


def _first(month: str, today: dt.date) -> dt.date:
    """The first of the month that the address names; this one for anything else."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", month)
    if found is None or not (1970 <= int(found[1]) <= 9998 and 1 <= int(found[2]) <= 12):
        return today.replace(day=1)
    return dt.date(int(found[1]), int(found[2]), 1)


def _turns(words: Words, first: dt.date, today: dt.date) -> list[Markup]:
    before, after = first - dt.timedelta(days=1), first + dt.timedelta(days=32)
    this = words("promises.month", year=first.year, month=first.month)
    return [
        tag("a", icon("left"), href=f"/promises?month={before:%Y-%m}", cls="btn", title=words("promises.before")),
        tag("a", this, href=f"/promises?month={today:%Y-%m}", cls="btn", title=words("promises.this")),
        tag("a", icon("right"), href=f"/promises?month={after:%Y-%m}", cls="btn", title=words("promises.after")),
    ]


def figures(words: Words, days: Sequence[PromiseDay], today: dt.date) -> Markup:
    """Four sums of the month."""
    due, paid = sum(day.promised_fen for day in days), sum(day.paid_fen for day in days)
    over = [one.promise for day in days for one in day.due if one.promise.state is not PromiseState.OPEN]
    settled = sum(promise.amount_fen for promise in over)
    kept = sum(promise.amount_fen if promise.state is PromiseState.KEPT else promise.paid_fen for promise in over)
    count = words("promises.count", count=sum(len(day.due) for day in days))
    broken = sum(day.broken_fen for day in days)
    late = words("promises.count", count=sum(promise.state in (PromiseState.BROKEN, PromiseState.PARTLY_KEPT)
                                             for promise in over))  # fmt: skip
    stats = (
        ("promises.due", words.money(due), count),
        ("promises.paid", words.money(paid), ""),
        ("promises.broken", words.money(broken), late),
        ("promises.rate", f"{kept / settled:.0%}" if settled else "—", words("promises.rate.lead")),
    )
    boxes = [tag("div", tag("span", words(key)), tag("b", sum_), tag("small", lead), cls="stat")
             for key, sum_, lead in stats]  # fmt: skip
    return tag("section", tag("div", *boxes, cls="stats"), cls="panel month-figures")


def calendar(words: Words, days: Sequence[PromiseDay], today: dt.date, chosen: str) -> Markup:
    """Seven columns, Monday first; a bar in each day shows what was paid, is open, and was broken."""
    names = [tag("div", words.date(dt.date(2024, 1, 1 + n)).split(" ")[-1], cls="month-name") for n in range(7)]
    blank = [tag("div", cls="month-day out") for _ in range(days[0].day.weekday())]
    largest = max((day.promised_fen for day in days), default=0)
    cells = [_cell(words, day, today, chosen, largest) for day in days]
    grid = tag("div", *names, *blank, *cells, cls="month")
    nothing = None if largest else empty("promise", words("promises.none"), small=True)
    return tag("section", grid, nothing, cls="panel")


def _cell(words: Words, day: PromiseDay, today: dt.date, chosen: str, largest: int) -> Markup:
    on = day.day.isoformat()
    cls = "month-day" + (" today" if day.day == today else "") + (" chosen" if on == chosen else "")
    head = tag("div", tag("b", day.day.day), tag("span", len(day.due) or ""), cls="month-head")
    if not day.due:
        return tag("div", head, cls=cls)
    rest = max(0, day.promised_fen - day.paid_fen - day.broken_fen)
    parts = (("good", day.paid_fen), ("open", rest), ("bad", day.broken_fen))
    bar = [tag("i", cls=f"part {tone}", style=f"flex:{fen}") for tone, fen in parts if fen]
    width = max(8, round(100 * day.promised_fen / largest))
    title = " · ".join(f"{words('promises.' + key)} {words.money(fen)}" for key, fen in (
        ("due", day.promised_fen), ("paid", day.paid_fen), ("open", rest), ("broken", day.broken_fen)))  # fmt: skip
    lost = tag("span", words.money(day.broken_fen), cls="month-lost") if day.broken_fen else None
    return tag(
        "a",
        head,
        tag("div", words.money(day.promised_fen), cls="month-sum"),
        lost,
        tag("div", *bar, cls="month-bar", style=f"width:{width}%"),
        href=f"/promises?month={day.day:%Y-%m}&day={on}#day",
        cls=cls,
        title=title,
    )


def day_panel(words: Words, day: PromiseDay) -> Markup:
    """The promises of one day."""
    title = words("promises.day", date=words.date(day.day))
    if not day.due:
        nothing = empty("promise", words("promises.day.none"), small=True)
        return tag("div", panel("promise", title, nothing, inset=False), id="day")
    names = (("promises.col.case", ""), ("promises.col.amount", "right"), ("promises.paid", "right"), ("col.state", ""))
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    rows = []
    for one in day.due:
        promise = one.promise
        state = promise.state.value
        name = tag("a", name_shown(one.debtor_name), href=f"/cases/{promise.case_id}", cls="cover")
        rows.append(tag(
            "tr",
            tag("td", name, tag("span", promise.case_id, cls="sub num")),
            tag("td", words.money(promise.amount_fen), cls="num right"),
            tag("td", words.money(promise.paid_fen) if promise.paid_fen else "—", cls="num right"),
            tag("td", tag("span", words(f"promise.{state}"), cls=f"chip dot {TONES.get(state, '')}")),
        ))  # fmt: skip
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return tag("div", panel("promise", title, tag("div", table, cls="scroll"), inset=False), id="day")
