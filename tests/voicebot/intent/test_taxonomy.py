"""The taxonomy is complete and its order of priority is the one that was agreed."""

from __future__ import annotations

from voicebot.domain.understanding import IntentScore
from voicebot.intent.taxonomy import DANGER, by_priority, ends_debt, rank, stops_dialling, taxonomy
from voicebot.intent.training.corpus import training_set


def test_there_are_115_intents_and_unknown() -> None:
    assert len(taxonomy()) == 116
    assert "unknown" in taxonomy()
    assert {label for row in training_set() for label in row.labels} == set(taxonomy())


def test_order_of_priority() -> None:
    order = [
        "vu_selfharm_veiled",
        "vu_crying",
        "ab_threat",
        "m_human",
        "tp_relation",
        "dp_amount",
        "pay_already_paid",
        "hs_no_money",
        "ptp_date",
        "rf_flat",
        "dl_busy",
        "q_amount",
        "m_offtopic",
        "unknown",
    ]
    ranks = [rank(name) for name in order]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)


def test_by_priority_puts_danger_before_a_likelier_promise() -> None:
    scores = (IntentScore("ptp_date", 0.9), IntentScore("dnc_stop", 0.3), IntentScore("vu_selfharm_veiled", 0.2))
    assert [score.id for score in by_priority(scores)] == ["vu_selfharm_veiled", "dnc_stop", "ptp_date"]


def test_what_ends_the_debt_and_what_stops_dialling() -> None:
    assert all(ends_debt(name) and stops_dialling(name) for name in DANGER)
    assert ends_debt("tp_relation") and not stops_dialling("tp_relation")
    assert stops_dialling("dnc_stop") and stops_dialling("tp_deceased") and stops_dialling("id_wrong_number")
    assert not ends_debt("ptp_date") and not stops_dialling("ptp_date")
    assert not ends_debt("no_such_intent") and not stops_dialling("no_such_intent")
