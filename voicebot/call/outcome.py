"""CallOutcome: what a call came to, read from its journal and from nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from voicebot.domain.case import Promise
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.talk import GOES_ON, NOBODY
from voicebot.telephony.outcome import announced, disposition_of


@dataclass(frozen=True, slots=True)
class Stop:
    """No more automatic calls; `scope`: number or debtor."""

    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class Callback:
    at: dt.datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """`talk_ms`: from answer to end, of recorded audio. `handoff`: an agent and the callee were joined."""

    disposition: Disposition
    answered: bool
    promise: Promise | None
    handoff: bool
    verified: bool
    talk_ms: int
    callbacks: tuple[Callback, ...]
    stops: tuple[Stop, ...]
    paged: bool


def outcome_of(facts: Iterable[Fact]) -> CallOutcome:
    """Read the outcome from the facts of one call, in order."""
    by_kind: dict[FactKind, list[Fact]] = {}
    last_ms = 0
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact)
        last_ms = fact.ms
    answered = by_kind.get(FactKind.ANSWERED, [])
    return CallOutcome(
        disposition=_disposition(by_kind),
        answered=bool(answered),
        promise=_promise(by_kind.get(FactKind.PROMISED, [])),
        handoff=FactKind.JOINED in by_kind,
        verified=FactKind.VERIFIED in by_kind,
        talk_ms=last_ms - answered[0].ms if answered else 0,
        callbacks=tuple(_callback(fact) for fact in by_kind.get(FactKind.CALLBACK_BOOKED, [])),
        stops=tuple(
            Stop(str(fact.data["scope"]), str(fact.data["reason"])) for fact in by_kind.get(FactKind.STOPPED, [])
        ),
        paged=FactKind.PAGED in by_kind,
    )


def _disposition(by_kind: dict[FactKind, list[Fact]]) -> Disposition:
    if FactKind.ANSWERED not in by_kind:
        return _unanswered(by_kind)
    if FactKind.VERIFIED not in by_kind and (nobody := _nobody(by_kind)) is not None:
        return nobody
    decided = by_kind.get(FactKind.DISPOSITION)
    if decided:
        return Disposition(str(decided[-1].data["disposition"]))
    return Disposition.FAILED if FactKind.BRAIN_LOST in by_kind else Disposition.NO_INPUT


def _unanswered(by_kind: dict[FactKind, list[Fact]]) -> Disposition:
    """Nobody picked up: the carrier's announcement beats its status, which is often just 'cancelled'."""
    nobody = _nobody(by_kind)
    if nobody is not None:
        return nobody
    ended = by_kind.get(FactKind.ENDED)
    if not ended:
        return Disposition.FAILED
    status, q850, sip_cause = (_whole(ended[-1].data.get(key)) for key in ("status", "q850", "sip_cause"))
    return disposition_of(status, q850, sip_cause)


def _nobody(by_kind: dict[FactKind, list[Fact]]) -> Disposition | None:
    """What the last announcement, tone or fax says; None where there was none, or it left the end open."""
    told = [fact.data for fact in by_kind.get(FactKind.ANSWERED_BY, []) if fact.data.get("kind") != "line"]
    if not told or told[-1].get("kind") not in NOBODY or told[-1].get("cue") in GOES_ON:
        return None
    return announced(str(told[-1].get("cue"))).disposition


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _promise(facts: list[Fact]) -> Promise | None:
    if not facts:
        return None
    data = facts[-1].data
    amount = data["amount_fen"]
    if not isinstance(amount, int):
        raise ValueError(f"a promise without an amount in fen: {data!r}")
    return Promise(dt.date.fromisoformat(str(data["date"])), amount, confirmed=bool(data.get("confirmed")))


def _callback(fact: Fact) -> Callback:
    at = fact.data.get("at")
    return Callback(dt.datetime.fromisoformat(str(at)) if at else None, str(fact.data.get("reason", "")))
