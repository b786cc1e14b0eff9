"""Rows of the command line: FORMATS fields, and bad rows that stay rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voicebot.intent.rows import predict_row, slots_row
from voicebot.intent.understander import Understander

NOW = "2026-11-24T10:00:00+08:00"


def test_a_prediction_has_the_fields_of_the_contract(understander: Understander) -> None:
    row = predict_row({"id": 7, "text": "我下周五还", "context": "debt", "now": NOW, "other": 1}, understander)
    assert row["id"] == 7
    assert row["intents"][0]["id"] == "ptp_date" and 0 < row["intents"][0]["p"] <= 1
    assert row["emotion"]["label"] and 0 < row["emotion"]["p"] <= 1
    assert row["slots"]["date"] == "2026-12-04"
    assert row["ms"] >= 0
    json.dumps(row)


def test_slots_have_the_fields_of_the_contract_and_null_where_absent() -> None:
    row = slots_row({"id": "a", "text": "明天下午三点", "now": NOW})
    assert row == {
        "id": "a",
        "date": "2026-11-25",
        "date_end": None,
        "time": "15:00",
        "amount_fen": None,
        "amount_min_fen": None,
        "amount_max_fen": None,
        "ratio": None,
        "installments": None,
        "per_installment_fen": None,
        "digits": None,
        "ambiguous": False,
        "tense": "future",
    }


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"id": 1}, "text"),
        ({"id": 1, "text": 5, "now": NOW}, "text"),
        ({"id": 1, "text": "好"}, "now"),
        ({"id": 1, "text": "好", "now": "yesterday"}, "now"),
        ({"id": 1, "text": "好", "now": 12}, "now"),
        ([], "object"),
        ("好", "object"),
    ],
)
def test_a_bad_slots_row_names_its_field(row: Any, field: str) -> None:
    answer = slots_row(row)
    assert field in answer["error"]
    assert answer["id"] == (row["id"] if isinstance(row, dict) else None)


@pytest.mark.parametrize(
    ("row", "field"),
    [({"id": 1, "text": None}, "text"), ({"id": 1, "text": "好", "context": "weather"}, "context"), (None, "object")],
)
def test_a_bad_prediction_row_names_its_field(row: Any, field: str, understander: Understander) -> None:
    assert field in predict_row(row, understander)["error"]


def test_a_time_without_offset_is_that_of_shanghai() -> None:
    assert slots_row({"id": 1, "text": "今天", "now": "2026-11-24T23:30:00"})["date"] == "2026-11-24"
