"""/campaigns - what is being dialled: start, stop and progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from markupsafe import Markup
from nicegui import events, ui

from voicebot.console.campaign_values import CampaignIn
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.queries import CampaignRow
from voicebot.console.shell import Console, Visit, blank, empty, heading, markup, panel, shell, visit_of
from voicebot.console.what_if_drawing import what_if_panel
from voicebot.console.words import Words
from voicebot.domain.campaign import CampaignState
from voicebot.domain.pace import CampaignMode
from voicebot.domain.strategy import Strategy
from voicebot.strategy.policies import Policies

REDRAW_S = 2.0
SCRIPTS = ("campaigns.js",)


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/campaigns", response_timeout=10)
    async def campaigns(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        data = console.data.campaigning
        drawn = campaign_list(visit, await data.all())
        scripts, policies = await data.scripts(), await data.policies()
        chosen = request.query_params.get("segment")
        with shell(console, visit, "/campaigns", words("campaigns.title"), SCRIPTS):
            markup(heading(words("campaigns.title"), words("campaigns.lead")))
            markup(new_campaign(words, scripts, policies, chosen))
            foreseen = blank()
            listed = markup(drawn)

            async def redraw() -> None:
                listed.content = campaign_list(visit, await data.all())

            async def foresee(event: events.GenericEventArguments) -> None:
                foreseen.content = await _foreseen(console, words, event.args)

            ui.on("what_if", foresee)
            ui.timer(REDRAW_S, redraw)


async def _foreseen(console: Console, words: Words, asked: Mapping[str, Any]) -> Markup:
    """How today would go with what stands in the form, or with a campaign that is there."""
    data = console.data.campaigning
    try:
        if "campaign" in asked:
            return what_if_panel(words, await data.what_if_started(str(asked["campaign"])))
        return what_if_panel(words, await data.what_if(CampaignIn.model_validate(asked["values"]).wish()))
    except (ValueError, LookupError) as wrong:
        return panel("alert", words("what_if.title"), tag("p", str(wrong), cls="wrong", role="alert"))


def campaign_list(visit: Visit, rows: Sequence[CampaignRow]) -> Markup:
    """All campaigns, the running ones first."""
    words = visit.words
    if not rows:
        link = tag("a", icon("upload"), words("cases.import"), href="/cases", cls="btn")
        nothing = empty("campaigns", words("campaigns.none"), words("campaigns.none.lead"), link)
        return tag("section", nothing, cls="panel")
    ordered = sorted(rows, key=lambda row: not row.active)
    return tag("div", *(_campaign(visit, row) for row in ordered), cls="campaigns")


def new_campaign(words: Words, scripts: Sequence[str], policies: Policies, chosen: str | None = None) -> Markup:
    """A form that unfolds, already if a segment is chosen; what is left empty does not restrict which cases are taken.

    How the day would go stands before the button that makes the campaign.
    """
    options = [tag("option", name, value=name, selected=name == "reminder") for name in scripts]
    name = tag(
        "input", name="name", required=True, maxlength=60, cls="input", placeholder=words("campaigns.name.example")
    )
    fields = (
        tag("label", tag("span", words("campaigns.name")), name, cls="field wide"),
        tag("label", tag("span", words("campaigns.script")), tag("select", *options, name="script", cls="select")),
        _segments(words, policies, chosen),
        _strategies(words, tuple(policies.strategies.values())),
        _modes(words),
        _bounds(words, "campaigns.overdue", "min_overdue_days", "max_overdue_days"),
        _bounds(words, "campaigns.amount", "min_amount_fen", "max_amount_fen", factor=100),
        _hours(words),
        tag("label", tag("span", words("campaigns.concurrency")), _number("max_concurrency", "", 1, "5")),
    )
    foresee = tag("button", icon("chart"), words("what_if"), cls="btn", type="button", data_what_if=True)
    create = tag("button", words("campaigns.create"), cls="btn primary", type="submit")
    done = words("campaigns.created")
    form = tag("form", *fields, foresee, create, cls="in campaign-form", data_form="/api/campaigns", data_done=done)
    summary = tag("summary", icon("campaigns"), tag("h2", words("campaigns.new")), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign", open=chosen is not None)


def _bounds(words: Words, title: str, low: str, high: str, factor: int = 1) -> Markup:
    between = tag("span", "–", cls="faint")
    pair = (_number(low, words("campaigns.any"), factor), between, _number(high, words("campaigns.any"), factor))
    return tag("div", tag("span", words(title)), tag("div", *pair, cls="line"), role="group", aria_label=words(title))


def _segments(words: Words, policies: Policies, chosen: str | None) -> Markup:
    options = [tag("option", words("campaigns.segment.any"), value="")]
    for name, named in policies.segments.items():
        options.append(tag("option", named.title, value=name, selected=name == chosen))
    choice = tag("select", *options, name="segment", cls="select")
    return tag("label", tag("span", words("campaigns.segment")), choice)


def _modes(words: Words) -> Markup:
    options = [tag("option", words(f"mode.{mode.value}"), value=mode.value) for mode in CampaignMode]
    return tag("label", tag("span", words("campaigns.mode")), tag("select", *options, name="mode", cls="select"))


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
    paused = row.state is CampaignState.PAUSED
    state = "campaigns.active" if row.active else "campaigns.paused" if paused else "campaigns.idle"
    chip = tag("span", words(state), cls="chip dot live good" if row.active else "chip dot")
    script = tag("span", f"{words('campaigns.script')} {row.script}", cls="muted")
    hours = tag("span", f"{row.hours[0]:%H:%M}–{row.hours[1]:%H:%M}", cls="muted num") if row.hours else None
    plan = tag("span", f"{words('campaigns.strategy')} {row.strategy}", cls="muted") if row.strategy else None
    part = tag("span", f"{words('campaigns.segment')} {row.segment_id}", cls="muted") if row.segment_id else None
    mode = tag("span", words(f"mode.{row.mode.value}"), cls="muted")
    top = tag("div", tag("b", row.name), chip, script, mode, part, plan, hours, _buttons(visit, row), cls="top")
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


def _buttons(visit: Visit, row: CampaignRow) -> Markup:
    """What today would be like, and after it the button that starts; stop while it runs."""
    words = visit.words
    verb = "stop" if row.active else "start"
    foresee = tag("button", icon("chart"), words("what_if"), cls="btn quiet", data_what_if=row.campaign_id)
    act = tag(
        "button",
        icon("stop" if row.active else "play"),
        words(f"campaigns.{verb}"),
        cls="btn" if row.active else "btn primary",
        data_post=f"/api/campaigns/{row.campaign_id}/{verb}",
        data_done=words("campaigns.stopped" if row.active else "campaigns.started"),
    )
    return tag("div", None if row.active else foresee, act, cls="actions")


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
        count("campaigns.reached", row.reached) if row.strategy else None,
        count("campaigns.held_out", row.held_out) if row.strategy else None,
        cls="counts",
    )


def _outcomes(words: Words, row: CampaignRow) -> Markup | None:
    ranked = sorted(row.dispositions.items(), key=lambda item: -item[1])
    chips = [tag("span", words(name.value), " ", tag("b", count), cls="chip") for name, count in ranked if count]
    return tag("div", *chips, cls="chips") if chips else None
