"""Journal spans: a call's journal as stretches of time: ringing, talking, each turn, each wait for a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from voicebot.domain.journal import Fact, FactKind
from voicebot.telemetry.traces import Attribute, Moment, Stretch

_PAIRS = (
    ("ringing", FactKind.DIALLED, (FactKind.ANSWERED, FactKind.ENDED)),
    ("talk", FactKind.ANSWERED, (FactKind.ENDED,)),
    ("waiting for a person", FactKind.TRANSFER_STARTED, (FactKind.JOINED, FactKind.TRANSFER_FAILED, FactKind.ENDED)),
    ("person talks", FactKind.JOINED, (FactKind.AGENT_LEFT, FactKind.REFERRED, FactKind.ENDED)),
    ("supervisor", FactKind.SUPERVISOR_JOINED, (FactKind.SUPERVISOR_LEFT, FactKind.ENDED)),
    ("consultation", FactKind.CONSULT_STARTED, (FactKind.CONSULT_ENDED, FactKind.ENDED)),
)
_MOMENTS = frozenset({
    FactKind.TRUNK_TRIED, FactKind.ANSWERED_BY, FactKind.VERIFIED, FactKind.PROMISED, FactKind.CALLBACK_BOOKED,
    FactKind.STOPPED, FactKind.PAGED, FactKind.BRAIN_LOST, FactKind.GATE_ALERT, FactKind.DISPOSITION, FactKind.DECIDED,
})  # fmt: skip
_TOLD = frozenset({
    "direction", "script", "script_version", "status", "by", "kind", "cue", "from_node", "to_node", "branch", "node",
    "interrupted", "heard_ms", "total_ms", "turn_ms", "silent_ms", "disposition", "worker", "trunk", "skill", "urgent",
    "accept_ms", "position", "mode", "confirmed", "trace_id",
})  # fmt: skip
"""Keys of facts that say nothing about a person: no text, no number, no name, no sum."""


def spans_of(facts: Sequence[Fact]) -> tuple[Stretch, ...]:
    """The call itself first, then its parts in the order of their ends; nothing for a journal without a beginning."""
    if not facts or facts[0].kind is not FactKind.STARTED:
        return ()
    return (_call(facts), *_paired(facts), *_said(facts), *_turns(facts))


def _call(facts: Sequence[Fact]) -> Stretch:
    told = _attributes(facts[0].data)
    for fact in facts:
        if fact.kind in (FactKind.DISPOSITION, FactKind.ENDED):
            told |= _attributes(fact.data)
    moments = [Moment(str(fact.kind), _at(fact), _attributes(fact.data)) for fact in facts if fact.kind in _MOMENTS]
    return Stretch("call", _at(facts[0]), _at(facts[-1]), told, tuple(moments), root=True)


def _paired(facts: Sequence[Fact]) -> Iterator[Stretch]:
    for name, first, lasts in _PAIRS:
        open_one: Fact | None = None
        for fact in facts:
            if open_one is not None and fact.kind in lasts:
                told = _attributes(open_one.data) | {"until": str(fact.kind)} | _attributes(fact.data)
                yield Stretch(name, _at(open_one), _at(fact), told)
                open_one = None
            if fact.kind is first:
                open_one = fact


def _said(facts: Sequence[Fact]) -> Iterator[Stretch]:
    saying: dict[object, Fact] = {}
    for fact in facts:
        utterance = fact.data.get("utterance_id")
        if fact.kind is FactKind.SAYING:
            saying[utterance] = fact
        elif fact.kind is FactKind.SAID and utterance in saying:
            yield Stretch("bot speaks", _at(saying.pop(utterance)), _at(fact), _attributes(fact.data))


def _turns(facts: Sequence[Fact]) -> Iterator[Stretch]:
    """From the end of the caller's speech to the first sound of the answer."""
    for fact in facts:
        turn_ms = fact.data.get("turn_ms")
        if fact.kind is FactKind.LATENCY and isinstance(turn_ms, int | float):
            end = _at(fact)
            yield Stretch("turn", end - dt.timedelta(milliseconds=turn_ms), end, {"turn_ms": turn_ms})


def _attributes(data: Mapping[str, object]) -> dict[str, Attribute]:
    return {key: value for key, value in data.items() if key in _TOLD and isinstance(value, str | bool | int | float)}


def _at(fact: Fact) -> dt.datetime:
    return dt.datetime.fromisoformat(fact.at)
