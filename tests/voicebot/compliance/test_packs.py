"""Packs: files of an installation, several jurisdictions at once, a creditor's own terms, and calendars that end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.compliance.asking import judge_by
from voicebot.compliance.pack import RulePackError, parse_pack
from voicebot.compliance.packs import load_packs, sha256_of, shipped_packs
from voicebot.compliance.rulebook import judge
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.permission import Agreement, DialRequest, PastAttempt, Reached

MORNING = dt.datetime(2026, 11, 24, 9, 30, tzinfo=SHANGHAI)
ASK = DialRequest(MORNING, ("CN",), "debtor", "13800000001", creditor_id="bank")
OWN = """
pack: CN-BANK
extends: CN
version: "1"
creditors: [bank]
rules:
  CN-T1: {parameters: {window: ["10:00", "18:00"]}}
  CN-F4: {parameters: {attempts_per_rolling_days: 2}}
"""
YEAR = """
year: 2027
source: a notice
holidays:
  - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
"""


def test_a_creditors_own_terms_are_judged_beside_the_law(tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(OWN)
    packs = load_packs(tmp_path)
    refused = judge(ASK, packs)
    assert (refused.allowed, refused.rule) == (False, "CN-T1")
    assert refused.not_before == MORNING.replace(hour=10, minute=0)
    other = judge(replace(ASK, creditor_id="somebody else"), packs)
    assert other.allowed and other.pack_sha256 != refused.pack_sha256


def test_own_terms_cannot_loosen_the_law(tmp_path: Path) -> None:
    (tmp_path / "bank.yaml").write_text(OWN.replace('["10:00", "18:00"]', '["00:00", "23:59"]'))
    night = replace(ASK, now=MORNING.replace(hour=21))
    assert judge(night, load_packs(tmp_path)).rule == "CN-T1"


def test_of_two_jurisdictions_the_stricter_one_wins() -> None:
    consent = (Agreement("artificial_voice"),)
    says = frozenset({"US-3", "US-9"})
    abroad = replace(ASK, jurisdictions=("CN", "US"), consents=consent, script_says=says)
    here, there = replace(abroad, jurisdictions=("CN",)), replace(abroad, jurisdictions=("US",))
    packs = shipped_packs()
    for hour in range(24):
        at = MORNING.replace(hour=hour)
        both = judge(replace(abroad, now=at), packs).allowed
        assert both == (judge(replace(here, now=at), packs).allowed and judge(replace(there, now=at), packs).allowed)
    assert judge(replace(abroad, now=MORNING.replace(hour=10)), packs).rule == "US-1", "night in New York"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, None),
        ({"consents": ()}, "US-5"),
        ({"script_says": frozenset({"US-9"})}, "US-3"),
        ({"script_says": frozenset({"US-3"})}, "US-9"),
        ({"now": dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)}, "US-1"),  # 10:00 in New York, 5:00 in Hawaii
        ({"history": (PastAttempt(dt.datetime(2026, 11, 20, tzinfo=dt.UTC), "1", Reached.CONVERSATION),)}, "US-2"),
    ],
)
def test_the_pack_of_the_united_states(change: dict[str, object], rule: str | None) -> None:
    noon = dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC)  # 10:00 in Hawaii, 15:00 in New York
    agreed, says = (Agreement("artificial_voice"),), frozenset({"US-3", "US-9"})
    request = DialRequest(noon, ("US",), "debtor", "+13125550100", consents=agreed, script_says=says)
    verdict = judge(replace(request, **change), shipped_packs())  # type: ignore[arg-type]
    assert (verdict.allowed, verdict.rule) == (rule is None, rule)


def test_no_hours_are_invented_for_the_european_union() -> None:
    assert judge(replace(ASK, jurisdictions=("EU",)), shipped_packs()).rule == "EU-1"


def test_contacts_are_never_rung_in_the_united_kingdom() -> None:
    request = replace(ASK, now=dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC), jurisdictions=("UK",))
    assert judge(request, shipped_packs()).allowed
    away = replace(request, target_kind="contact", debtor_unreachable=True)
    assert judge(away, shipped_packs()).rule == "UK-2"


def test_a_calendar_that_ends_warns_months_ahead_and_then_closes_until_it_is_filled(tmp_path: Path) -> None:
    shipped = shipped_packs()
    assert not shipped.warnings(dt.date(2026, 8, 1))
    warned = shipped.warnings(dt.date(2026, 9, 15))
    assert len(warned) == 1 and "2027" in warned[0] and "calendar-2027.yaml" in warned[0]
    new_year = replace(ASK, now=dt.datetime(2027, 1, 5, 10, tzinfo=SHANGHAI))
    closed = judge(new_year, shipped)
    assert (closed.rule, closed.not_before, closed.passing) == ("CN-T3", None, True)
    put_off = judge_by(shipped)(new_year, new_year.now)
    assert put_off.not_before is not None, "the case waits for the calendar and is not given up"
    (tmp_path / "calendar-2027.yaml").write_text(YEAR)
    filled = load_packs(tmp_path)
    assert judge(new_year, filled).allowed
    assert judge(replace(new_year, now=dt.datetime(2027, 1, 2, 10, tzinfo=SHANGHAI)), filled).rule == "CN-T3"
    assert filled.laws["CN"].sha256 != shipped.laws["CN"].sha256, "the calendar is part of what a verdict rests on"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("broken.yaml", "pack: ["),
        ("stranger.yaml", "extends: MARS\npack: M\nversion: 1\nrules: {}"),
        ("calendar-2027.yaml", YEAR.replace("a notice", "''")),
        ("calendar-2027.yaml", YEAR.replace("to: 2027-01-03", "to: 2028-01-03")),
        ("odd.yaml", OWN.replace("window:", "windows:").replace("CN-T1: {", "CN-T9: {judges: [hours], ")),
        ("misspelt.yaml", OWN.replace("CN-T1: {", "CN-T1: {judges: [ours], ")),
    ],
)
def test_a_file_that_cannot_be_read_forbids_until_it_is_mended(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    packs = load_packs(tmp_path)
    verdict = judge(ASK, packs)
    assert (verdict.rule, verdict.passing) == ("CN-V1", True) and name in verdict.reason
    assert any(name in warning for warning in packs.warnings(MORNING.date()))


def test_a_pack_is_in_force_between_its_days(tmp_path: Path) -> None:
    dated = OWN.replace("creditors:", "valid_from: 2026-11-25\nvalid_to: 2026-11-26\ncreditors:")
    (tmp_path / "bank.yaml").write_text(dated)
    packs = load_packs(tmp_path)
    early = judge(replace(ASK, now=MORNING.replace(hour=11)), packs)
    assert early.rule == "CN-V1" and early.not_before == dt.datetime(2026, 11, 25, 10, tzinfo=SHANGHAI)
    late = judge(replace(ASK, now=dt.datetime(2026, 11, 27, 11, tzinfo=SHANGHAI)), packs)
    assert late.rule == "CN-V1" and late.passing


def test_one_pack_keeps_its_name_and_several_share_one() -> None:
    cn, us = shipped_packs().laws["CN"], shipped_packs().laws["US"]
    assert sha256_of([cn]) == cn.sha256
    assert sha256_of([cn, us]) != sha256_of([us, cn]) != cn.sha256


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_pack_or_refused(data: bytes) -> None:
    with pytest.raises(RulePackError):
        parse_pack(data)
