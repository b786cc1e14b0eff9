"""Simulator: a call script against simulated debtors, without telephone, model or clock."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voicebot.dialog.actions import (
    Action,
    BookCallback,
    Explain,
    HangUp,
    Listen,
    PageSupervisor,
    RecordPromise,
    Say,
    SetDisposition,
    StopContact,
    Transfer,
    Verified,
)
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Silence, Started, TransferEnded
from voicebot.dialog.rendering import spoken_amount
from voicebot.dialog.script import Script
from voicebot.dialog.simulator_persona import Mouth, case_of
from voicebot.domain.case import CallFacts, Case, Promise
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import Topic, Understanding

Understand = Callable[[str, Topic, dt.datetime], Understanding]
Judge = Callable[[str, CallFacts, bool], list[str]]
"""(sentence of the bot, the call, verified) to the ids of the rules of forbidden speech it breaks."""
CALL_AT = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""When simulated calls take place: Tuesday, 24 November 2026, ten in the morning."""
_LONGEST = 60
_SPOKEN_S, _THOUGHT_S = 0.25, 1.0
_DEBT = re.compile(
    "欠款|欠钱|欠账|逾期|还款|还钱|还清|偿还|结清|催收|催促|贷款|借款|债|账单|本金|利息|息费|罚息|违约金|分期|征信|律师|起诉|信用卡"
)
"""The simulator's own idea of a disclosure, on purpose not the engine's."""


def _lawful(text: str, facts: CallFacts, verified: bool) -> list[str]:
    return []


@dataclass
class _Call:
    """One simulated call as it unfolds."""

    facts: CallFacts
    case: Case
    mouth: Mouth
    understand: Understand
    judge: Judge
    now: dt.datetime
    turns: list[dict[str, Any]] = field(default_factory=list)
    path: list[list[str]] = field(default_factory=list)
    law: list[dict[str, Any]] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    disposition: str = ""
    promise: Promise | None = None
    callback_at: dt.datetime | None = None
    handoff: str = ""
    verified: bool = False
    disclosed: bool = False


def simulate(
    script: Script,
    personas: Iterable[Mapping[str, Any]],
    seed: int = 0,
    *,
    understand: Understand,
    judge: Judge = _lawful,
    now: dt.datetime = CALL_AT,
) -> Iterator[dict[str, Any]]:
    """One row per persona (docs/reference/personas.md); a persona that cannot be simulated yields a row with `error`.

    `understand(text, topic, now)` reads each answer; `judge` looks at each sentence of the bot.
    """
    for persona in personas:
        try:
            yield simulate_one(script, persona, seed, understand=understand, judge=judge, now=now)
        except ValueError as error:
            name = persona.get("id") if isinstance(persona, Mapping) else None
            yield {"id": name, "error": f"cannot simulate: {error}"}


def simulate_one(
    script: Script,
    persona: Mapping[str, Any],
    seed: int = 0,
    *,
    understand: Understand,
    judge: Judge = _lawful,
    now: dt.datetime = CALL_AT,
) -> dict[str, Any]:
    """One row; ValueError says what is wrong with a persona that cannot be simulated."""
    try:
        case = case_of(persona, now, seed)
        facts = CallFacts(f"sim-{persona['id']}", now, case, direction=persona.get("direction", "outbound"))
        call = _Call(facts, case, Mouth(persona, seed), understand, judge, now)
        _play(script, call)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a persona: {error!r}") from error
    return _row(script, call)


def _play(script: Script, call: _Call) -> None:
    state = initial(script, call.facts)
    event: Event | None = Started(call.now)
    for _ in range(_LONGEST):
        if event is None:
            break
        state, actions = step(script, state, event)
        event = _after(call, actions)
    if not call.disposition:
        _, actions = step(script, state, HungUp(call.now))
        _after(call, actions)


def _after(call: _Call, actions: Iterable[Action]) -> Event | None:
    """Let the actions happen and give the event that follows; None when the call is over."""
    following: Event | None = None
    for action in actions:
        match action:
            case Say():
                _spoken(call, action)
            case Transfer():
                call.handoff = action.skill
                following = TransferEnded(call.now, joined=True)
            case Listen():
                following = _reply(call, action)
            case HangUp():
                return None
            case _:
                _noted(call, action)
    return following


def _noted(call: _Call, action: Action) -> None:
    match action:
        case Verified():
            call.verified = True
        case SetDisposition():
            call.disposition = action.disposition.value
        case RecordPromise():
            call.promise = action.promise
        case BookCallback():
            call.callback_at = action.at
            call.did.append("callback")
        case StopContact():
            call.did.append(f"stop_{action.scope}")
        case PageSupervisor():
            call.did.append("page_supervisor")
        case Explain():
            call.path.append([action.from_node, action.to_node, action.branch])
        case _:
            pass


def _spoken(call: _Call, say: Say) -> None:
    call.now += dt.timedelta(seconds=_SPOKEN_S * len(say.text))
    call.turns.append({"speaker": "bot", "text": say.text, "node": say.node, "intents": []})
    if not call.verified and (_DEBT.search(say.text) or spoken_amount(call.case.amount_fen) in say.text):
        call.disclosed = True
    rules = call.judge(say.text, call.facts, call.verified)
    if rules:
        call.law.append({"node": say.node, "text": say.text, "rules": rules})


def _reply(call: _Call, listen: Listen) -> Event:
    if call.mouth.leaves:
        return HungUp(call.now)
    said, heard = call.mouth.answer(listen.topic)
    turn = {"speaker": "callee", "text": said, "node": listen.node, "intents": list[str]()}
    call.turns.append(turn)
    if not heard:
        call.now += dt.timedelta(seconds=listen.patience_s)
        return Silence(call.now, listen.patience_s)
    call.now += dt.timedelta(seconds=_THOUGHT_S + _SPOKEN_S * len(heard))
    understanding = call.understand(heard, listen.topic, call.now)
    turn["intents"] = [score.id for score in understanding.intents]
    return Heard(call.now, understanding)


def _row(script: Script, call: _Call) -> dict[str, Any]:
    promise, began = call.promise, call.facts.started_at
    visited = [to for _, to, _ in call.path if script.nodes[to].say or script.nodes[to].hold]
    return {
        "id": call.mouth.persona["id"],
        "call_date": began.date().isoformat(),
        "disposition": call.disposition,
        "handoff": bool(call.handoff),
        "skill": call.handoff or None,
        "promise": promise and {"date": promise.date.isoformat(), "amount_fen": promise.amount_fen},
        "callback_at": call.callback_at and call.callback_at.isoformat(),
        "did": list(dict.fromkeys(call.did)),
        "disclosed_before_verified": call.disclosed,
        "verified": call.verified,
        "ending": visited[-1] if visited else script.start,
        "law": call.law,
        "duration_s": round((call.now - began).total_seconds(), 1),
        "path": call.path,
        "turns": call.turns,
    }
