"""ScreenPop: what a person must know in the second their phone rings, read from the call's facts and the case. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voicebot.domain.case import INSTITUTION, Case, Promise, Salutation
from voicebot.domain.journal import Fact, FactKind
from voicebot.handoff.first_words import first_sentence, opening
from voicebot.handoff.taboos import Taboo, taboos

MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class Mood:
    """The emotion of one thing the debtor said, `ms` into the recording."""

    ms: int
    label: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance; `speaker` is caller, bot or agent."""

    speaker: str
    text: str
    ms: int


@dataclass(frozen=True, slots=True)
class Situation:
    """The talk so far. `intents` newest first, each once; `reason` why a person is wanted, "" when nobody is."""

    verified: bool = False
    danger: bool = False
    reason: str = ""
    skill: str = ""
    urgent: bool = False
    intents: tuple[str, ...] = ()
    moods: tuple[Mood, ...] = ()
    said: tuple[Spoken, ...] = ()
    promise: Promise | None = None
    briefing: str = ""

    @property
    def mood(self) -> str:
        return self.moods[-1].label if self.moods else "neutral"


@dataclass(frozen=True, slots=True)
class ScreenPop:
    """Shown before the agent speaks. Sentences are spoken Chinese, ready to be read aloud."""

    who: str
    situation: Situation
    first_sentence: str
    taboos: tuple[Taboo, ...]
    case: Case | None = None


def situation_of(facts: Iterable[Fact]) -> Situation:
    """Fold a journal. Values that are not what the journal's reference says are left out, never raised over."""
    state: dict[str, object] = {}
    intents: list[str] = []
    moods: list[Mood] = []
    said: list[Spoken] = []
    for fact in facts:
        data = fact.data
        match fact.kind:
            case FactKind.UNDERSTOOD:
                intents += _labels(data.get("intents"))
                moods += [Mood(fact.ms, label) for label in _labels([data.get("emotion")])]
                state["danger"] = state.get("danger", False) or data.get("danger") is True
            case FactKind.VERIFIED:
                state["verified"] = True
            case FactKind.PROMISED:
                state["promise"] = _promise(data) or state.get("promise")
            case FactKind.PAGED:
                state["danger"] = True
            case FactKind.TRANSFER_STARTED:
                state |= {
                    "reason": _text(data, "reason"),
                    "skill": _text(data, "skill"),
                    "urgent": data.get("urgent") is True,
                }
            case FactKind.BRIEFED:
                state["briefing"] = _text(data, "text")
            case FactKind.HEARD | FactKind.SAID | FactKind.AGENT_HEARD:
                if text := _text(data, "text"):
                    said.append(Spoken(_SPEAKERS[fact.kind], text, fact.ms))
            case _:
                continue
    newest_first = tuple(dict.fromkeys(reversed(intents)))
    return Situation(
        **state,  # type: ignore[arg-type]
        intents=newest_first,
        moods=tuple(moods),
        said=tuple(said[-MOST_LINES:]),
    )


def screen_pop(facts: Iterable[Fact], case: Case | None, today: dt.date, agent_name: str = "") -> ScreenPop:
    """All that the agent sees first. Whose name may be said is decided by the case; what of it, by the situation."""
    situation = situation_of(facts)
    who = address(case) if case else "您"
    institution = case.creditor.neutral_name if case else INSTITUTION
    if situation == Situation():
        sentence = opening(case.debtor.name if case else "", institution, agent_name)
        return ScreenPop(who, situation, sentence, taboos_of(situation, case), case)
    sentence = first_sentence(
        who,
        institution,
        agent_name,
        reason=situation.reason,
        intents=situation.intents,
        mood=situation.mood,
        verified=situation.verified,
        danger=situation.danger,
        promise=situation.promise,
        today=today,
    )
    return ScreenPop(who, situation, sentence, taboos_of(situation, case), case)


def taboos_of(situation: Situation, case: Case | None) -> tuple[Taboo, ...]:
    """What must not be said in this situation, most important first."""
    return taboos(
        case,
        verified=situation.verified,
        danger=situation.danger,
        intents=(*situation.intents, situation.reason),
        mood=situation.mood,
    )


def address(case: Case) -> str:
    """How the debtor is spoken to: 张先生, 王女士, or the whole name where the title is not known."""
    title = {Salutation.MR: "先生", Salutation.MS: "女士"}.get(case.debtor.salutation)
    return f"{case.debtor.name[:1]}{title}" if title else case.debtor.name


_SPEAKERS: Mapping[FactKind, str] = {
    FactKind.HEARD: "caller",
    FactKind.SAID: "bot",
    FactKind.AGENT_HEARD: "agent",
}


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _labels(found: object) -> Sequence[str]:
    """The ids in a list of scores, however each is written: 'angry', {'label': 'angry'}, {'id': …}, ['angry', 1]."""
    if not isinstance(found, list | tuple):
        return ()
    return [label for label in map(_label, found) if label]


def _label(value: object) -> str:
    if isinstance(value, Mapping):
        return _text(value, "label") or _text(value, "id")
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return value if isinstance(value, str) else ""


def _promise(data: Mapping[str, object]) -> Promise | None:
    amount = data.get("amount_fen")
    try:
        date = dt.date.fromisoformat(_text(data, "date"))
    except ValueError:
        return None
    if not isinstance(amount, int) or isinstance(amount, bool):
        return None
    return Promise(date, amount, confirmed=data.get("confirmed") is True)
