"""The scorecard: its points and words, its mistakes, a model in its place, and the back-test against SciPy."""

from __future__ import annotations

import datetime as dt
import sys
import types
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.domain.case import Promise
from voicebot.domain.clock import FixedClock
from voicebot.domain.payment import Payment
from voicebot.domain.records import PromiseState
from voicebot.domain.risk import Past, shifted
from voicebot.store import Store
from voicebot.strategy.backtest import auc, backtest, ks
from voicebot.strategy.policies import Kind, PolicyShelf, load_policies
from voicebot.strategy.policy_text import PolicyError
from voicebot.strategy.scorecard import Scorecard, model_scorer, parse_scorecard
from voicebot.strategy.scoring import Scoring, past_cases

SHIPPED = load_policies(None).scorecard
CARD = parse_scorecard(
    """
title: 试卡
base: 30
tiers: [{id: low, from: 0}, {id: high, from: 50}]
facts:
  - fact: overdue_days
    words: 逾期 {value} 天
    points: [{below: 10, points: -10}, {from: 10, below: 30, points: 5}, {from: 30, points: 25}]
  - fact: trait.job
    words: 职业 {value}
    unknown: 2
    points: [{is: [司机, 销售], points: 7}]
  - fact: trait.owns_home
    words: 有房：{value}
    points: [{is: true, points: -9}]
""",
    "trial.yaml",
)


@pytest.mark.parametrize(
    ("facts", "score", "tier", "words"),
    [
        ({"overdue_days": 9, "trait.job": "教师"}, 20, "low", ["逾期 9 天"]),
        ({"overdue_days": 10, "trait.job": "司机"}, 42, "low", ["职业 司机", "逾期 10 天"]),
        ({"overdue_days": 30}, 57, "high", ["逾期 30 天", "职业 未知"]),
        ({"overdue_days": 30, "trait.owns_home": True, "trait.job": "x"}, 46, "low", ["逾期 30 天", "有房：是"]),
        ({}, 32, "low", ["职业 未知"]),
    ],
)
def test_points_add_up_and_are_told_heaviest_first(
    facts: dict[str, float | str | bool], score: int, tier: str, words: list[str]
) -> None:
    scored = CARD.score(facts)
    assert (scored.score, scored.tier) == (score, tier)
    assert [reason.words for reason in scored.reasons] == words
    assert CARD.base + sum(reason.points for reason in scored.reasons) == score


@given(st.dictionaries(st.sampled_from([factor.fact for factor in SHIPPED.factors]), st.floats(-1e6, 1e6)))
def test_the_shipped_card_scores_anything_between_0_and_100(facts: dict[str, float]) -> None:
    scored = SHIPPED.score(facts)
    assert 0 <= scored.score <= 100
    assert scored.tier == [tier for tier, floor in SHIPPED.floors if scored.score >= floor][-1]


def test_the_shipped_card_weighs_nothing_that_a_person_is() -> None:
    facts = {factor.fact for factor in SHIPPED.factors}
    assert not {fact for fact in facts if any(word in fact for word in ("sex", "gender", "age", "birth", "region"))}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tiers: [{id: low, from: 5}]", "begins at 0"),
        ("tiers: [{id: low, from: 0}, {id: high, from: 0}]", "at a higher score"),
        ("tiers: [{id: low, from: 0}]\nfacts: [{fact: a, words: b, points: [{points: 1}]}]\nbase: 101", "0 to 100"),
        ("tiers: [{id: low, from: 0}]\nfacts: [{fact: a, words: b, points: [{points: 1000}]}]", "from -100 to 100"),
        (
            "tiers: [{id: low, from: 0}]\nfacts: [{fact: a, words: b, points: [{from: 3, below: 3, points: 1}]}]",
            "not above",
        ),
        (
            "tiers: [{id: low, from: 0}]\n"
            "facts: [{fact: a, words: b, points: [{points: 1}]}, {fact: a, words: b, points: [{points: 1}]}]",
            "a fact stands twice",
        ),
    ],
)
def test_mistakes_in_cards_are_named(text: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named) as raised:
        parse_scorecard(f"title: x\n{text}\n", "mine.yaml")
    assert "mine.yaml" in str(raised.value)


class Third:
    """A model of the scikit-learn kind: a third of the days, in per cent, is the chance."""

    def __init__(self) -> None:
        self.columns = {"overdue_days": 6.0, "amount_yuan": 0.0}

    def predict_proba(self, rows: list[list[float]]) -> list[tuple[float, float]]:
        return [(1 - days / 300, days / 300) for days, _ in rows]


def test_any_model_with_predict_proba_stands_in_and_gives_reasons() -> None:
    module = types.ModuleType("a_model_of_theirs")
    module.model = Third()  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    try:
        scorer = model_scorer("a_model_of_theirs:model", CARD.floors)
        scored = scorer.score({"overdue_days": 180})
    finally:
        del sys.modules[module.__name__]
    assert (scored.score, scored.tier) == (60, "high")
    assert [(reason.fact, reason.points) for reason in scored.reasons] == [("overdue_days", 58.0)]
    assert scorer.score({}).score == 2, "the usual value stands for an unknown one"


@pytest.mark.parametrize("name", ["nowhere:model", "sys:nothing", "sys:path", ""])
def test_a_model_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="model"):
        model_scorer(name, CARD.floors)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=2, max_size=60))
def test_auc_and_ks_are_those_of_scipy(scores: list[tuple[int, bool]]) -> None:
    bad, good = [s for s, unpaid in scores if unpaid], [s for s, unpaid in scores if not unpaid]
    if not bad or not good:
        assert auc(scores) is None and ks(scores) is None
        return
    statistic = stats.mannwhitneyu(bad, good).statistic / (len(bad) * len(good))
    assert auc(scores) == pytest.approx(statistic)
    assert ks(scores) == pytest.approx(stats.ks_2samp(bad, good).statistic)


def test_the_lift_table_counts_everybody_once_hardest_first() -> None:
    card = replace(CARD, base=0, factors=())
    past = [Past(f"C{n}", {"overdue_days": n}, n >= 70) for n in range(100)]
    tested = backtest(_ByDays(card), past)
    assert (tested.auc, tested.ks, tested.cases, tested.unpaid) == (1.0, 1.0, 100, 30)
    assert [part.unpaid for part in tested.tenths] == [10, 10, 10, 0, 0, 0, 0, 0, 0, 0]
    assert [part.caught for part in tested.tenths][:4] == [0.3333, 0.6667, 1.0, 1.0]
    assert tested.tenths[0].lift == pytest.approx(3.333, abs=1e-3)
    assert sum(part.cases for part in tested.tiers) == 100


class _ByDays:
    """A scorer whose score is the days themselves."""

    name = "days"

    def __init__(self, card: Scorecard) -> None:
        self.tiers, self._card = card.tiers, card

    def score(self, facts):  # type: ignore[no-untyped-def]
        return replace(self._card.score({}), score=int(facts["overdue_days"]))


async def test_what_happened_becomes_facts_and_every_open_case_is_scored_once_a_day(store: Store) -> None:
    await store.cases.save([new_case(n) for n in (1, 2, 3)], NOON)
    await store.cases.set_status("C0003", "suspended", NOON)
    promise = await store.promises.record("C0001", None, Promise(NOON.date(), 5_000, confirmed=True), NOON)
    await store.promises.mark(promise, PromiseState.BROKEN)
    clock = FixedClock(NOON)
    scoring = Scoring(store, PolicyShelf(store, None), clock)
    assert await scoring.once() == 2
    assert await scoring.once() == 0
    broken, other = await store.risks.of_case("C0001"), await store.risks.of_case("C0002")
    assert broken and other and broken.score == other.score + 10
    assert "失约 1 次" in [reason.words for reason in broken.reasons]
    assert await store.risks.of_case("C0003") is None
    clock.advance(dt.timedelta(days=1))
    assert await scoring.once() == 2


async def test_a_changed_card_scores_everything_anew(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    shelf = PolicyShelf(store, None)
    scoring = Scoring(store, shelf, FixedClock(NOON))
    await scoring.once()
    text = (await shelf.current()).sources["scorecards", "standard"].replace("base: 40", "base: 90")
    assert await shelf.save(Kind.SCORECARD, "standard", text, "me", NOON) == 1
    assert await scoring.once() == 1
    risk = await store.risks.of_case("C0001")
    assert risk and risk.tier == "high"


async def test_the_past_is_as_it_was_known_then_and_payments_tell_how_it_went_on(store: Store) -> None:
    then = NOON - dt.timedelta(days=20)
    early = [replace(new_case(n), case=replace(new_case(n).case, as_of=then.date())) for n in (1, 2)]
    late = new_case(3)
    await store.cases.save([*early, late], then)
    whole = early[0].case.amount_fen
    await store.payments.settle(Payment("C0001", whole, NOON.date() - dt.timedelta(days=5), "ref-1", "hand"), NOON)
    past = {one.case_id: one for one in await past_cases(store, then, NOON.date())}
    assert {case_id: one.unpaid for case_id, one in past.items()} == {"C0001": False, "C0002": True}
    assert past["C0001"].facts["amount_yuan"] == whole / 100, "as it stood before the payment"
    assert past["C0001"].facts["payments"] == 0
    assert past["C0002"].facts["overdue_days"] == 12


def test_a_tier_moves_no_further_than_the_ends() -> None:
    tiers = ("low", "medium", "high")
    assert [shifted(tiers, "medium", by) for by in (-9, -1, 0, 1, 9)] == ["low", "low", "medium", "high", "high"]
    assert shifted(tiers, "", 1) == ""
