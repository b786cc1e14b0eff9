"""Scoring: every open case gets its score, tier and reasons once a day, and anew when the scorecard changes."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging

from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.risk import Past
from voicebot.store import DatabaseError, Store
from voicebot.strategy.policies import ONLY, Kind, Policies, PolicyShelf

EVERY_S = 300.0
BATCH = 2000
_log = logging.getLogger(__name__)


class Scoring:
    """`model`: `module:object` that stands in for the scorecard."""

    def __init__(self, store: Store, shelf: PolicyShelf, clock: Clock, model: str | None = None) -> None:
        self._store, self._shelf, self._clock, self._model = store, shelf, clock, model

    async def run(self) -> None:
        """For ever; a database that is away is waited for."""
        while True:
            try:
                scored = await self.once()
                if scored:
                    _log.info("scored %s cases", scored)
            except (DatabaseError, OSError, ValueError) as error:
                _log.error("cases can't be scored: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Score every open case that was not scored today by the card as it is; how many."""
        policies, now = await self._shelf.current(), self._clock.now()
        scorer = policies.scorer(self._model)
        card = card_of(policies, self._model)
        midnight = dt.datetime.combine(now.astimezone(SHANGHAI).date(), dt.time(), SHANGHAI)
        total, after = 0, ""
        while ids := await self._store.risks.stale(midnight, card, after, BATCH):
            facts = await self._store.risks.facts(ids, now)
            scored = {case_id: scorer.score(known) for case_id, known in facts.items()}
            await self._store.risks.write(scored, scorer.tiers, card, now)
            total, after = total + len(scored), ids[-1]
            await asyncio.sleep(0)
        return total


def card_of(policies: Policies, model: str | None = None) -> str:
    """Which card or model a score is by: a name that changes when the card does."""
    source = policies.sources[Kind.SCORECARD, ONLY[Kind.SCORECARD]]
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    return f"{model or policies.scorecard.name}:{digest}"


async def past_cases(store: Store, at: dt.datetime, until: dt.date, most: int | None = None) -> list[Past]:
    """The cases that a back-test looks at: as they were known at `at`, and whether they had paid by `until`.

    All of them, or by id until `most` are there.
    """
    found: list[Past] = []
    while most is None or len(found) < most:
        batch = await store.risks.past(at, until, found[-1].case_id if found else "", BATCH)
        if not batch:
            break
        found += batch
    return found
