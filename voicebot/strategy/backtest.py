"""Back-test: how well scores told who would not pay, in the figures of the trade: AUC, KS and a lift table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from voicebot.domain.risk import Past, Scorer

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """Cases of one tenth (the highest scores first) or one tier: how many, how many did not pay, against the average.

    `lift` 2: twice as many as among all cases. `caught`: the share of all that did not pay up to and with this part.
    """

    name: str
    cases: int
    unpaid: int
    rate: float
    lift: float
    caught: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """`auc` and `ks` are None where all paid or none did."""

    scorer: str
    cases: int
    unpaid: int
    auc: float | None
    ks: float | None
    tenths: tuple[Part, ...]
    tiers: tuple[Part, ...]

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def backtest(scorer: Scorer, past: Iterable[Past]) -> Backtest:
    """Score every case as it was known then, and hold that against what became of it."""
    rows = [(scorer.score(case.facts), case.unpaid) for case in past]
    scores = [(scored.score, unpaid) for scored, unpaid in rows]
    unpaid = sum(bad for _, bad in scores)
    ranked = sorted(scores, key=lambda row: -row[0])
    cuts = [round(len(ranked) * n / TENTHS) for n in range(TENTHS + 1)]
    tenths = [(str(n + 1), ranked[cuts[n] : cuts[n + 1]]) for n in range(TENTHS)]
    tiers = [
        (tier, [(scored.score, bad) for scored, bad in rows if scored.tier == tier]) for tier in reversed(scorer.tiers)
    ]
    return Backtest(
        scorer.name, len(rows), unpaid, auc(scores), ks(scores), _parts(tenths, unpaid, len(rows)),
        _parts(tiers, unpaid, len(rows)),
    )  # fmt: skip


def auc(scores: Sequence[tuple[int, bool]]) -> float | None:
    """The chance that one who did not pay had a higher score than one who did; ties count half."""
    bad = sum(unpaid for _, unpaid in scores)
    good = len(scores) - bad
    if not bad or not good:
        return None
    above, below = 0.0, 0
    for _, (goods, bads) in _by_score(scores):
        above += bads * (below + goods / 2)
        below += goods
    return above / (bad * good)


def ks(scores: Sequence[tuple[int, bool]]) -> float | None:
    """The widest gap between the two groups' shares at or below a score."""
    bad = sum(unpaid for _, unpaid in scores)
    good = len(scores) - bad
    if not bad or not good:
        return None
    widest, goods_seen, bads_seen = 0.0, 0, 0
    for _, (goods, bads) in _by_score(scores):
        goods_seen, bads_seen = goods_seen + goods, bads_seen + bads
        widest = max(widest, abs(goods_seen / good - bads_seen / bad))
    return widest


def _by_score(scores: Sequence[tuple[int, bool]]) -> Iterable[tuple[int, tuple[int, int]]]:
    key: Callable[[tuple[int, bool]], int] = lambda row: row[0]  # noqa: E731
    for score, rows in groupby(sorted(scores, key=key), key):
        bads = [unpaid for _, unpaid in rows]
        yield score, (len(bads) - sum(bads), sum(bads))


def _parts(named: Sequence[tuple[str, list[tuple[int, bool]]]], unpaid: int, cases: int) -> tuple[Part, ...]:
    parts, caught = [], 0
    for name, rows in named:
        bads = sum(bad for _, bad in rows)
        caught += bads
        rate = bads / len(rows) if rows else 0.0
        scores = [score for score, _ in rows] or [0]
        lift = rate * cases / unpaid if unpaid else 0.0
        share = caught / unpaid if unpaid else 0.0
        low, high = min(scores), max(scores)
        parts.append(Part(name, len(rows), bads, round(rate, 4), round(lift, 3), round(share, 4), low, high))
    return tuple(parts)
