"""Agreement: how far two reviewers answer alike beyond chance - Cohen's kappa, by question and in all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voicebot.domain.quality import Review


@dataclass(frozen=True, slots=True)
class Agreement:
    """`kappa` is None where chance alone would agree always, or nothing was answered twice."""

    question: str
    answered: int
    alike: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        return self.alike / self.answered if self.answered else None


def kappa(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two raters' answers: 1 is full agreement, 0 what chance gives.

    J. Cohen, Educational and Psychological Measurement 20 (1960) 37.
    """
    told = list(pairs)
    if not told:
        return None
    n = len(told)
    observed = sum(a == b for a, b in told) / n
    first, second = Counter(a for a, _ in told), Counter(b for _, b in told)
    by_chance = sum(first[answer] * second[answer] for answer in first) / (n * n)
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def agreement(pairs: Sequence[tuple[Review, Review]]) -> list[Agreement]:
    """All questions together under "", then each question. Only answers that both gave count."""
    by_question: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for first, second in pairs:
        for question, answer in first.answers.items():
            if question in second.answers:
                by_question[question].append((answer, second.answers[question]))
                by_question[""].append((answer, second.answers[question]))
    return [_agreement(question, answers) for question, answers in sorted(by_question.items())]


def calibration(reviews: Sequence[Review]) -> Mapping[str, float]:
    """How many points each reviewer lies above the mean of all who reviewed the same calls (calibration sessions)."""
    by_call: dict[tuple[str, str], list[Review]] = defaultdict(list)
    for review in reviews:
        if review.score is not None and review.reviewer:
            by_call[review.call_id, review.scorecard_sha256].append(review)
    off: dict[str, list[float]] = defaultdict(list)
    for group in by_call.values():
        if len({review.reviewer for review in group}) < 2:
            continue
        mean = sum(review.score or 0.0 for review in group) / len(group)
        for review in group:
            off[review.reviewer or ""].append((review.score or 0.0) - mean)
    return {name: round(sum(points) / len(points), 2) for name, points in sorted(off.items())}


def _agreement(question: str, answers: Sequence[tuple[str, str]]) -> Agreement:
    return Agreement(question, len(answers), sum(a == b for a, b in answers), kappa(answers))
