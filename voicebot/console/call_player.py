"""Call player: the sound of both sides of a call with lanes under it, and the badge that verifies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from voicebot.console.chips import emotion_class
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.queries import CallRow
from voicebot.console.shell import empty, panel
from voicebot.console.story import CallStory, Line
from voicebot.console.transcript import clock
from voicebot.console.words import Words

_SPEEDS = ("0.75", "1", "1.25", "1.5", "1.75", "2")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on a lane from `start_ms` to `end_ms`; `cls` gives it its colour."""

    start_ms: int
    end_ms: int
    text: str
    cls: str = ""
    title: str = ""


def call_player(
    words: Words, row: CallRow, story: CallStory, lanes: Sequence[tuple[str, Sequence[Mark]]] = (), share: bool = False
) -> Markup:
    """Waveform of both sides, lanes under it, and the controls; `lanes` are more of them, as (name, marks)."""
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
        _skip(words),
        _share(words) if share else None,
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
    drawn = _lanes(words, story, duration, lanes)
    return tag(
        "section",
        cap,
        stage,
        drawn,
        controls,
        _consultation(words, base) if story.people.consulted else None,
        cls="panel player",
        data_player=True,
        data_peaks=f"{base}/peaks",
        data_duration=duration,
    )


def _consultation(words: Words, base: str) -> Markup:
    """The third channel: as long as the call, so that its clock is the call's."""
    sound = tag("audio", src=f"{base}/consultation", controls=True, preload="none", data_consultation=True)
    return tag("div", tag("span", words("call.consultation"), cls="muted"), sound, cls="line wraps in")


def _skip(words: Words) -> Markup:
    box = tag("input", type="checkbox", data_skip=True)
    return tag("label", box, words("player.skip"), cls="line skip")


def _share(words: Words) -> Markup:
    done = words("player.shared")
    return tag("button", icon("right"), words("player.share"), cls="btn small", data_share=True, data_done=done)


def _lanes(
    words: Words, story: CallStory, duration_ms: int, more: Sequence[tuple[str, Sequence[Mark]]]
) -> Markup | None:
    """What the callee felt and meant, under the sound where it was said."""
    heard = sorted((line for line in story.lines if line.speaker == "caller"), key=lambda line: line.start_ms)
    if not heard and not any(marks for _, marks in more):
        return None
    ends = [*(line.start_ms for line in heard[1:]), duration_ms]
    emotions, intents = [], []
    for line, end in zip(heard, ends, strict=True):
        place = _place(line.start_ms, end, duration_ms)
        if line.emotion and line.emotion != "neutral":
            emotions.append(_mark(line, place, words(line.emotion), emotion_class(line.emotion)))
        if line.intents:
            intents.append(_mark(line, place, words.intent(line.intents[0]), ""))
    rows = [("call.lane.emotion", "lane", emotions), ("call.lane.intent", "lane intents", intents)]
    rows += [(name, "lane", [_drawn(mark, duration_ms) for mark in marks]) for name, marks in more if marks]
    return tag(
        "div",
        *((tag("span", words(name), cls="lane-name"), tag("div", *marks, cls=cls)) for name, cls, marks in rows),
        cls="lanes",
    )


def _drawn(mark: Mark, duration_ms: int) -> Markup:
    place = _place(mark.start_ms, max(mark.start_ms, mark.end_ms), duration_ms)
    return tag("span", mark.text, cls=mark.cls, style=place, title=mark.title or mark.text, data_seek=mark.start_ms)


def _place(start_ms: int, end_ms: int, duration_ms: int) -> str:
    """A mood and a meaning hold until the callee speaks again."""
    left = 100 * start_ms / duration_ms
    return f"left:{left:.2f}%;width:{max(0.4, 100 * end_ms / duration_ms - left - 0.25):.2f}%"


def _mark(line: Line, place: str, text: str, cls: str) -> Markup:
    return tag("span", text, cls=cls, style=place, title=f"{text} · {line.text}", data_seek=line.start_ms)


def evidence_panel(words: Words, row: CallRow) -> Markup:
    """Verify on click, now, from the bundle; and the bundle itself."""
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
