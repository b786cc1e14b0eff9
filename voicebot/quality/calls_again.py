"""CallsAgain: recorded calls, from their bundles, played through a candidate one after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.asr.recognizer import Recognizer
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.reading import read_audio, read_journal
from voicebot.intent.slots import parse_slots
from voicebot.quality.check import facts_at
from voicebot.quality.compare import Comparison, compare, original
from voicebot.quality.replay import Replayed, Understand, replay

_RATE = 8000
_MARGIN_MS = 200
"""Sound taken in before and after what was heard, as the recogniser had it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What calls are played through: a script, and a classifier or recogniser if not those of the call."""

    script: Script
    understand: Understand | None = None
    recognizer: Recognizer | None = None


class ReplayError(ValueError):
    """A call cannot be played again; the message says why."""


def again(bundle: Path, candidate: Candidate, case: Case | None = None) -> tuple[Comparison, Replayed]:
    """Play one sealed call. `case`: the debtor's, for their identity; without it whoever proved it then is believed."""
    try:
        facts = read_journal(bundle)
    except (OSError, ValueError) as error:
        raise ReplayError(f"{bundle}: {error}") from error
    if not any(fact.kind is FactKind.ANSWERED for fact in facts):
        raise ReplayError(f"{bundle}: nobody answered, there is nothing to play")
    setting = setting_of(facts, case, bundle.stem)
    heard = rehear(bundle, facts, candidate.recognizer) if candidate.recognizer else None
    replayed = replay(candidate.script, facts, setting, candidate.understand, heard)
    return compare(setting.call_id, original(facts), replayed, facts), replayed


def setting_of(facts: Sequence[Fact], case: Case | None, name: str = "replay") -> CallFacts:
    """What the script knew when the call began; `name` is the id of a call whose journal does not say it."""
    started = next((fact.data for fact in facts if fact.kind is FactKind.STARTED), {})
    call_id = str(started.get("call_id", "")) or name
    if case is None and started.get("case_id"):
        case = _stand_in(facts, started)
    return facts_at(call_id, facts, case)


def rehear(bundle: Path, facts: Sequence[Fact], recognizer: Recognizer) -> dict[int, str]:
    """What another recogniser hears where the callee spoke, by the seq of the fact."""
    sound = read_audio(bundle)[:, 1]
    return {
        fact.seq: _hear(recognizer, sound, *_span(fact))
        for fact in facts
        if fact.kind is FactKind.HEARD and _span(fact)[1] > _span(fact)[0]
    }


def _span(fact: Fact) -> tuple[int, int]:
    start, end = fact.data.get("start_ms"), fact.data.get("end_ms")
    return (start, end) if isinstance(start, int) and isinstance(end, int) else (0, 0)


def _hear(recognizer: Recognizer, sound: NDArray[np.int16], start_ms: int, end_ms: int) -> str:
    first, last = max(0, start_ms - _MARGIN_MS) * _RATE // 1000, (end_ms + _MARGIN_MS) * _RATE // 1000
    piece = sound[first:last].astype(np.float32) / np.float32(32768)
    if recognizer.sample_rate != _RATE:
        piece = np.asarray(soxr.resample(piece, _RATE, recognizer.sample_rate))
    pcm = (np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes()
    stream, tick = recognizer.open(), recognizer.sample_rate // 50 * 2
    for at in range(0, len(pcm), tick):
        stream.accept(pcm[at : at + tick])
        recognizer.decode([stream])
    finished = stream.finish()
    text = (finished.result() if isinstance(finished, Future) else finished).text
    stream.close()
    return text


def _stand_in(facts: Sequence[Fact], started: Mapping[str, object]) -> Case:
    """A case with the figures of the journal, for somebody who can prove to be its debtor as the callee did."""
    amount, overdue, as_of = (started.get(key) for key in ("amount_fen", "overdue_days", "as_of"))
    began = dt.datetime.fromisoformat(facts[0].at)
    day = dt.date.fromisoformat(as_of) if isinstance(as_of, str) else began.date()
    return Case(
        id=str(started.get("case_id")),
        debtor=Debtor("replay", "客户", id_last4=_proof(facts)),
        creditor=Creditor("replay", "委托机构", "客户服务中心", ""),
        product="账单",
        amount_fen=amount if isinstance(amount, int) else 0,
        overdue_days=overdue if isinstance(overdue, int) else 0,
        as_of=day,
    )


def _proof(facts: Sequence[Fact]) -> str | None:
    """The digits said or pressed right before the identity was verified."""
    digits = ""
    for fact in facts:
        if fact.kind is FactKind.DTMF:
            digits = (digits + str(fact.data.get("digit", "")))[-4:]
        elif fact.kind is FactKind.HEARD:
            found = parse_slots(str(fact.data.get("text", "")), dt.datetime.fromisoformat(fact.at)).digits
            digits = found[-4:] if found else digits
        elif fact.kind is FactKind.VERIFIED:
            return digits if len(digits) == 4 else None
    return None


def each(
    bundles: Sequence[Path], candidate: Candidate, case_of: Callable[[Path], Case | None] = lambda bundle: None
) -> Iterator[Comparison | ReplayError]:
    """Play many calls in order; one that can't be played is yielded as its error and does not end the others."""
    for bundle in bundles:
        try:
            yield again(bundle, candidate, case_of(bundle))[0]
        except ReplayError as error:
            yield error
