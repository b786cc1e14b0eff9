"""Counting: a call's journal becomes the numbers it adds to every figure. Pure; the same journal, the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from voicebot.call.outcome import outcome_of
from voicebot.domain.counted import CallSetting, CountedCall
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import stage_of
from voicebot.domain.talk import NOBODY
from voicebot.domain.tally import BLOCKED, CRITICAL, Tally, age_band

SLOW_MS = 1500
"""An answer later than this is slow."""
SURVEY = "survey"
_SURVEY_BEGUN, _SURVEY_BAD = "ask_clear", "ask_bad"
_BROKEN_OFF = ("error", "crash")
_MACHINES = NOBODY | {"voicemail"}


def count_call(setting: CallSetting, facts: Sequence[Fact]) -> CountedCall:
    """What one call that is over adds to the figures, and under which stage and age."""
    kinds = _by_kind(facts)
    started = kinds[FactKind.STARTED][0].data if FactKind.STARTED in kinds else {}
    overdue = _whole(started.get("overdue_days"), setting.overdue_days)
    due = _whole(started.get("amount_fen"), setting.amount_fen) or 0
    nodes = _nodes(kinds)
    numbers = Counter[str]()
    numbers.update(_reached(setting, facts, kinds, due))
    numbers.update(_spoken(kinds))
    numbers.update(_people(kinds, facts[-1].ms if facts else 0))
    numbers.update(_reviewed(setting))
    if setting.agent_promised and numbers["handled"]:
        numbers["agent_promises"] = 1
    if setting.script.partition("@")[0] == SURVEY and _SURVEY_BEGUN in nodes:
        numbers["surveyed"] = 1
        numbers["satisfied"] = int(_SURVEY_BAD not in nodes)
    tally = Tally(
        {name: value for name, value in numbers.items() if value},
        nodes,
        _last_node(kinds),
        _agent(kinds),
    )
    stage = "" if overdue is None else stage_of(overdue).value
    return CountedCall(setting, stage, age_band(setting.age), tally)


def _by_kind(facts: Iterable[Fact]) -> dict[FactKind, list[Fact]]:
    kinds: dict[FactKind, list[Fact]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, []).append(fact)
    return kinds


def _reached(
    setting: CallSetting, facts: Sequence[Fact], kinds: Mapping[FactKind, list[Fact]], due: int
) -> Mapping[str, int]:
    outcome = outcome_of(facts)
    placed = setting.direction == "outbound"
    machine = outcome.answered and (_who(kinds) in _MACHINES or outcome.disposition is Disposition.VOICEMAIL)
    contact = outcome.answered and not machine and FactKind.HEARD in kinds
    verified = contact and outcome.verified
    made = outcome.promise if verified else None
    return {
        "attempts": int(placed),
        "inbound": int(not placed),
        "answered": int(placed and outcome.answered),
        "human": int(placed and contact),
        "machine": int(placed and machine),
        "contacts": int(contact),
        "verified": int(verified),
        "third_party": int(contact and outcome.disposition is Disposition.THIRD_PARTY),
        "wrong_number": int(contact and outcome.disposition is Disposition.WRONG_NUMBER),
        "promises": int(made is not None and made.confirmed),
        "soft_promises": int(made is not None and not made.confirmed),
        "promised_fen": made.amount_fen if made is not None and made.confirmed else 0,
        "due_fen": due if verified else 0,
        "talk_ms": outcome.talk_ms if contact else 0,
        "dropped": int(placed and contact and _broken_off(kinds)),
        "complaints": int(outcome.disposition is Disposition.COMPLAINT),
        "stops": int(bool(outcome.stops)),
        "in_danger": int(any(fact.data.get("danger") is True for fact in kinds.get(FactKind.UNDERSTOOD, []))),
    }


def _who(kinds: Mapping[FactKind, list[Fact]]) -> str:
    told = kinds.get(FactKind.ANSWERED_BY, [])
    return str(told[-1].data.get("kind", "")) if told else ""


def _broken_off(kinds: Mapping[FactKind, list[Fact]]) -> bool:
    """We left somebody who was talking to us: a crash, an error, or a brain that was lost with nobody to take over."""
    ended = kinds.get(FactKind.ENDED, [])
    if ended and ended[-1].data.get("by") in _BROKEN_OFF:
        return True
    return FactKind.BRAIN_LOST in kinds and FactKind.JOINED not in kinds


def _spoken(kinds: Mapping[FactKind, list[Fact]]) -> Mapping[str, int]:
    said = kinds.get(FactKind.SAID, [])
    answers = [_whole(fact.data.get("turn_ms"), 0) or 0 for fact in kinds.get(FactKind.LATENCY, [])]
    blocked = [fact for fact in kinds.get(FactKind.NOTE, []) if fact.data.get("text") == "speech gate"]
    return {
        "sentences": len(said),
        "interrupted": sum(fact.data.get("interrupted") is True for fact in said),
        "blocked": len(blocked),
        "agent_sentences": len(kinds.get(FactKind.AGENT_HEARD, [])),
        "agent_alerts": sum(fact.data.get("again") is not True for fact in kinds.get(FactKind.GATE_ALERT, [])),
        "answers": len(answers),
        "answer_ms": sum(answers),
        "slow_answers": sum(ms > SLOW_MS for ms in answers),
    }


def _people(kinds: Mapping[FactKind, list[Fact]], end_ms: int) -> Mapping[str, int]:
    wished, joined = kinds.get(FactKind.TRANSFER_STARTED, []), kinds.get(FactKind.JOINED, [])
    if not joined:
        return {"transfers": int(bool(wished))}
    left = [fact.ms for fact in kinds.get(FactKind.AGENT_LEFT, []) if fact.ms >= joined[0].ms]
    return {
        "transfers": int(bool(wished)),
        "joined": int(bool(wished)),
        "wait_ms": max(0, joined[0].ms - wished[0].ms) if wished else 0,
        "handled": 1,
        "agent_ms": max(0, (left[-1] if left else end_ms) - joined[0].ms),
    }


def _reviewed(setting: CallSetting) -> Mapping[str, int]:
    confirmed = [rule for rule, holds in setting.verdicts if holds and not rule.startswith(BLOCKED)]
    return {
        "checked": int(setting.checked),
        "slipped": setting.slipped,
        "confirmed": len(confirmed),
        "confirmed_critical": sum(rule in CRITICAL for rule in confirmed),
        "confirmed_calls": int(bool(confirmed)),
        "false_blocks": sum(rule.startswith(BLOCKED) and not holds for rule, holds in setting.verdicts),
    }


def _agent(kinds: Mapping[FactKind, list[Fact]]) -> str:
    joined = kinds.get(FactKind.JOINED, [])
    return str(joined[0].data.get("agent", "")) if joined else ""


def _nodes(kinds: Mapping[FactKind, list[Fact]]) -> tuple[str, ...]:
    came = (str(fact.data.get("to_node", "")) for fact in kinds.get(FactKind.DECIDED, []))
    return tuple(dict.fromkeys(node for node in came if node))


def _last_node(kinds: Mapping[FactKind, list[Fact]]) -> str:
    decided = kinds.get(FactKind.DECIDED, [])
    return str(decided[-1].data.get("to_node", "")) if decided else ""


def _whole(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
