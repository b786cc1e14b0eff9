"""/review/{id} - the reviewer's workbench: hear, read, judge and score one call without touching the mouse."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.call_player import call_player, evidence_panel
from voicebot.console.markup import tag
from voicebot.console.masking import name_shown, story_shown, text_shown
from voicebot.console.quality_api import STANDARD
from voicebot.console.quality_data import CallQuality
from voicebot.console.queries import CallRow
from voicebot.console.scriptpath import drawn_path
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.story import CallStory, tell
from voicebot.console.transcript import transcript
from voicebot.console.workbench_parts import (
    comments_panel,
    findings_panel,
    keys_line,
    lanes,
    reviews_panel,
    score_form,
)
from voicebot.domain.quality import Review, Round
from voicebot.quality.scorecard import Scorecard


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/review/{call_id}", response_timeout=15)
    async def workbench(call_id: str, request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        row = await console.data.call(call_id)
        with shell(console, visit, "/review", words("bench.title"), ("player.js", "workbench.js")):
            back = ("/review", words("review.title"))
            if row is None or row.running:
                missing = words("not_found.call", id=call_id)
                markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
                return
            markup(heading(name_shown(row.debtor_name) or words("unknown_caller"), _below(visit, row), back=back))
            markup(keys_line(words))
            card_name = request.query_params.get("card", STANDARD)
            review, card = await _review(console, visit, call_id, card_name)
            story = story_shown(tell(await console.data.facts(call_id)), row.debtor_name)
            quality = quality_shown(await console.data.quality.of_call(call_id), row.debtor_name)
            with ui.element("div").classes("call bench"):
                with ui.element("div"):
                    player = markup(_heard(visit, row, story, quality))
                with ui.element("div"):
                    markup(score_form(words, card, review))
                    judged = markup(_judged(visit, row, quality, review))
                    markup(evidence_panel(words, row))
                    path = tag("div", drawn_path(words, story.steps), cls="path")
                    markup(panel("path", words("call.path"), path))

        async def redraw() -> None:
            now = quality_shown(await console.data.quality.of_call(call_id), row.debtor_name)
            judged.content = _judged(visit, row, now, review)

        player.on("command-done", redraw)
        ui.on("quality", redraw)


async def _review(console: Console, visit: Visit, call_id: str, name: str) -> tuple[Review, Scorecard]:
    """The review to fill in, and its scorecard; one that is gone becomes the standard one."""
    data = console.data.quality
    known = data.cards()
    review = await data.open_review(call_id, visit.who.username, name if name in known else STANDARD)
    return review, known.get(review.scorecard, known[STANDARD])


def quality_shown(quality: CallQuality, name: str) -> CallQuality:
    """What was found and noted, as whoever looks may see it."""
    check = quality.check
    if check is not None:
        findings = tuple(replace(found, text=text_shown(found.text, name)) for found in check.findings)
        check = replace(check, findings=findings)
    comments = [replace(comment, text=text_shown(comment.text, name)) for comment in quality.comments]
    return replace(quality, check=check, comments=comments)


def _below(visit: Visit, row: CallRow) -> str:
    return " · ".join(filter(None, (visit.words.moment(row.started_at), row.number_masked, row.case_id, row.script)))


def _heard(visit: Visit, row: CallRow, story: CallStory, quality: CallQuality) -> Markup:
    words = visit.words
    said = panel(
        "calls", words("call.transcript"), transcript(words, story), hint=words("call.transcript.hint"),
        inset=False, cls="transcript-panel",
    )  # fmt: skip
    return tag("div", call_player(words, row, story, lanes(words, story, quality), share=True), said, cls="stack")


def _judged(visit: Visit, row: CallRow, quality: CallQuality, review: Review) -> Markup:
    words = visit.words
    return tag(
        "div",
        findings_panel(words, row.call_id, quality),
        comments_panel(words, row.call_id, quality.comments),
        reviews_panel(words, quality.reviews, blind=review.round is not Round.FIRST),
        cls="stack",
    )
