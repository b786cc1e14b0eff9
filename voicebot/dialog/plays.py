"""Plays: a conversation written down as events, played again through a script, and held against what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voicebot.dialog.actions import Action, Explain, Listen, Say, Transfer
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, KeyPressed, MachineAnswered, Silence, Started, TransferEnded
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState, Phase
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import IntentScore, Topic, Understanding

Understand = Callable[[str, Topic, dt.datetime], Understanding]
Told = Mapping[str, Any]
"""An event as JSON: begin, say (with intents, if they were chosen), silence, key, machine, transfer or hang_up."""

FIRST_DAY = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
BEGIN: dict[str, Any] = {
    "name": "张伟", "salutation": "mr", "id_last4": "3318", "birth_mmdd": "0806", "amount_fen": 126800,
    "overdue_days": 12, "agent": True, "now": FIRST_DAY.isoformat(),
}  # fmt: skip
"""The case of a conversation that names none."""
MOST_EVENTS = 80
_CHOSEN_P = 0.97
_SPOKEN_S, _THOUGHT_S = 0.25, 1.0
_DANGER = "vu_selfharm"


class PlayError(ValueError):
    """An event that cannot be played; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One event, how it was understood (if it was heard), what the script did about it, and where it stands now."""

    told: Told
    understanding: Understanding | None
    actions: tuple[Action, ...]
    state: DialogState

    @property
    def over(self) -> bool:
        return self.state.phase is Phase.ENDED


def play(script: Script, events: Sequence[Told], understand: Understand) -> list[Exchange]:
    """Play `events` from the beginning; what comes after the end of the call is left out. PlayError, see there."""
    if len(events) > MOST_EVENTS:
        raise PlayError(f"a conversation has at most {MOST_EVENTS} events")
    begin = BEGIN | dict(events[0].get("begin") or {}) if events and "begin" in events[0] else BEGIN
    rest = events[1:] if events and "begin" in events[0] else events
    facts = _facts(begin)
    now, state = facts.started_at, initial(script, facts)
    state, actions = step(script, state, Started(now))
    played = [Exchange({"begin": begin}, None, actions, state)]
    for told in rest:
        if played[-1].over:
            break
        now += dt.timedelta(seconds=_length_s(played[-1].actions, told))
        understanding, event = _event(told, _listening(played), now, understand)
        state, actions = step(script, state, event)
        played.append(Exchange(told, understanding, actions, state))
    return played


def _event(
    told: Told, listen: Listen | None, now: dt.datetime, understand: Understand
) -> tuple[Understanding | None, Event]:
    topic = listen.topic if listen else Topic.ANY
    match told:
        case {"say": str(text)} if text.strip() or told.get("intents"):
            understanding = _understood(understand(text[:500], topic, now), told.get("intents"))
            return understanding, Heard(now, understanding)
        case {"say": _} | {"silence": _}:
            return None, Silence(now, listen.patience_s if listen else 6.0)
        case {"key": str(digit)} if len(digit) == 1 and digit in "0123456789*#":
            return None, KeyPressed(now, digit)
        case {"machine": kind}:
            return None, MachineAnswered(now, str(kind), beep=True)
        case {"transfer": joined}:
            return None, TransferEnded(now, bool(joined), "" if joined else "nobody answered")
        case {"hang_up": _}:
            return None, HungUp(now)
    raise PlayError(f"unknown event {dict(told)!r}; known: begin, say, silence, key, machine, transfer, hang_up")


def _understood(understanding: Understanding, intents: object) -> Understanding:
    """Chosen intents take the place of the model's; dates and amounts are still read from the words."""
    if not isinstance(intents, (list, tuple)) or not intents:
        return understanding
    chosen = tuple(IntentScore(str(name), _CHOSEN_P - 0.01 * rank) for rank, name in enumerate(intents))
    danger = any(score.id.startswith(_DANGER) for score in chosen)
    text = understanding.text if understanding.text.strip() else "…"
    return replace(understanding, text=text, intents=chosen, danger=danger)


def _listening(played: Sequence[Exchange]) -> Listen | None:
    for exchange in reversed(played):
        for action in reversed(exchange.actions):
            if isinstance(action, Listen):
                return action
    return None


def _length_s(actions: Iterable[Action], told: Told) -> float:
    spoken = sum(len(action.text) for action in actions if isinstance(action, Say))
    return _THOUGHT_S + _SPOKEN_S * (spoken + len(str(told.get("say", ""))))


def _facts(begin: Mapping[str, Any]) -> CallFacts:
    try:
        now = dt.datetime.fromisoformat(str(begin["now"]))
        debtor = Debtor(
            id="play",
            name=str(begin["name"]),
            salutation=Salutation(begin["salutation"]),
            id_last4=begin.get("id_last4") or None,
            birth_mmdd=begin.get("birth_mmdd") or None,
        )
        case = Case(
            id="play",
            debtor=debtor,
            creditor=Creditor("play", "示例消费金融有限公司", "示例客户服务中心", "4000001234"),
            product=str(begin.get("product") or "消费分期"),
            amount_fen=int(begin["amount_fen"]),
            overdue_days=int(begin["overdue_days"]),
            as_of=now.date(),
        )
        return CallFacts("play", now, case, agent_available=bool(begin["agent"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PlayError(f"`begin` cannot be used: {error}") from error


def expected_of(played: Iterable[Exchange]) -> list[dict[str, Any]]:
    """What a test holds a later play against: node, verification, outcome, promise and hand-over after each event."""
    return [
        {
            "node": exchange.state.node,
            "verified": exchange.state.verified,
            "disposition": exchange.state.disposition,
            "promise": _promise(exchange.state),
            "handoff": any(isinstance(action, Transfer) for action in exchange.actions),
        }
        for exchange in played
    ]


def _promise(state: DialogState) -> dict[str, Any] | None:
    made = state.promise
    return {"date": made.date.isoformat(), "amount_fen": made.amount_fen} if made else None


def differences(expected: Sequence[Mapping[str, Any]], played: Sequence[Exchange]) -> list[str]:
    """What is not as it was, as `event 3: node was verify, is debt`; empty when the script still does the same."""
    got = expected_of(played)
    found = [
        f"event {index}: {key} was {was.get(key)}, is {now.get(key)}"
        for index, (was, now) in enumerate(zip(expected, got, strict=False))
        for key in was
        if was.get(key) != now.get(key)
    ]
    if len(expected) != len(got):
        found.append(f"the conversation had {len(expected)} events, now it has {len(got)}")
    return found


def explained(exchange: Exchange) -> list[Explain]:
    return [action for action in exchange.actions if isinstance(action, Explain)]
