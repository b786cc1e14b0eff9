"""Replay: a call that was is played through another script, classifier or recogniser, with the timing it had."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from voicebot.dialog import actions
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import (
    Event,
    Heard,
    HungUp,
    KeyPressed,
    MachineAnswered,
    Silence,
    Spoken,
    Started,
    TransferEnded,
)
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState, Phase
from voicebot.domain.case import CallFacts
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.talk import NOBODY
from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Slots, Topic, Understanding
from voicebot.intent.slots import parse_slots
from voicebot.pipeline.live_gate import LiveGate

Understand = Callable[[str, Topic, dt.datetime], Understanding]
"""A classifier. None in its place believes what was understood in the call."""
_MS_PER_CHARACTER = 190
"""How long a sentence takes that the call never had (measured over the shipped voice)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One event of the call and what the script did about it. `gate`: rules that would have held a sentence back."""

    at: dt.datetime
    ms: int
    told: str
    node: str
    said: tuple[str, ...]
    branches: tuple[str, ...]
    verified: bool
    disposition: str
    handoff: bool
    gate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """`journal`: the facts the brain would have written, as canonical JSON lines: same inputs, same bytes."""

    call_id: str
    turns: tuple[Turn, ...]
    journal: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.journal).hexdigest()

    @property
    def disposition(self) -> str:
        return self.turns[-1].disposition if self.turns else ""

    @property
    def handoff(self) -> bool:
        return any(turn.handoff for turn in self.turns)

    @property
    def violations(self) -> tuple[str, ...]:
        return tuple(sorted({rule for turn in self.turns for rule in turn.gate}))


def replay(
    script: Script, facts: Sequence[Fact], setting: CallFacts, understand: Understand | None = None,
    heard: Mapping[int, str] | None = None,
) -> Replayed:  # fmt: skip
    """Play the callee's part of a journal again through `script`; pure.

    `heard` replaces what was recognised, by the seq of the fact. What the call's own script said does not come in:
    the callee says what they said then, when they said it, whatever they are told now.
    """
    return _Replay(script, setting, understand, heard or {}).run(facts)


class _Replay:
    def __init__(
        self, script: Script, setting: CallFacts, understand: Understand | None, heard: Mapping[int, str]
    ) -> None:
        self._script = script
        self._state: DialogState = initial(script, setting)
        self._understand = understand
        self._heard = heard
        self._gate = LiveGate(setting)
        self._topic = Topic.ANY
        self._turns: list[Turn] = []
        self._lines: list[bytes] = []
        self._call_id = setting.call_id

    def run(self, facts: Sequence[Fact]) -> Replayed:
        for fact, event in events_of(facts, self._read):
            if self._state.phase is Phase.ENDED:
                break
            self._play(fact, event)
        return Replayed(self._call_id, tuple(self._turns), b"".join(self._lines))

    def _read(self, fact: Fact, understood: Fact | None, now: dt.datetime) -> Understanding:
        """What the callee meant: understood anew under the question asked now, or as it was understood in the call."""
        text = self._heard.get(fact.seq, str(fact.data.get("text", "")))
        if self._understand is not None or understood is None or text != fact.data.get("text"):
            if self._understand is None:
                return Understanding(text)
            return self._understand(text, self._topic, now)
        return read_understanding(understood.data, text, now)

    def _play(self, fact: Fact, event: Event) -> None:
        now = dt.datetime.fromisoformat(fact.at)
        if isinstance(event, Heard):
            self._write(fact, FactKind.HEARD, {"text": event.understanding.text})
            scores = [{"id": score.id, "p": round(score.p, 3)} for score in event.understanding.intents]
            self._write(fact, FactKind.UNDERSTOOD, {"intents": scores, "topic": self._topic.value})
        if isinstance(event, MachineAnswered):
            self._gate.listener = "voicemail"
        self._state, todo = step(self._script, self._state, event)
        said, gate = self._perform(fact, todo)
        branches = tuple(f"{a.branch}→{a.to_node}" for a in todo if isinstance(a, actions.Explain))
        self._turns.append(
            Turn(
                at=now,
                ms=fact.ms,
                told=_told(event),
                node=self._state.node,
                said=tuple(said),
                branches=branches,
                verified=self._state.verified,
                disposition=self._state.disposition or "",
                handoff=any(isinstance(action, actions.Transfer) for action in todo),
                gate=tuple(sorted(set(gate))),
            )
        )
        self._speak_out(fact, todo)

    def _perform(self, fact: Fact, todo: Sequence[actions.Action]) -> tuple[list[str], list[str]]:
        said: list[str] = []
        gate: list[str] = []
        for action in todo:
            match action:
                case actions.Verified(by=by):
                    self._gate.verified = True
                    self._write(fact, FactKind.VERIFIED, {"by": by})
                case actions.Say(text=text, node=node):
                    said.append(self._say(fact, text, node, gate))
                case actions.Listen(topic=topic):
                    self._topic = topic
                case _:
                    if isinstance(action, actions.Transfer) and action.hold_text:
                        said.append(self._say(fact, action.hold_text, action.node, gate))
                    self._write(fact, *_as_fact(action))
        return said, gate

    def _say(self, fact: Fact, text: str, node: str, gate: list[str]) -> str:
        """What would be spoken; the rules that hold it back are added to `gate`."""
        spoken, rules = self._gate.pass_on(text)
        gate += rules
        self._write(fact, FactKind.SAYING, {"text": spoken, "node": node, "rules": rules})
        return spoken

    def _speak_out(self, fact: Fact, todo: Sequence[actions.Action]) -> None:
        """Everything that was said came to its end: what was talked over then is not what is said now."""
        now = dt.datetime.fromisoformat(fact.at)
        for action in todo:
            if isinstance(action, actions.Say) and action.utterance_id in self._state.owed:
                length = _MS_PER_CHARACTER * len(action.text)
                spoken = Spoken(now, action.utterance_id, length, length, interrupted=False)
                self._state, _ = step(self._script, self._state, spoken)

    def _write(self, fact: Fact, kind: FactKind, data: Mapping[str, object]) -> None:
        line = {"seq": len(self._lines), "at": fact.at, "ms": fact.ms, "kind": kind.value, "data": dict(data)}
        told = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        self._lines.append(told.encode() + b"\n")


def _as_fact(action: actions.Action) -> tuple[FactKind, dict[str, object]]:
    match action:
        case actions.Explain(from_node=before, to_node=after, branch=branch, why=why):
            return FactKind.DECIDED, {"from_node": before, "to_node": after, "branch": branch, "why": why}
        case actions.SetDisposition(disposition=disposition, why=why):
            return FactKind.DISPOSITION, {"disposition": disposition.value, "why": why}
        case actions.RecordPromise(promise=promise):
            told = {"date": promise.date.isoformat(), "amount_fen": promise.amount_fen, "confirmed": promise.confirmed}
            return FactKind.PROMISED, {**told, "channel": promise.channel}
        case actions.Transfer(reason=reason, skill=skill, urgent=urgent):
            return FactKind.TRANSFER_STARTED, {"reason": reason, "skill": skill, "urgent": urgent}
        case actions.BookCallback(at=at, reason=reason):
            return FactKind.CALLBACK_BOOKED, {"at": at.isoformat() if at else None, "reason": reason}
        case actions.StopContact(scope=scope, reason=reason):
            return FactKind.STOPPED, {"scope": scope, "reason": reason}
        case actions.PageSupervisor(reason=reason):
            return FactKind.PAGED, {"reason": reason}
        case _:
            return FactKind.NOTE, {"text": type(action).__name__.lower()}


def _plain(fact: Fact, understood: Fact | None, now: dt.datetime) -> Understanding:
    return Understanding(str(fact.data.get("text", "")))


def events_of(
    facts: Sequence[Fact], read: Callable[[Fact, Fact | None, dt.datetime], Understanding] = _plain
) -> Iterator[tuple[Fact, Event]]:
    """What happened to the script, in order: from the answer to the end, machines and silences among it."""
    joined = False
    for at, fact in enumerate(facts):
        now = dt.datetime.fromisoformat(fact.at)
        match fact.kind:
            case FactKind.ANSWERED:
                yield fact, Started(now)
            case FactKind.ANSWERED_BY if fact.data.get("kind") in NOBODY | {"voicemail"}:
                yield fact, MachineAnswered(now, str(fact.data["kind"]), beep=True)
            case FactKind.HEARD if not joined:
                yield fact, Heard(now, read(fact, _next(facts, at, FactKind.UNDERSTOOD), now))
            case FactKind.DECIDED if fact.data.get("branch") == "silence":
                yield fact, Silence(now, 6.0)
            case FactKind.DTMF if not joined:
                yield fact, KeyPressed(now, str(fact.data.get("digit", "")))
            case FactKind.JOINED:
                joined = True
                yield fact, TransferEnded(now, True)
            case FactKind.TRANSFER_FAILED if fact.data.get("agent") is None:
                yield fact, TransferEnded(now, False, str(fact.data.get("why", "")))
            case FactKind.ENDED:
                yield fact, HungUp(now)


def _next(facts: Sequence[Fact], at: int, kind: FactKind) -> Fact | None:
    """The next fact of a kind, unless something is heard before it."""
    for fact in facts[at + 1 :]:
        if fact.kind is kind:
            return fact
        if fact.kind is FactKind.HEARD:
            return None
    return None


def _told(event: Event) -> str:
    match event:
        case Heard(understanding=understanding):
            return understanding.text
        case KeyPressed(digit=digit):
            return f"[{digit}]"
        case _:
            return f"({type(event).__name__})"


def read_understanding(data: Mapping[str, object], text: str, now: dt.datetime) -> Understanding:
    """An `understood` fact as the value it was made of; what it leaves out of the slots is read from the words."""
    found = data.get("intents")
    scores = tuple(
        IntentScore(str(item["id"]), float(item.get("p", 1.0)))
        for item in (found if isinstance(found, list | tuple) else ())
        if isinstance(item, Mapping) and "id" in item
    )
    emotion = data.get("emotion")
    told = emotion if isinstance(emotion, Mapping) else {}
    slots = data.get("slots")
    return Understanding(
        text=text,
        intents=scores,
        emotion=Emotion(EmotionLabel(told.get("label", "neutral")), float(told.get("p", 1.0))),
        slots=_slots(slots if isinstance(slots, Mapping) else {}, parse_slots(text, now)),
        danger=data.get("danger") is True,
    )


def _slots(data: Mapping[str, object], read: Slots) -> Slots:
    """What the journal says, over what is read from the words now: identity digits and tense are not in a journal."""
    known: dict[str, object] = {key: data[key] for key in _PLAIN if key in data}
    known |= {key: dt.date.fromisoformat(str(data[key])) for key in ("date", "date_end") if key in data}
    if "time" in data:
        known["time"] = dt.time.fromisoformat(str(data["time"]))
    return replace(read, **known)  # type: ignore[arg-type]


_PLAIN = (
    "amount_fen", "amount_min_fen", "amount_max_fen", "ratio", "installments", "per_installment_fen", "ambiguous",
)  # fmt: skip
