"""/calls/{id} - one call: its sound, words, path, promise, hand-over and evidence."""

from __future__ import annotations

import statistics

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.chips import disposition_chip, emotion_class, stage_chip, verified_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.pages.running import hang_up_button
from voicebot.console.queries import CallRow
from voicebot.console.scriptpath import drawn_path
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.story import HANDOVER, CallStory, Line, Moment, tell
from voicebot.console.transcript import clock, transcript
from voicebot.console.words import Words
from voicebot.domain.journal import FactKind

REDRAW_S = 0.4
_BAD = frozenset({FactKind.TRANSFER_FAILED, FactKind.BRAIN_LOST, FactKind.PAGED, FactKind.GATE_ALERT})
_SPEEDS = ("0.75", "1", "1.25", "1.5", "2")


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
    name = row.debtor_name or words("unknown_caller")
    below = " · ".join(filter(None, (words.moment(row.started_at), row.number_masked, row.case_id)))
    return name, below


def call_page(words: Words, row: CallRow, story: CallStory) -> Markup:
    """Everything below the heading."""
    hint = words("call.transcript.hint") if row.bundle else ""
    said = panel(
        "calls",
        words("call.transcript"),
        transcript(words, story),
        hint=hint,
        inset=False,
        cls="transcript-panel",
    )
    left = tag("div", None if row.running else _player(words, row, story), said)
    right = tag(
        "div",
        _summary(words, row, story),
        _promise(words, row, story),
        _evidence(words, row),
        _handover(words, story),
        _events(words, story),
        panel("path", words("call.path"), tag("div", drawn_path(words, story.steps), cls="path")),
    )
    return tag("div", left, right, cls="call")


def _player(words: Words, row: CallRow, story: CallStory) -> Markup:
    if not row.bundle:
        nothing = empty("calls", words("call.no_audio"), words("call.no_audio.lead"), small=True)
        return tag("section", nothing, cls="panel")
    base = f"/api/calls/{row.call_id}"
    duration = max(1, round(row.duration_s * 1000), story.last_ms)
    stage = tag(
        "div",
        tag("div", cls="skeleton", aria_label=words("loading")),
        tag("canvas", aria_label=words("call.recording")),
        tag("audio", src=f"{base}/audio", preload="metadata"),
        cls="stage",
    )
    play = tag(
        "button",
        tag("span", icon("play"), cls="i-play line"),
        tag("span", icon("pause"), cls="i-pause"),
        cls="btn primary playbtn",
        data_play=True,
        aria_label=words("play"),
    )
    speeds = [tag("option", f"{speed}×", value=speed, selected=speed == "1") for speed in _SPEEDS]
    controls = tag(
        "div",
        play,
        tag("time", f"0:00 / {clock(duration)}", data_clock=True),
        tag("select", *speeds, cls="select", data_speed=True, aria_label=words("speed"), style="width:82px"),
        tag("span", words("keys"), cls="keys"),
        cls="controls",
    )
    legend = tag("span", tag("span", words("speaker.bot"), cls="key"), " ", cls="line")
    cap = tag(
        "div",
        icon("live"),
        tag("h2", words("call.recording")),
        tag("span", legend, tag("span", words("speaker.caller"), cls="key caller"), cls="hint line"),
        cls="cap",
    )
    lanes = _lanes(words, story, duration)
    return tag(
        "section",
        cap,
        stage,
        lanes,
        controls,
        cls="panel player",
        data_player=True,
        data_peaks=f"{base}/peaks",
        data_duration=duration,
    )


def _lanes(words: Words, story: CallStory, duration_ms: int) -> Markup | None:
    """What the callee felt and meant, under the sound where it was said."""
    heard = sorted((line for line in story.lines if line.speaker == "caller"), key=lambda line: line.start_ms)
    if not heard:
        return None
    ends = [*(line.start_ms for line in heard[1:]), duration_ms]
    emotions, intents = [], []
    for line, end in zip(heard, ends, strict=True):
        place = _place(line.start_ms, end, duration_ms)
        if line.emotion and line.emotion != "neutral":
            emotions.append(_mark(line, place, words(line.emotion), emotion_class(line.emotion)))
        if line.intents:
            intents.append(_mark(line, place, words.intent(line.intents[0]), ""))
    return tag(
        "div",
        tag("span", words("call.lane.emotion"), cls="lane-name"),
        tag("div", *emotions, cls="lane"),
        tag("span", words("call.lane.intent"), cls="lane-name"),
        tag("div", *intents, cls="lane intents"),
        cls="lanes",
    )


def _place(start_ms: int, end_ms: int, duration_ms: int) -> str:
    """A mood and a meaning hold until the callee speaks again."""
    left = 100 * start_ms / duration_ms
    return f"left:{left:.2f}%;width:{max(0.4, 100 * end_ms / duration_ms - left - 0.25):.2f}%"


def _mark(line: Line, place: str, text: str, cls: str) -> Markup:
    return tag("span", text, cls=cls, style=place, title=f"{text} · {line.text}", data_seek=line.start_ms)


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


def _evidence(words: Words, row: CallRow) -> Markup:
    if not row.bundle or row.running:
        return panel(
            "shield",
            words("evidence"),
            empty("shield", words("evidence.none"), words("evidence.none.lead"), small=True),
        )
    lines = tag(
        "span",
        tag("b", words("evidence.unchecked"), data_verdict=True, aria_live="polite"),
        tag("span", words("evidence.lead"), cls="faint", style="font-size:12px;display:block;line-height:1.45"),
    )
    badge = tag(
        "button",
        icon("shield", "icon i-good"),
        icon("shield-x", "icon i-bad"),
        lines,
        cls="badge",
        data_verify=f"/api/calls/{row.call_id}/verify",
        data_checking=words("evidence.checking"),
        data_valid=words("evidence.valid"),
        data_invalid=words("evidence.invalid"),
        data_unchecked=words("evidence.unchecked"),
    )
    download = tag(
        "a",
        icon("download"),
        words("evidence.download"),
        href=f"/api/calls/{row.call_id}/bundle",
        cls="btn wide",
        style="margin-top:10px;height:36px",
        download=True,
    )
    failures = tag("ul", cls="failures", data_failures=True)
    return panel("shield", words("evidence"), badge, failures, download)


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
