"""QualityData: what reviewers read and write - calls to review, findings, comments, appeals, agreement, search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.domain.clock import Clock
from voicebot.domain.quality import (
    Appeal,
    CallCheck,
    Comment,
    Review,
    Round,
    Sampling,
    SpeechHit,
    SpeechSearch,
)
from voicebot.quality.agreement import Agreement, agreement, calibration
from voicebot.quality.sampling import choose, draw, proposed, second_look
from voicebot.quality.scorecard import Scorecard, scorecards
from voicebot.store import Store
from voicebot.store.replays import ReplayRun

PER_PAGE = 25
LATELY = dt.timedelta(days=30)
"""How far back calls are drawn from, and reviews are compared."""


@dataclass(frozen=True, slots=True)
class CallQuality:
    """All that is known of one call's quality. `verdicts`: by fact and rule."""

    check: CallCheck | None
    verdicts: Mapping[tuple[int, str], str]
    reviews: Sequence[Review]
    comments: Sequence[Comment]
    appeals: Sequence[Appeal]


@dataclass(frozen=True, slots=True)
class OwnReview:
    """A review of one's own call. `wrong`: titles of the questions answered no; `appeals` the latest first."""

    review: Review
    passed: bool
    wrong: Sequence[str]
    findings: Sequence[str]
    appeals: Sequence[Appeal]

    @property
    def may_appeal(self) -> bool:
        return not any(appeal.state == "open" for appeal in self.appeals)


@dataclass(frozen=True, slots=True)
class Session:
    """One call before several reviewers. `done` is empty while somebody has not finished: it is blind."""

    call_id: str
    card: Scorecard | None
    done: Sequence[Review]
    finished: int
    asked: int

    @property
    def mean(self) -> float | None:
        scores = [review.score for review in self.done if review.score is not None]
        return sum(scores) / len(scores) if scores else None


class QualityData:
    """Commands raise LookupError for what does not exist and ValueError, readable to people, for what can't be."""

    def __init__(self, store: Store, clock: Clock, home: Path | None = None) -> None:
        self._store = store
        self._clock = clock
        self._home = home

    def cards(self) -> Mapping[str, Scorecard]:
        return scorecards(self._home)

    def card(self, name: str) -> Scorecard:
        try:
            return self.cards()[name]
        except KeyError:
            raise LookupError(f"there is no scorecard {name!r}") from None

    # -- one call

    async def of_call(self, call_id: str) -> CallQuality:
        reviews = await self._store.reviews.of_call(call_id)
        objections = [a for r in reviews for a in await self._store.reviews.appeals(False, r.id)]
        return CallQuality(
            check=await self._store.checks.of(call_id),
            verdicts=await self._store.checks.verdicts(call_id),
            reviews=reviews,
            comments=await self._store.reviews.comments(call_id),
            appeals=objections,
        )

    async def judge(self, call_id: str, seq: int, rule: str, verdict: str, by: str) -> None:
        await self._there(call_id)
        await self._store.checks.judge(call_id, seq, rule, verdict, by, self._clock.now())

    async def comment(self, call_id: str, ms: int, words: str, by: str) -> int:
        await self._there(call_id)
        if not words.strip():
            raise ValueError("a comment needs words")
        return await self._store.reviews.comment(call_id, max(0, ms), by, words.strip()[:2000], self._clock.now())

    async def _there(self, call_id: str) -> None:
        if await self._store.calls.find(call_id) is None:
            raise LookupError(f"there is no call {call_id}")

    # -- reviews

    async def waiting(self, reviewer: str) -> Sequence[Review]:
        return await self._store.reviews.waiting(reviewer)

    async def done(self) -> Sequence[Review]:
        return await self._store.reviews.done(self._clock.now() - LATELY, limit=100)

    async def draw(self, card: str, sampling: str, count: int, of: str = "") -> int:
        """Draw calls for review; how many were found."""
        if sampling not in (*(s.value for s in Sampling if s is not Sampling.CHOSEN),):
            raise ValueError("calls are drawn at random, by risk, per agent or per script")
        if not 1 <= count <= 500:
            raise ValueError("between 1 and 500 calls are drawn at once")
        now = self._clock.now()
        return len(await draw(self._store, self.card(card), Sampling(sampling), count, now - LATELY, now, of))

    async def open_review(self, call_id: str, reviewer: str, card: str) -> Review:
        """The review of this call that this reviewer is to fill in; one is made where there is none."""
        mine = [r for r in await self._store.reviews.waiting(reviewer, 1000) if r.call_id == call_id]
        if mine:
            return mine[0]
        await self._there(call_id)
        (made,) = await choose(self._store, self.card(card), [call_id], self._clock.now())
        found = await self._store.reviews.find(made)
        assert found is not None
        return found

    async def review(self, review_id: int, reviewer: str, answers: Mapping[str, str], note: str) -> float:
        """Finish a review: all questions are answered, the machine's proposals included; its score."""
        found = await self._store.reviews.find(review_id)
        if found is None:
            raise LookupError(f"there is no review {review_id}")
        card = self.card(found.scorecard)
        score, fatal = card.score(answers)
        kept = {question.id: answers[question.id] for question in card.questions}
        now = self._clock.now()
        for place in await self._places(found, reviewer):
            if await self._store.reviews.finish(place, reviewer, kept, note.strip()[:4000], score, fatal, now):
                return score
        raise ValueError("this review is somebody else's, or it is done already")

    async def _places(self, review: Review, reviewer: str) -> Sequence[int]:
        """The review itself; in a calibration any place that is free, for several have opened the same one."""
        if review.round is not Round.CALIBRATION:
            return [review.id]
        places = [
            one
            for one in await self._store.reviews.of_call(review.call_id)
            if one.round is review.round and one.scorecard == review.scorecard
        ]
        if any(one.reviewer == reviewer for one in places):
            return []
        return [one.id for one in places if one.state == "waiting"]

    async def second(self, count: int) -> int:
        """Have finished reviews looked at once more by somebody else, blind; how many."""
        done = await self._store.reviews.done(self._clock.now() - LATELY)
        again = await self._store.reviews.seconded()
        first = [review for review in done if review.round is Round.FIRST and review.id not in again]
        return len(await second_look(self._store, first[:count], self._clock.now()))

    async def calibrate(self, call_id: str, card: str, reviewers: int) -> int:
        """Put one call before several reviewers at once; how many may take it."""
        await self._there(call_id)
        if not 2 <= reviewers <= 20:
            raise ValueError("a calibration needs between 2 and 20 reviewers")
        drawn = await choose(
            self._store, self.card(card), [call_id], self._clock.now(), Round.CALIBRATION, reviewers
        )
        return len(drawn)

    async def proposed(self, card: Scorecard, call_id: str) -> Mapping[str, str]:
        return await proposed(self._store, card, call_id)

    async def pairs(self) -> Sequence[tuple[Review, Review]]:
        return await self._store.reviews.pairs(self._clock.now() - LATELY)

    async def agreement(self) -> Sequence[Agreement]:
        """How alike first and blind second reviews of the last thirty days are."""
        return agreement(await self.pairs())

    async def calibration(self) -> Mapping[str, float]:
        """How far every reviewer lies off the mean of those who reviewed the same calls."""
        return calibration(await self._store.reviews.done(self._clock.now() - LATELY))

    async def sessions(self) -> Sequence[Session]:
        """Calibrations of the last thirty days, the latest first."""
        by_call: dict[tuple[str, str], list[Review]] = {}
        for review in await self._store.reviews.of_round(self._clock.now() - LATELY, Round.CALIBRATION):
            by_call.setdefault((review.call_id, review.scorecard), []).append(review)
        cards = self.cards()
        found = []
        for (call_id, card), asked in by_call.items():
            done = [review for review in asked if review.state == "done"]
            shown = sorted(done, key=lambda review: review.reviewer or "") if len(done) == len(asked) else ()
            found.append(Session(call_id, cards.get(card), shown, len(done), len(asked)))
        return found

    async def calibrated(self) -> Sequence[Agreement]:
        """How alike the answers of calibrations are that everybody finished."""
        finished = {session.call_id for session in await self.sessions() if session.done}
        pairs = await self._store.reviews.pairs(self._clock.now() - LATELY, Round.CALIBRATION)
        return agreement([pair for pair in pairs if pair[0].call_id in finished])

    # -- appeals

    async def mine(self, agent: str) -> Sequence[OwnReview]:
        """What reviewers said of an agent's own calls, and what became of their appeals."""
        cards = self.cards()
        return [await self._own(review, cards) for review in await self._store.reviews.of_agent(agent)]

    async def _own(self, review: Review, cards: Mapping[str, Scorecard]) -> OwnReview:
        card = cards.get(review.scorecard)
        titles = {question.id: question.title for question in card.questions} if card else {}
        wrong = [titles.get(name, name) for name, answer in review.answers.items() if answer == "no"]
        check = await self._store.checks.of(review.call_id)
        said = [f.text for f in check.findings if f.speaker == "agent"] if check else []
        passed = (review.score or 0.0) >= (card.passes if card else 80.0)
        return OwnReview(review, passed, wrong, said, await self._store.reviews.appeals(False, review.id))

    async def appeals(self) -> Sequence[Appeal]:
        return await self._store.reviews.appeals()

    async def appeal(self, review_id: int, by: str, agent: str | None, words: str) -> int:
        """An agent objects to a review of their own call."""
        found = await self._store.reviews.find(review_id)
        if found is None:
            raise LookupError(f"there is no review {review_id}")
        if agent is None or found.agent != agent:
            raise ValueError("only the agent whose call it was can appeal")
        if not words.strip():
            raise ValueError("an appeal needs a reason")
        return await self._store.reviews.appeal(review_id, by, words.strip()[:2000], self._clock.now())

    async def decide(self, appeal_id: int, by: str, answer: str, score: float | None) -> None:
        """Decide an appeal: `score` None lets the review stand."""
        if score is not None and not 0 <= score <= 100:
            raise ValueError("a score lies between 0 and 100")
        if not await self._store.reviews.decide(appeal_id, by, answer.strip()[:2000], score, self._clock.now()):
            raise LookupError(f"there is no open appeal {appeal_id}")

    # -- search, replay

    async def search(self, wanted: SpeechSearch, page: int = 1) -> tuple[Sequence[SpeechHit], int]:
        return await self._store.transcripts.search(wanted, PER_PAGE, (page - 1) * PER_PAGE)

    async def replays(self, script: str | None = None) -> Sequence[ReplayRun]:
        return await self._store.replays.latest(script)
