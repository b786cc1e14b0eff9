"""CallStory: what a call's journal tells, folded fact by fact, for the live cards and the call page alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from voicebot.console.journal_values import first_text, label, text_of, whole
from voicebot.console.people_story import People, meet
from voicebot.console.queries import PromiseView
from voicebot.domain.journal import Fact, FactKind


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance. Times are milliseconds of recorded audio; `open` while it is still being spoken."""

    speaker: str
    text: str
    start_ms: int
    end_ms: int
    open: bool = False
    interrupted: bool = False
    node: str = ""
    intents: tuple[str, ...] = ()
    emotion: str | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of the call script."""

    from_node: str
    to_node: str
    branch: str
    why: str
    ms: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Something worth a point on the timeline: a fact kind and who or what it was about."""

    kind: FactKind
    ms: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call so far. `stage` is dialling, ringing, talking, transferring, agent or ended."""

    stage: str = "dialling"
    lines: tuple[Line, ...] = ()
    hearing: str = ""
    emotion: str | None = None
    node: str = ""
    verified: bool = False
    danger: bool = False
    promise: PromiseView | None = None
    disposition: str | None = None
    why: str = ""
    answered_at: dt.datetime | None = None
    steps: tuple[Step, ...] = ()
    moments: tuple[Moment, ...] = ()
    latencies_ms: tuple[int, ...] = ()
    last_ms: int = 0
    seq: int = -1
    people: People = field(default_factory=People)


def tell(facts: Iterable[Fact]) -> CallStory:
    """Fold a whole journal."""
    story = CallStory()
    for fact in facts:
        story = advance(story, fact)
    return story


def advance(story: CallStory, fact: Fact) -> CallStory:
    """The story after one more fact; kinds this page does not tell only move the time on."""
    seq = story.seq if fact.kind is FactKind.HEARING else max(story.seq, fact.seq)
    story = replace(story, last_ms=max(story.last_ms, fact.ms), seq=seq, people=meet(story.people, fact))
    if fact.kind in _MOMENTS:
        detail = first_text(fact.data, *_DETAILS.get(fact.kind, ("why", "agent", "reason")))
        story = replace(story, moments=(*story.moments, Moment(fact.kind, fact.ms, detail)))
    if fact.kind in _STAGES:
        story = replace(story, stage=_STAGES[fact.kind])
    step = _STEPS.get(fact.kind)
    return step(story, fact) if step else story


def _answered(story: CallStory, fact: Fact) -> CallStory:
    return replace(story, answered_at=dt.datetime.fromisoformat(fact.at))


def _hearing(story: CallStory, fact: Fact) -> CallStory:
    return replace(story, hearing=text_of(fact.data, "text"))


def _heard(story: CallStory, fact: Fact) -> CallStory:
    text = text_of(fact.data, "text")
    if not text:
        return replace(story, hearing="")
    end = whole(fact.data, "end_ms", fact.ms)
    line = Line(
        speaker="caller",
        text=text,
        start_ms=whole(fact.data, "start_ms", max(0, end - 250 * len(text))),
        end_ms=end,
    )
    return replace(story, hearing="", lines=(*story.lines, line))


def _agent_heard(story: CallStory, fact: Fact) -> CallStory:
    text = text_of(fact.data, "text")
    if not text:
        return story
    start, end = whole(fact.data, "start_ms", fact.ms), whole(fact.data, "end_ms", fact.ms)
    return replace(story, lines=(*story.lines, Line("agent", text, start, end)))


def _understood(story: CallStory, fact: Fact) -> CallStory:
    emotion = label(fact.data.get("emotion"))
    found = fact.data.get("intents")
    intents = tuple(filter(None, (label(item) for item in found))) if isinstance(found, list | tuple) else ()
    lines = list(story.lines)
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].speaker == "caller":
            lines[index] = replace(lines[index], intents=intents, emotion=emotion)
            break
    danger = story.danger or fact.data.get("danger") is True
    return replace(story, lines=tuple(lines), emotion=emotion or story.emotion, danger=danger)


def _saying(story: CallStory, fact: Fact) -> CallStory:
    line = Line(
        speaker="bot",
        text=text_of(fact.data, "text"),
        start_ms=fact.ms,
        end_ms=fact.ms,
        open=True,
        node=text_of(fact.data, "node"),
        key=text_of(fact.data, "utterance_id"),
    )
    return replace(story, lines=(*story.lines, line), node=line.node or story.node)


def _said(story: CallStory, fact: Fact) -> CallStory:
    key = text_of(fact.data, "utterance_id")
    heard_ms = whole(fact.data, "heard_ms", 0)
    closed = {
        "open": False,
        "interrupted": fact.data.get("interrupted") is True,
    }
    lines = list(story.lines)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line.key and line.key == key:
            # What was said counts from when it left us, so the end is the surer of the two times.
            start = max(line.start_ms, fact.ms - heard_ms) if heard_ms else line.start_ms
            lines[index] = replace(line, start_ms=start, end_ms=max(fact.ms, start), **closed)  # type: ignore[arg-type]
            return replace(story, lines=tuple(lines))
    line = Line(
        speaker="bot",
        text=text_of(fact.data, "text"),
        start_ms=max(0, fact.ms - heard_ms),
        end_ms=fact.ms,
        interrupted=closed["interrupted"],
        node=text_of(fact.data, "node"),
        key=key,
    )
    return replace(story, lines=(*story.lines, line), node=line.node or story.node)


def _decided(story: CallStory, fact: Fact) -> CallStory:
    names = [text_of(fact.data, key) for key in ("from_node", "to_node", "branch", "why")]
    step = Step(names[0], names[1], names[2], names[3], fact.ms)
    return replace(story, steps=(*story.steps, step), node=step.to_node or story.node)


def _promised(story: CallStory, fact: Fact) -> CallStory:
    try:
        date = dt.date.fromisoformat(text_of(fact.data, "date"))
    except ValueError:
        return story
    confirmed = fact.data.get("confirmed") is True
    promise = PromiseView(date=date, amount_fen=whole(fact.data, "amount_fen", 0), confirmed=confirmed)
    return replace(story, promise=promise)


def _verified(story: CallStory, fact: Fact) -> CallStory:
    return replace(story, verified=True)


def _latency(story: CallStory, fact: Fact) -> CallStory:
    return replace(story, latencies_ms=(*story.latencies_ms, whole(fact.data, "turn_ms", 0)))


def _disposed(story: CallStory, fact: Fact) -> CallStory:
    known = text_of(fact.data, "disposition") or None
    return replace(story, disposition=known, why=text_of(fact.data, "why"))


_STEPS: Mapping[FactKind, Callable[[CallStory, Fact], CallStory]] = {
    FactKind.ANSWERED: _answered,
    FactKind.HEARING: _hearing,
    FactKind.HEARD: _heard,
    FactKind.AGENT_HEARD: _agent_heard,
    FactKind.UNDERSTOOD: _understood,
    FactKind.SAYING: _saying,
    FactKind.SAID: _said,
    FactKind.DECIDED: _decided,
    FactKind.PROMISED: _promised,
    FactKind.VERIFIED: _verified,
    FactKind.LATENCY: _latency,
    FactKind.DISPOSITION: _disposed,
}

_STAGES: Mapping[FactKind, str] = {
    FactKind.RINGING: "ringing",
    FactKind.EARLY_MEDIA: "ringing",
    FactKind.ANSWERED: "talking",
    FactKind.TRANSFER_STARTED: "transferring",
    FactKind.JOINED: "agent",
    FactKind.TRANSFER_FAILED: "talking",
    FactKind.AGENT_LEFT: "talking",
    FactKind.ENDED: "ended",
}

HANDOVER = (
    FactKind.PAGED,
    FactKind.TRANSFER_STARTED,
    FactKind.AGENT_RINGING,
    FactKind.AGENT_ANSWERED,
    FactKind.BRIEFED,
    FactKind.AGENT_ACCEPTED,
    FactKind.JOINED,
    FactKind.AGENT_HOLD,
    FactKind.CONSULT_STARTED,
    FactKind.CONSULT_ENDED,
    FactKind.SUPERVISOR_JOINED,
    FactKind.SUPERVISOR_LEFT,
    FactKind.GATE_ALERT,
    FactKind.REFERRED,
    FactKind.AGENT_LEFT,
    FactKind.TRANSFER_FAILED,
)
"""The kinds that make the hand-over timeline."""

_DETAILS: Mapping[FactKind, tuple[str, ...]] = {
    FactKind.BRIEFED: ("text", "agent"),
    FactKind.NOTE: ("text",),
    FactKind.TRUNK_TRIED: ("trunk", "reason"),
    FactKind.AGENT_RINGING: ("name", "agent"),
    FactKind.JOINED: ("name", "agent"),
    FactKind.SUPERVISOR_JOINED: ("mode", "agent"),
    FactKind.SUPERVISOR_LEFT: ("mode", "agent"),
    FactKind.CONSULT_STARTED: ("target",),
    FactKind.CONSULT_ENDED: ("target",),
    FactKind.REFERRED: ("target",),
    FactKind.GATE_ALERT: ("text",),
    FactKind.DTMF: ("digit",),
    FactKind.ANSWERED_BY: ("cue", "kind"),
    FactKind.VERIFIED: ("by",),
    FactKind.STOPPED: ("reason", "scope"),
    FactKind.CALLBACK_BOOKED: ("at", "reason"),
    FactKind.ENDED: ("reason", "by"),
    FactKind.BRAIN_LOST: ("silent_ms",),
}
"""Which of a fact's values says most; the agent, the reason or the why of all others."""

_MOMENTS = frozenset(
    {
        *HANDOVER,
        FactKind.TRUNK_TRIED,
        FactKind.RINGING,
        FactKind.ANSWERED,
        FactKind.ANSWERED_BY,
        FactKind.VERIFIED,
        FactKind.PROMISED,
        FactKind.CALLBACK_BOOKED,
        FactKind.STOPPED,
        FactKind.DTMF,
        FactKind.BRAIN_LOST,
        FactKind.BRAIN_BACK,
        FactKind.NOTE,
        FactKind.ENDED,
    }
)
