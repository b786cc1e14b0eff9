"""Simulator: a call script against simulated debtors, without telephone, model or clock."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voicebot.dialog.actions import (
    Action,
    HangUp,
    Listen,
    RecordPromise,
    Say,
    SetDisposition,
    Transfer,
    Verified,
)
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Silence, Started, TransferEnded
from voicebot.dialog.rendering import spoken_amount
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Promise, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import Topic, Understanding

Understand = Callable[[str, Topic, dt.datetime], Understanding]
CALL_AT = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""When simulated calls take place: Tuesday, 24 November 2026, ten in the morning."""
_LONGEST = 60
_STAGE = re.compile(r"[（(][^（）()]*[）)]")
_WORD = re.compile(r"[\w一-鿿]")
_SPOKEN_S, _THOUGHT_S = 0.25, 1.0
_DEBT = re.compile(
    "欠款|欠钱|欠账|逾期|还款|还钱|还清|偿还|结清|催收|催促|贷款|借款|债|账单|本金|利息|息费|罚息|违约金|分期|征信|律师|起诉|信用卡"
)
"""The simulator's own idea of a disclosure, on purpose not the engine's."""


@dataclass
class _Call:
    """One simulated call as it unfolds."""

    script: Script
    persona: Mapping[str, Any]
    understand: Understand
    now: dt.datetime
    turns: list[dict[str, Any]] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    disposition: str = ""
    promise: Promise | None = None
    handoff: bool = False
    verified: bool = False
    disclosed: bool = False
    began: dt.datetime = CALL_AT


def simulate(
    script: Script, persona: Mapping[str, Any], understand: Understand, now: dt.datetime = CALL_AT, seed: int = 0
) -> dict[str, Any]:
    """Run one persona (docs/reference/formats.md) through a script.

    `understand(text, topic, now)` reads each answer. ValueError when the persona lacks `case` or `answers`.
    """
    case = _case(persona, now, seed)
    call = _Call(script, persona, understand, now, began=now)
    state = initial(script, CallFacts(f"sim-{persona['id']}", now, case))
    event: Event | None = Started(now)
    for _ in range(_LONGEST):
        if event is None:
            break
        state, actions = step(script, state, event)
        event = _after(call, actions, case)
    if not call.disposition:
        _, actions = step(script, state, HungUp(call.now))
        _after(call, actions, case)
    return _row(call)


def _after(call: _Call, actions: Iterable[Action], case: Case) -> Event | None:
    """Let the actions happen and give the event that follows; None when the call is over."""
    following: Event | None = None
    for action in actions:
        match action:
            case Say():
                _spoken(call, action, case)
            case Verified():
                call.verified = True
            case SetDisposition():
                call.disposition = action.disposition.value
            case RecordPromise():
                call.promise = action.promise
            case Transfer():
                call.handoff = True
                following = TransferEnded(call.now, joined=True)
            case Listen():
                following = _reply(call, action)
            case HangUp():
                return None
            case _:
                pass
    return following


def _spoken(call: _Call, say: Say, case: Case) -> None:
    call.now += dt.timedelta(seconds=_SPOKEN_S * len(say.text))
    call.turns.append({"speaker": "bot", "text": say.text, "node": say.node, "intents": []})
    if not call.verified and (_DEBT.search(say.text) or spoken_amount(case.amount_fen) in say.text):
        call.disclosed = True


def _reply(call: _Call, listen: Listen) -> Event:
    text = _answer(call, listen.topic)
    words = _STAGE.sub("", text)
    if not _WORD.search(words):
        call.now += dt.timedelta(seconds=listen.patience_s)
        call.turns.append({"speaker": "callee", "text": text, "node": listen.node, "intents": []})
        return Silence(call.now, listen.patience_s)
    call.now += dt.timedelta(seconds=_THOUGHT_S + _SPOKEN_S * len(words))
    understanding = call.understand(words.strip(), listen.topic, call.now)
    intents = [score.id for score in understanding.intents]
    call.turns.append({"speaker": "callee", "text": text, "node": listen.node, "intents": intents})
    return Heard(call.now, understanding)


def _answer(call: _Call, topic: Topic) -> str:
    """The n-th time a topic is asked, the n-th text; the last one repeats; a missing topic falls back to `any`."""
    answers = call.persona["answers"]
    key = topic.value if answers.get(topic.value) else "any"
    texts = answers.get(key) or [""]
    nth = call.asked.get(key, 0)
    call.asked[key] = nth + 1
    return str(texts[min(nth, len(texts) - 1)])


def _case(persona: Mapping[str, Any], now: dt.datetime, seed: int) -> Case:
    facts, figures = persona.get("facts") or {}, persona.get("case")
    if not isinstance(figures, Mapping) or not isinstance(persona.get("answers"), Mapping) or "id" not in persona:
        raise ValueError("a persona needs `id`, `case` with amount_fen and overdue_days, and `answers`")
    known = bool(facts.get("name"))
    debtor = Debtor(
        id=f"sim-{persona['id']}",
        name=str(facts.get("name") or "王小明"),
        salutation=_salutation(persona) if known else Salutation.MR,
        id_last4=facts.get("id_last4") or (None if known else _nobodys_card(persona, seed)),
        birth_mmdd=facts.get("birth_mmdd"),
    )
    creditor = Creditor("sim", "示例消费金融有限公司", "示例客户服务中心", "4000001234")
    return Case(
        id=f"sim-{persona['id']}",
        debtor=debtor,
        creditor=creditor,
        product="消费分期",
        amount_fen=int(figures["amount_fen"]),
        overdue_days=int(figures.get("overdue_days", 0)),
        as_of=now.date(),
    )


def _salutation(persona: Mapping[str, Any]) -> Salutation:
    return {"男": Salutation.MR, "女": Salutation.MS}.get(str(persona.get("who", ""))[:1], Salutation.UNKNOWN)


def _nobodys_card(persona: Mapping[str, Any], seed: int) -> str:
    """Some ending that this callee, who is not the debtor, does not say anywhere."""
    chance = random.Random(f"{seed}:{persona['id']}")
    return f"{chance.randrange(1000):03d}X"


def _row(call: _Call) -> dict[str, Any]:
    promise = call.promise
    return {
        "id": call.persona["id"],
        "call_date": call.began.date().isoformat(),
        "disposition": call.disposition,
        "handoff": call.handoff,
        "promise": promise and {"date": promise.date.isoformat(), "amount_fen": promise.amount_fen},
        "disclosed_before_verified": call.disclosed,
        "verified": call.verified,
        "duration_s": round((call.now - call.began).total_seconds(), 1),
        "turns": call.turns,
    }


def simulate_row(script: Script, persona: Mapping[str, Any], understand: Understand, seed: int = 0) -> dict[str, Any]:
    """One row; ValueError says what is wrong with a persona that cannot be simulated."""
    try:
        return simulate(script, persona, understand, seed=seed)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a persona: {error!r}") from error


def simulate_rows(
    script: Script, personas: Iterable[Mapping[str, Any]], understand: Understand, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """One row per persona; a persona that cannot be simulated yields a row with `error`."""
    for persona in personas:
        try:
            yield simulate_row(script, persona, understand, seed)
        except ValueError as error:
            name = persona.get("id") if isinstance(persona, Mapping) else None
            yield {"id": name, "error": f"cannot simulate: {error}"}
