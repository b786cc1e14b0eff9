"""/segments - the cases by stage, amount, risk and creditor, in named parts; their definitions, scores and people."""

from __future__ import annotations

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.pages.strategies import editor, new_policy, nothing, versions
from voicebot.console.segment_drawing import (
    backtest_panel,
    card_panel,
    portrait_panels,
    segment_cards,
    sharing_form,
)
from voicebot.console.shell import Console, Visit, heading, markup, shell, visit_of
from voicebot.domain.campaign import Segment
from voicebot.strategy.policies import Kind

SCRIPTS = ("campaigns.js",)
BACKTEST_DAYS, BACKTEST_CASES = 30, 5000
"""What the page shows; the command line tests on every case."""
BLANK = "title: {name}\noverdue_days: [30, 60]\namount_yuan: [5000, 10000]\n"


def register(console: Console) -> None:
    """Add both pages."""

    @ui.page("/segments", response_timeout=20)
    async def segments(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        policies = await console.data.campaigning.policies()
        drawn = await _overview(console, visit, None)
        tested = await console.data.campaigning.backtest(BACKTEST_DAYS, BACKTEST_CASES)
        with shell(console, visit, "/segments", words("segments.title"), SCRIPTS):
            markup(heading(words("segments.title"), words("segments.lead")))
            markup(drawn)
            card = policies.sources[Kind.SCORECARD, "standard"]
            version = policies.versions.get((Kind.SCORECARD, "standard"), 0)
            below = (
                card_panel(words, policies.scorecard),
                backtest_panel(words, tested),
                editor(words, "scorecard", "standard", card, version),
                new_policy(words, "segments"),
            )
            markup(tag("div", *below, cls="stack", style="margin-top:16px"))

    @ui.page("/segments/{segment_id}", response_timeout=20)
    async def segment(segment_id: str, request: Request) -> None:
        visit = visit_of(request)
        words, data = visit.words, console.data.campaigning
        policies = await data.policies()
        named = policies.segments.get(segment_id)
        source = policies.sources.get((Kind.SEGMENT, segment_id)) or BLANK.format(name=segment_id)
        version = policies.versions.get((Kind.SEGMENT, segment_id), 0)
        drawn = await _overview(console, visit, segment_id)
        people, history = await data.holders(), await data.history(Kind.SEGMENT, segment_id)
        with shell(console, visit, "/segments", words("segments.title"), SCRIPTS):
            start = tag("a", icon("play"), words("segments.start"), href=f"/campaigns?segment={segment_id}", cls="btn")
            back = ("/segments", words("segments.title"))
            if named is None:
                markup(heading(segment_id, words("segments.lead"), back=back))
                markup(nothing(words, segment_id))
            else:
                markup(heading(named.title, words("segments.lead"), start, back=back))
                markup(drawn)
            form = sharing_form(words, segment_id, people) if named is not None else None
            text = editor(words, "segments", segment_id, source, version)
            markup(tag("div", form, text, versions(words, history), cls="stack", style="margin-top:16px"))


async def _overview(console: Console, visit: Visit, chosen: str | None) -> Markup:
    """The cards, and the chosen one (or everything) parted four ways."""
    data = console.data.campaigning
    policies, rows = await data.policies(), await data.segments()
    whole = await data.portrait(Segment())
    named = policies.segments.get(chosen) if chosen else None
    shown = await data.portrait(named.segment) if named else whole
    cards = segment_cards(visit.words, rows, (whole.cases, whole.amount_fen), chosen)
    return tag("div", cards, portrait_panels(visit.words, shown, policies.ladder))
