"""Transcript: who said what, as bubbles on a live card and as lines that seek on the call page."""

from __future__ import annotations

from markupsafe import Markup

from voicebot.console.chips import emotion_chip
from voicebot.console.markup import Child, tag
from voicebot.console.shell import empty
from voicebot.console.story import CallStory, Line
from voicebot.console.words import Words

_LIVE_LINES = 14


def bubbles(words: Words, story: CallStory) -> Markup:
    """The last lines of a running call, newest first: the box is upside down, so it stays at its end by itself."""
    if not story.lines and not story.hearing:
        return tag("div", tag("p", words("live.waiting"), cls="waiting"), cls="talk")
    drawn: list[Child] = []
    if story.hearing:
        drawn.append(tag("div", story.hearing, cls="bubble caller open"))
    for line in reversed(story.lines[-_LIVE_LINES:]):
        opened = " open" if line.open and line is story.lines[-1] else ""
        drawn.append(tag("div", line.text, cls=f"bubble {line.speaker}{opened}"))
    return tag("div", *drawn, cls="talk", aria_live="polite")


def transcript(words: Words, story: CallStory) -> Markup:
    """All lines in order of beginning; each seeks the player to where it began."""
    if not story.lines and not story.hearing:
        return empty("calls", words("call.transcript.none"), small=True)
    lines = [_line(words, line) for line in sorted(story.lines, key=lambda line: line.start_ms)]
    if story.hearing:
        hearing = tag("span", story.hearing, cls="said muted")
        by = tag("span", words("speaker.caller"), cls="by")
        lines.append(tag("li", tag("time", clock(story.last_ms)), by, hearing, cls="caller"))
    return tag("ol", *lines, cls="transcript")


def clock(ms: int) -> str:
    """Minutes and seconds from the beginning of the recording."""
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def _line(words: Words, line: Line) -> Markup:
    tags: list[Child] = [tag("span", words.intent(name), cls="chip") for name in line.intents[:2]]
    if line.emotion and line.emotion != "neutral":
        tags.append(emotion_chip(words, line.emotion))
    if line.interrupted:
        tags.append(tag("span", words("call.interrupted"), cls="chip warn"))
    said = tag("span", line.text, tag("span", *tags, cls="tags") if tags else None, cls="said")
    return tag(
        "li",
        tag("time", clock(line.start_ms)),
        tag("span", words(f"speaker.{line.speaker}"), cls="by"),
        said,
        cls=line.speaker,
        data_line=True,
        data_seek=line.start_ms,
        data_start=line.start_ms,
        data_end=line.end_ms,
    )
