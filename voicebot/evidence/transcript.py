"""Who said what in a call, read from its journal alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from voicebot.domain.journal import Fact, FactKind


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One utterance; times are milliseconds of the recording, `interrupted` when it was cut short."""

    speaker: str  # bot | caller | agent
    text: str
    start_ms: int
    end_ms: int
    node: str | None = None
    intents: tuple[str, ...] = ()
    emotion: str | None = None
    interrupted: bool = False


def transcript_lines(facts: Iterable[Fact]) -> list[TranscriptLine]:
    """Who said what, in order of beginning."""
    lines: list[TranscriptLine] = []
    began: dict[object, int] = {}
    for fact in facts:
        data = fact.data
        if fact.kind is FactKind.SAYING:
            began[data.get("utterance_id")] = fact.ms
        elif fact.kind is FactKind.SAID:
            lines.append(_said(fact, began.get(data.get("utterance_id"))))
        elif fact.kind is FactKind.HEARD:
            lines.append(_heard(fact))
        elif fact.kind is FactKind.UNDERSTOOD:
            _understood(lines, data)
    return sorted(lines, key=lambda line: line.start_ms)


def _said(fact: Fact, began: int | None) -> TranscriptLine:
    heard = _ms(fact.data, "heard_ms", 0)
    start = max(began or 0, fact.ms - heard)  # a sentence waits for those before it
    node = fact.data.get("node")
    return TranscriptLine(
        speaker="bot",
        text=str(fact.data.get("text", "")),
        start_ms=start,
        end_ms=max(start, min(fact.ms, start + heard) if heard else fact.ms),
        node=None if node is None else str(node),
        interrupted=bool(fact.data.get("interrupted")),
    )


def _heard(fact: Fact) -> TranscriptLine:
    end = _ms(fact.data, "end_ms", fact.ms)
    start = min(_ms(fact.data, "start_ms", end), end)
    speaker = str(fact.data.get("speaker", "caller"))
    return TranscriptLine(speaker, str(fact.data.get("text", "")), start, end)


def _understood(lines: list[TranscriptLine], data: Mapping[str, object]) -> None:
    """Attach an understanding to the callee's latest line that has none."""
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line.speaker == "caller" and not line.intents:
            lines[index] = replace(line, intents=_intents(data), emotion=_emotion(data))
            return


def _intents(data: Mapping[str, object]) -> tuple[str, ...]:
    found = data.get("intents")
    items = found if isinstance(found, list | tuple) else []
    return tuple(str(item["id"]) if isinstance(item, Mapping) else str(item) for item in items)


def _emotion(data: Mapping[str, object]) -> str | None:
    emotion = data.get("emotion")
    label = emotion.get("label") if isinstance(emotion, Mapping) else emotion
    return None if label is None else str(label)


def _ms(data: Mapping[str, object], name: str, otherwise: int) -> int:
    value = data.get(name)
    return round(value) if isinstance(value, int | float) else otherwise
