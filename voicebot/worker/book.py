"""StoreBook: the call book in the database, written behind the calls' backs and never waited for."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog

from voicebot.call.outcome import CallOutcome
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import CallRecord
from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telemetry import traces

log = structlog.get_logger(__name__)

BATCH_S = 0.1
RETRY_S = 1.0
MOST_TRIES = 3
"""How often the database may refuse something before it is given up; one that is away is waited for."""

Work = Callable[[], Awaitable[object]]


class StoreBook:
    """A CallBook: everything is queued in order; a database that is away for a while delays it, no more."""

    def __init__(self, store: Store, worker: str, recordings: Path, clock: Clock) -> None:
        self._store = store
        self._worker = worker
        self._recordings = recordings
        self._clock = clock
        self._queue: asyncio.Queue[Work | tuple[str, Fact]] = asyncio.Queue()
        self._emotions: dict[str, Counter[str]] = {}
        self._answered: set[str] = set()

    # --- CallBook ------------------------------------------------------------------------------------------

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None:
        record = CallRecord(
            id=facts.call_id,
            direction=facts.direction,
            number=facts.number,
            started_at=facts.started_at,
            case_id=facts.case.id if facts.case else None,
            attempt_id=int(attempt_id) if attempt_id else None,
            worker=self._worker,
            script=script,
        )
        self._emotions[facts.call_id] = Counter()
        self._put(lambda: self._store.calls.start(record))

    def fact(self, call_id: str, fact: Fact) -> None:
        if fact.kind is FactKind.UNDERSTOOD:
            emotion = fact.data.get("emotion")
            if isinstance(emotion, Mapping) and call_id in self._emotions:
                self._emotions[call_id][str(emotion.get("label"))] += 1
        if fact.kind is FactKind.STARTED:
            sha256 = fact.data.get("script_sha256")
            self._put(lambda: self._store.calls.change(call_id, script_sha256=sha256))
        if fact.kind is FactKind.ANSWERED and call_id not in self._answered:
            self._answered.add(call_id)
            now = self._clock.now()
            self._put(lambda: self._store.calls.change(call_id, answered_at=now))
        self._queue.put_nowait((call_id, fact))

    def live(self, call_id: str, data: Mapping[str, object]) -> None:
        now = self._clock.now().isoformat()
        self._queue.put_nowait((call_id, Fact(-1, now, 0, FactKind.HEARING, data)))

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None:
        emotion = dict(self._emotions.pop(facts.call_id, Counter()))
        values = {**self._values(outcome, bundle), "emotion": emotion}
        self._answered.discard(facts.call_id)
        self._put(lambda: self._close(facts.call_id, values))

    async def _close(self, call_id: str, values: Mapping[str, object]) -> None:
        with traces.span("close in the store", call_id, worker=self._worker):
            await self._store.calls.close(call_id, **values)

    def recovered(self, call_id: str, facts: Sequence[Fact], outcome: CallOutcome, bundle: Path) -> None:
        """A call that was cut by a crash and is sealed now: its whole journal, copied again where it is missing."""
        begun = _begun(call_id, facts, self._worker)
        if begun is not None:  # the line may have died before it could write that the call began
            self._put(lambda: self._store.calls.start(begun))
        self._put(lambda: self._store.facts.append(call_id, facts))
        values = {**self._values(outcome, bundle), "why": "cut by a crash"}
        self._put(lambda: self._store.calls.close(call_id, **values))

    def sealed(self, call_id: str, bundle: Path) -> None:
        """A call that was written long ago is sealed at last."""
        self._put(lambda: self._store.calls.change(call_id, bundle=str(bundle.relative_to(self._recordings))))

    def _values(self, outcome: CallOutcome, bundle: Path) -> dict[str, object]:
        return {
            "ended_at": self._clock.now(),
            "duration_ms": outcome.talk_ms,
            "disposition": outcome.disposition.value,
            "bundle": str(bundle.relative_to(self._recordings)),
            "handoff": outcome.handoff,
            "verified": outcome.verified,
        }

    # --- the writer ----------------------------------------------------------------------------------------

    def _put(self, work: Work) -> None:
        self._queue.put_nowait(work)

    async def run(self) -> None:
        """Write until cancelled; cancel after `drain`."""
        while True:
            first = await self._queue.get()
            taken = 1
            if callable(first):
                await self._persist(first)
            else:
                batch = [first]
                await asyncio.sleep(BATCH_S)
                following, taken = self._take_facts(batch)
                await self._keep(_by_call(batch))
                if following is not None:
                    await self._persist(following)
            for _ in range(taken):
                self._queue.task_done()

    async def _keep(self, by_call: Mapping[str, Sequence[Fact]]) -> None:
        """In one transaction; where that fails call by call, for what is refused of one must cost no other anything."""
        if len(by_call) > 1:
            try:
                await self._store.facts.append_all(by_call)
                return
            except Exception as error:
                log.warning("facts of several calls can't be written together", calls=len(by_call), error=repr(error))
        for call_id, facts in by_call.items():
            await self._persist(partial(self._store.facts.append, call_id, facts))

    async def drain(self) -> None:
        """Wait until everything is written."""
        await self._queue.join()

    def _take_facts(self, batch: list[tuple[str, Fact]]) -> tuple[Work | None, int]:
        """Gather the facts that wait; stop behind the first other work, which is returned to be done next."""
        taken = 1
        while not self._queue.empty():
            item = self._queue.get_nowait()
            taken += 1
            if callable(item):
                return item, taken
            batch.append(item)
        return None, taken

    async def _persist(self, work: Work) -> None:
        """Try until it is written; what the database refuses is given up and logged: the bundle still has it."""
        refused = 0
        while True:
            try:
                await work()
                return
            except Exception as error:
                refused += not is_away(error)
                if refused == MOST_TRIES:
                    log.exception("could not write to the call book")
                    return
                log.warning("the call book can't be written, trying again", error=repr(error))
                await asyncio.sleep(RETRY_S)


def _begun(call_id: str, facts: Sequence[Fact], worker: str) -> CallRecord | None:
    """The call as its first fact tells of it; the number is masked there."""
    if not facts or facts[0].kind is not FactKind.STARTED:
        return None
    told, attempt = facts[0].data, facts[0].data.get("attempt_id")
    case = told.get("case_id")
    return CallRecord(
        id=call_id,
        direction=str(told.get("direction", "outbound")),
        number=str(told.get("number_masked", "")),
        started_at=dt.datetime.fromisoformat(facts[0].at),
        case_id=str(case) if case else None,
        attempt_id=int(str(attempt)) if attempt else None,
        worker=worker,
        script=str(told["script"]) if told.get("script") else None,
    )


def _by_call(batch: Sequence[tuple[str, Fact]]) -> dict[str, list[Fact]]:
    """Each call's facts in order; apart, so that what is refused of one call costs no other call anything."""
    by_call: dict[str, list[Fact]] = {}
    for call_id, fact in batch:
        by_call.setdefault(call_id, []).append(fact)
    return by_call
