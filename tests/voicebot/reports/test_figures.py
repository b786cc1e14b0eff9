"""Ratios, intervals and the registry of figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from voicebot.console.figure_words import FIGURE_TEXTS
from voicebot.domain.report import Arm, Roll
from voicebot.domain.tally import COUNTERS, age_band
from voicebot.reports.book import roll_matrix, uplifts
from voicebot.reports.figures import FIGURES, evaluate
from voicebot.reports.ratio import Ratio, difference
from voicebot.reports.reference import reference

ROOT = Path(__file__).resolve().parents[3]
MONEY = {"debtors", "debtors_verified", "matured", "kept", "kept_80", "broken", "renewed", "payers",
         "payers_unpromised", "paid_fen", "assigned_fen"}  # fmt: skip


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counted: tuple[int, int]) -> None:
    k, n = counted
    low, high = binomtest(k, n).proportion_ci(0.95, "wilson")
    assert Ratio(k, n).interval() == pytest.approx((low, high), abs=1e-9)


def test_the_difference_is_newcombes() -> None:
    # Newcombe 1998, table II, contrast (a): 56/70 and 48/80
    assert difference(Ratio(56, 70), Ratio(48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert difference(Ratio(1, 2), Ratio(0, 0)) is None


def test_the_reference_is_the_registry() -> None:
    assert (ROOT / "docs/reference/figures.md").read_text(encoding="utf-8") == reference()


def test_every_figure_is_defined_and_reads_only_what_is_counted() -> None:
    class Read(dict):  # type: ignore[type-arg]
        def get(self, name: str, otherwise: int = 0) -> int:  # type: ignore[override]
            assert name in set(COUNTERS) | MONEY, f"nothing counts {name}"
            return 3

    assert set(FIGURE_TEXTS) == set(FIGURES)
    for figure in FIGURES.values():
        assert "/" in figure.definition
        assert figure.of(Read()).denominator > 0


def test_nothing_counted_is_no_value() -> None:
    assert all(ratio.value is None for ratio in evaluate({}).values())


def test_there_is_no_comparison_without_a_hold_out() -> None:
    treated, held = Arm("gentle", False, 100, 40, 4000, 9000), Arm("gentle", True, 50, 10, 900, 4500)
    assert uplifts([treated, Arm("steady", False, 10, 5, 1, 2)]) == []
    (found,) = uplifts([treated, held])
    assert found.difference is not None
    assert found.difference[0] == pytest.approx(0.2)
    assert found.difference[1] < 0.2 < found.difference[2]


def test_rows_of_the_matrix_sum_to_one() -> None:
    import datetime as dt

    month = dt.date(2026, 10, 1)
    rolls = [Roll(month, "M1", "M2", 30, 1), Roll(month, "M1", "cured", 60, 1), Roll(month, "M1", "M1", 10, 1)]
    row = roll_matrix([*rolls, Roll(month, "M2", "M3", 4, 1)])["M1"]
    assert row["M2"] == Ratio(30, 100)
    assert sum(ratio.numerator for ratio in row.values()) == 100


@pytest.mark.parametrize(
    ("age", "band"), [(None, ""), (18, "<25"), (24, "<25"), (25, "25-34"), (34, "25-34"), (64, "55-64"), (65, "65+")]
)
def test_ages_fall_into_bands(age: int | None, band: str) -> None:
    assert age_band(age) == band
