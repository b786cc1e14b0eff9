"""/campaigns - what is being dialled: start, stop and progress."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.queries import CampaignRow
from voicebot.console.shell import Console, Visit, empty, heading, markup, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.strategy import Strategy

REDRAW_S = 2.0


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/campaigns", response_timeout=10)
    async def campaigns(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        drawn = campaign_list(visit, await console.data.campaigns())
        scripts = await console.data.scripts()
        strategies = await console.data.strategies()
        with shell(console, visit, "/campaigns", words("campaigns.title")):
            markup(heading(words("campaigns.title"), words("campaigns.lead")))
            markup(new_campaign(words, scripts, tuple(strategies.values())))
            listed = markup(drawn)

            async def redraw() -> None:
                listed.content = campaign_list(visit, await console.data.campaigns())

            ui.timer(REDRAW_S, redraw)


def campaign_list(visit: Visit, rows: Sequence[CampaignRow]) -> Markup:
    """All campaigns, the running ones first."""
    words = visit.words
    if not rows:
        link = tag("a", icon("upload"), words("cases.import"), href="/cases", cls="btn")
        nothing = empty("campaigns", words("campaigns.none"), words("campaigns.none.lead"), link)
        return tag("section", nothing, cls="panel")
    ordered = sorted(rows, key=lambda row: not row.active)
    return tag("div", *(_campaign(visit, row) for row in ordered), cls="campaigns")


def new_campaign(words: Words, scripts: Sequence[str], strategies: Sequence[Strategy] = ()) -> Markup:
    """A form that unfolds; what is left empty does not restrict which cases are taken."""
    options = [tag("option", name, value=name, selected=name == "reminder") for name in scripts]
    name = tag(
        "input", name="name", required=True, maxlength=60, cls="input", placeholder=words("campaigns.name.example")
    )
    fields = (
        tag("label", tag("span", words("campaigns.name")), name, cls="field wide"),
        tag("label", tag("span", words("campaigns.script")), tag("select", *options, name="script", cls="select")),
        _strategies(words, strategies),
        _bounds(words, "campaigns.overdue", "min_overdue_days", "max_overdue_days"),
        _bounds(words, "campaigns.amount", "min_amount_fen", "max_amount_fen", factor=100),
        _hours(words),
        tag("label", tag("span", words("campaigns.concurrency")), _number("max_concurrency", "", 1, "5")),
    )
    create = tag("button", words("campaigns.create"), cls="btn primary", type="submit")
    done = words("campaigns.created")
    form = tag("form", *fields, create, cls="in campaign-form", data_form="/api/campaigns", data_done=done)
    summary = tag("summary", icon("campaigns"), tag("h2", words("campaigns.new")), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign")


def _bounds(words: Words, title: str, low: str, high: str, factor: int = 1) -> Markup:
    between = tag("span", "–", cls="faint")
    pair = (_number(low, words("campaigns.any"), factor), between, _number(high, words("campaigns.any"), factor))
    return tag("div", tag("span", words(title)), tag("div", *pair, cls="line"), role="group", aria_label=words(title))


def _strategies(words: Words, strategies: Sequence[Strategy]) -> Markup:
    """At once, or by the days of a strategy; each says which days those are."""
    options = [tag("option", words("campaigns.at_once"), value="")]
    for strategy in strategies:
        days = "、".join(map(str, strategy.days))
        options.append(tag("option", words("campaigns.on_days", title=strategy.title, days=days), value=strategy.id))
    choice = tag("select", *options, name="strategy", cls="select")
    return tag("label", tag("span", words("campaigns.strategy")), choice)


def _hours(words: Words) -> Markup:
    ends = [tag("input", type="time", name=name, cls="input", aria_label=name) for name in ("hours_from", "hours_to")]
    line = tag("div", ends[0], tag("span", "–", cls="faint"), ends[1], cls="line")
    title = words("campaigns.hours")
    return tag("div", tag("span", title), line, role="group", aria_label=title)


def _number(name: str, placeholder: str, factor: int = 1, value: str = "") -> Markup:
    return tag(
        "input",
        type="number",
        name=name,
        min=0,
        step="0.01" if factor > 1 else "1",
        value=value or None,
        cls="input",
        placeholder=placeholder,
        data_factor=factor,
        aria_label=name,
    )


def _campaign(visit: Visit, row: CampaignRow) -> Markup:
    words = visit.words
    state = "campaigns.active" if row.active else "campaigns.idle"
    chip = tag("span", words(state), cls="chip dot live good" if row.active else "chip dot")
    script = tag("span", f"{words('campaigns.script')} {row.script}", cls="muted")
    hours = tag("span", f"{row.hours[0]:%H:%M}–{row.hours[1]:%H:%M}", cls="muted num") if row.hours else None
    plan = tag("span", f"{words('campaigns.strategy')} {row.strategy}", cls="muted") if row.strategy else None
    top = tag("div", tag("b", row.name), chip, script, plan, hours, _button(visit, row), cls="top")
    percent = 100 / row.total if row.total else 0
    bar = tag(
        "div",
        tag("i", style=f"width:{row.done * percent:.2f}%"),
        tag("i", cls="now", style=f"width:{row.running * percent:.2f}%"),
        cls="bar",
        role="progressbar",
        aria_valuenow=row.done,
        aria_valuemin=0,
        aria_valuemax=row.total,
        aria_label=row.name,
    )
    return tag("section", top, bar, _counts(words, row), _outcomes(words, row), cls="panel campaign")


def _button(visit: Visit, row: CampaignRow) -> Markup:
    words = visit.words
    verb = "stop" if row.active else "start"
    return tag(
        "button",
        icon("stop" if row.active else "play"),
        words(f"campaigns.{verb}"),
        cls="btn" if row.active else "btn primary",
        data_post=f"/api/campaigns/{row.campaign_id}/{verb}",
        data_done=words("campaigns.stopped" if row.active else "campaigns.started"),
    )


def _counts(words: Words, row: CampaignRow) -> Markup:
    share = f"{round(100 * row.done / row.total)}%" if row.total else "—"

    def count(name: str, value: Child, cls: str = "") -> Markup:
        return tag("div", tag("span", words(name)), tag("b", value, cls=cls))

    return tag(
        "div",
        count("campaigns.done", f"{row.done} / {row.total} · {share}"),
        count("campaigns.running", row.running),
        count("campaigns.waiting", row.waiting),
        count("campaigns.promised", row.promises, "sum"),
        cls="counts",
    )


def _outcomes(words: Words, row: CampaignRow) -> Markup | None:
    ranked = sorted(row.dispositions.items(), key=lambda item: -item[1])
    chips = [tag("span", words(name.value), " ", tag("b", count), cls="chip") for name, count in ranked if count]
    return tag("div", *chips, cls="chips") if chips else None
