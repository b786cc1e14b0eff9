"""Sampling: calls are drawn for review by chance, risk, agent or script, and again for a blind second look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from voicebot.domain.quality import Review, Round, Sampling
from voicebot.quality.automatic import AUTOMATIC
from voicebot.quality.check import check_call
from voicebot.quality.scorecard import Scorecard
from voicebot.store.store import Store

_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


async def draw(
    store: Store, card: Scorecard, sampling: Sampling, count: int, since: dt.datetime, now: dt.datetime, of: str = ""
) -> Sequence[int]:
    """Put at most `count` calls that nobody reviewed yet before the reviewers; the ids of the reviews.

    `of`: the agent or script to draw from, where that is how it is drawn.
    """
    chosen = await store.reviews.candidates(since, sampling, of, count)
    automatic = {call_id: await proposed(store, card, call_id) for call_id, _ in chosen}
    return await store.reviews.draw(chosen, (card.id, card.sha256), sampling, now, automatic=automatic)


async def choose(
    store: Store, card: Scorecard, call_ids: Sequence[str], now: dt.datetime, round_: Round = Round.FIRST,
    copies: int = 1,
) -> Sequence[int]:  # fmt: skip
    """Put these calls before the reviewers, `copies` times each: for a calibration everybody gets one."""
    agents = await store.reviews.agents_of(call_ids)
    chosen = [(call_id, agents.get(call_id, "")) for call_id in call_ids]
    automatic = {call_id: await proposed(store, card, call_id) for call_id in call_ids}
    drawn: list[int] = []
    for _ in range(copies):
        drawn += await store.reviews.draw(
            chosen, (card.id, card.sha256), Sampling.CHOSEN, now, round_, automatic=automatic
        )
    return drawn


async def second_look(store: Store, reviews: Sequence[Review], now: dt.datetime) -> Sequence[int]:
    """Let somebody else review the same calls with the same scorecard, blind to the first answers."""
    drawn: list[int] = []
    for review in reviews:
        drawn += await store.reviews.draw(
            [(review.call_id, review.agent)], (review.scorecard, review.scorecard_sha256), review.why, now,
            Round.SECOND, {review.call_id: review.id}, {review.call_id: review.automatic},
        )  # fmt: skip
    return drawn


async def proposed(store: Store, card: Scorecard, call_id: str) -> Mapping[str, str]:
    """What the machine answers to the automatic questions of a scorecard."""
    facts = await store.facts.of(call_id)
    check = await store.checks.of(call_id)
    if check is None:
        check = check_call(call_id, facts, None, dt.datetime.fromisoformat(facts[-1].at) if facts else _LONG_AGO)
    return {question.id: AUTOMATIC[question.auto](facts, check) for question in card.questions if question.auto}
