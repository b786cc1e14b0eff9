"""/calls/{id} - one call: its sound, words, path, promise, hand-over and evidence."""

from __future__ import annotations

import statistics

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.call_player import call_player, evidence_panel
from voicebot.console.chips import disposition_chip, stage_chip, verified_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown, story_shown
from voicebot.console.pages.running import hang_up_button
from voicebot.console.queries import CallRow
from voicebot.console.scriptpath import drawn_path
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.story import HANDOVER, CallStory, Moment, tell
from voicebot.console.transcript import clock, transcript
from voicebot.console.words import Words
from voicebot.domain.journal import FactKind

REDRAW_S = 0.4
_BAD = frozenset({FactKind.TRANSFER_FAILED, FactKind.BRAIN_LOST, FactKind.PAGED, FactKind.GATE_ALERT})


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/calls/{call_id}", response_timeout=10)
    async def call(call_id: str, request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        row = await console.data.call(call_id)
        with shell(console, visit, "/calls", words("call.title"), ("player.js",)):
            if row is None:
                missing = words("not_found.call", id=call_id)
                markup(tag("section", empty("search", words("not_found"), missing), cls="panel"))
                return
            ending = hang_up_button(words, row) if row.running and visit.who.may("campaigns") else None
            markup(heading(*_title(words, row), ending, back=("/calls", words("calls.title"))))
            story = tell(await console.data.facts(call_id))
            page = markup(call_page(words, row, story))
            if row.running:
                _follow(console, words, row, story.seq, page)


def _follow(console: Console, words: Words, row: CallRow, seq: int, page: ui.html) -> None:
    """Keep the page of a running call current, and read it anew once the call has ended."""
    seen = [seq, ""]

    def redraw() -> None:
        if all(call.call_id != row.call_id for call in console.board.calls):
            if console.board.version and seen[0] != "over":
                seen[0] = "over"
                ui.run_javascript("setTimeout(() => location.reload(), 1500)")
            return
        story = console.board.story(row.call_id)
        if seen != [story.seq, story.hearing]:
            seen[:] = [story.seq, story.hearing]
            page.content = call_page(words, row, story)

    ui.timer(REDRAW_S, redraw)


def _title(words: Words, row: CallRow) -> tuple[str, str]:
    name = name_shown(row.debtor_name) or words("unknown_caller")
    below = " · ".join(filter(None, (words.moment(row.started_at), row.number_masked, row.case_id)))
    return name, below


def call_page(words: Words, row: CallRow, story: CallStory) -> Markup:
    """Everything below the heading."""
    story = story_shown(story, row.debtor_name)
    hint = words("call.transcript.hint") if row.bundle else ""
    said = panel(
        "calls",
        words("call.transcript"),
        transcript(words, story),
        hint=hint,
        inset=False,
        cls="transcript-panel",
    )
    left = tag("div", None if row.running else call_player(words, row, story), said)
    right = tag(
        "div",
        _summary(words, row, story),
        _promise(words, row, story),
        evidence_panel(words, row),
        _handover(words, story),
        _events(words, story),
        panel("path", words("call.path"), tag("div", drawn_path(words, story.steps), cls="path")),
    )
    return tag("div", left, right, cls="call")


def _summary(words: Words, row: CallRow, story: CallStory) -> Markup:
    disposition = row.disposition or story.disposition
    state = stage_chip(words, story.stage) if row.running else disposition_chip(words, disposition)
    danger = tag("span", icon("alert"), words("danger"), cls="chip bad") if story.danger else None
    verified = verified_chip(words, row.verified or story.verified)
    delay = f"{round(statistics.median(story.latencies_ms))} ms" if story.latencies_ms else None
    case = tag("a", row.case_id, href=f"/cases/{row.case_id}") if row.case_id else None
    entries: tuple[tuple[str, Child], ...] = (
        ("call.why", words.explain(story.why) if story.why else None),
        ("col.length", words.length(row.duration_s) if row.duration_s else None),
        ("call.direction", words(row.direction)),
        ("col.case", case),
        ("call.script", row.script or None),
        ("call.campaign", row.campaign),
        ("call.latency", delay),
        ("call.id", tag("code", row.call_id)),
    )
    rows = [tag("div", tag("dt", words(name)), tag("dd", value)) for name, value in entries if value]
    person = tag("span", icon("person"), words("today.handoffs"), cls="chip accent") if row.handoff else None
    outcome = tag("div", state, verified, person, danger, cls="outcome")
    return panel("info", words("call.summary"), outcome, tag("dl", *rows, cls="facts"))


def _promise(words: Words, row: CallRow, story: CallStory) -> Markup | None:
    promise = row.promise or story.promise
    if promise is None:
        return None
    confirmed = promise.confirmed or bool(story.promise and story.promise.confirmed)
    key = "call.promise.confirmed" if confirmed else "call.promise.unconfirmed"
    mark = tag(
        "span",
        icon("check") if confirmed else None,
        words(key),
        cls=f"chip {'good' if confirmed else 'warn'}",
    )
    return panel(
        "promise",
        words("call.promise"),
        tag("p", words.money(promise.amount_fen), cls="promise-sum num"),
        tag("p", words.date(promise.date), cls="promise-date"),
        mark,
    )


def _handover(words: Words, story: CallStory) -> Markup | None:
    moments = [moment for moment in story.moments if moment.kind in HANDOVER]
    if not moments:
        return None
    entries = [_moment(words, moment) for moment in moments]
    return panel("person", words("call.handover"), tag("ol", *entries, cls="timeline"))


def _events(words: Words, story: CallStory) -> Markup | None:
    """What else happened, from the first ringing to who hung up."""
    moments = [moment for moment in story.moments if moment.kind not in HANDOVER]
    if not moments:
        return None
    return panel("live", words("call.events"), tag("ol", *(_moment(words, m) for m in moments), cls="timeline"))


def _moment(words: Words, moment: Moment) -> Markup:
    name = tag("span", words(f"fact.{moment.kind.value}"))
    detail = tag("small", words.explain(moment.detail)) if moment.detail else None
    cls = "bad" if moment.kind in _BAD else ""
    return tag("li", tag("div", name, detail, cls="grow"), tag("time", clock(moment.ms)), cls=cls)
