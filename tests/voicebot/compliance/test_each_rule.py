"""Each rule that the rulebook judges forbids something, and nothing else does once it is taken out of its pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from voicebot.compliance.handbook import ENFORCED, handbook
from voicebot.compliance.pack import Rule, RulePack
from voicebot.compliance.packs import shipped_packs
from voicebot.compliance.rulebook import judge
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.permission import Agreement, CallerId, DialRequest, Means, PastAttempt, Reached, Recorder, Stop

ROOT = Path(__file__).parents[3]
NOW = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
NUMBER, OURS = "13800000001", "01012345678"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
REGISTERED = CallerId(OURS, "示范公司", dt.date(2026, 1, 1), None, dt.date(2026, 6, 1))
GOOD = Means(Recorder(NOW, 1 << 40), (OURS,), (REGISTERED,), True)
CN = DialRequest(NOW, ("CN",), "debtor", NUMBER, means=GOOD)
ABROAD = dt.datetime(2026, 11, 24, 20, tzinfo=dt.UTC)
US = replace(CN, now=ABROAD, jurisdictions=("US",), consents=(Agreement("artificial_voice"),),
             script_says=frozenset({"US-3", "US-9"}))  # fmt: skip
UK = replace(CN, now=dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC), jurisdictions=("UK",))


def past(ago: dt.timedelta, reached: Reached = Reached.BUSY, number: str = NUMBER) -> PastAttempt:
    return PastAttempt(NOW - ago, number, reached)


LONG_AGO = (*(past(day * DAY) for day in (1, 2, 3, 4, 5, 6)), past(6 * DAY + HOUR))
WITNESSES: Mapping[str, DialRequest] = {
    "CN-T1": replace(CN, now=NOW.replace(hour=20)),
    "CN-T3": replace(CN, now=NOW.replace(hour=12)),
    "CN-F1": replace(CN, history=(past(HOUR, Reached.CONVERSATION),), now=NOW + 4 * HOUR),
    "CN-F2": replace(CN, history=tuple(past(n * HOUR) for n in (1, 0, -1)), now=NOW.replace(hour=18)),
    "CN-F3": replace(CN, history=(past(HOUR),)),
    "CN-F4": replace(CN, history=LONG_AGO),
    "CN-C1": replace(CN, target_kind="contact"),
    "CN-C2": replace(CN, stops=(Stop("contact_refused", NUMBER),)),
    "CN-N1": replace(CN, means=replace(GOOD, registry=())),
    "CN-D1": replace(CN, stops=(Stop("deceased"),)),
    "CN-D2": replace(CN, stops=(Stop("do_not_call"),)),
    "CN-R1": replace(CN, means=replace(GOOD, recorder=Recorder(None, 1 << 40))),
    "CN-V1": replace(CN, means=replace(GOOD, script_released=False)),
    "US-1": replace(US, now=ABROAD.replace(hour=12)),
    "US-2": replace(US, history=(PastAttempt(ABROAD - 3 * DAY, NUMBER, Reached.CONVERSATION),)),
    "US-3": replace(US, script_says=frozenset({"US-9"})),
    "US-4": replace(US, target_kind="contact"),
    "US-5": replace(US, consents=()),
    "US-6": replace(US, stops=(Stop("attorney"),)),
    "US-7": replace(US, stops=(Stop("time_barred"),)),
    "US-9": replace(US, script_says=frozenset({"US-3"})),
    "UK-1": replace(UK, now=UK.now.replace(hour=22)),
    "UK-2": replace(UK, target_kind="contact", debtor_unreachable=True),
    "UK-3": replace(UK, stops=(Stop("breathing_space", at=UK.now),)),
}
PACK_OF = {rule: pack for pack in shipped_packs().all for rule in pack.rules}


def without(pack: RulePack, rule: str) -> RulePack:
    """The pack whose rule judges nothing any more; kinds of stop it named are known to another one that they miss."""
    muted: dict[str, Rule] = {**pack.rules, rule: replace(pack.rules[rule], judges=())}
    return replace(pack, rules=muted)


def recorded_now(request: DialRequest) -> DialRequest:
    """With a sign of life of the recorder at the moment that is asked about, if there was one at all."""
    assert request.means is not None
    recorder = request.means.recorder
    alive = replace(recorder, alive_at=recorder.alive_at and request.now)
    return replace(request, means=replace(request.means, recorder=alive))


@pytest.mark.parametrize("request_", [CN, US, UK], ids=["CN", "US", "UK"])
def test_with_everything_in_order_we_may_dial(request_: DialRequest) -> None:
    assert judge(recorded_now(request_), shipped_packs()).allowed


def test_what_we_call_with_does_not_change_when_a_refusal_ends() -> None:
    """The recorder's sign of life of now says nothing of tomorrow: the case waits for its hours, not for a recorder."""
    evening = recorded_now(WITNESSES["CN-T1"])
    verdict = judge(evening, shipped_packs())
    assert (verdict.not_before, verdict.passing) == (NOW.replace(hour=9) + DAY, False)
    assert evening.means is not None
    broken = judge(replace(evening, means=replace(evening.means, script_released=False)), shipped_packs())
    assert (broken.rule, broken.not_before, broken.passing) == ("CN-V1", NOW.replace(hour=9) + DAY, True)


@pytest.mark.parametrize("rule", sorted(WITNESSES))
def test_a_rule_forbids_and_without_it_nothing_does(rule: str) -> None:
    pack, request = PACK_OF[rule], recorded_now(WITNESSES[rule])
    verdict = judge(request, pack)
    assert (verdict.allowed, verdict.rule) == (False, rule)
    assert pack.rules[rule].source in verdict.reason
    assert judge(request, without(pack, rule)).allowed, "something else forbids it too, so it proves nothing"


def test_every_rule_that_judges_has_a_witness() -> None:
    judging = {rule for rule, pack in PACK_OF.items() if pack.rules[rule].judges}
    assert judging - set(WITNESSES) == {"EU-1", "EU-2"}, "which close the European Union altogether"


@pytest.mark.parametrize(
    ("means", "why"),
    [
        (replace(GOOD, registry=(replace(REGISTERED, valid_to=dt.date(2026, 11, 23)),)), "使用期限"),
        (replace(GOOD, registry=(replace(REGISTERED, valid_from=dt.date(2026, 11, 25)),)), "使用期限"),
        (replace(GOOD, registry=(replace(REGISTERED, verified_on=None),)), "尚未核验"),
        (replace(GOOD, registry=(replace(REGISTERED, verified_on=dt.date(2025, 1, 1)),)), "核验已过期"),
        (replace(GOOD, shown=(OURS, "01099999999")), "01099999999"),
        (replace(GOOD, recorder=Recorder(NOW - dt.timedelta(minutes=2), 1 << 40)), "心跳"),
        (replace(GOOD, recorder=Recorder(NOW, 1 << 20)), "空间不足"),
        (replace(GOOD, recorder=Recorder(NOW, 1 << 40, 31.0)), "时钟偏差 +31 秒"),
        (replace(GOOD, recorder=Recorder(NOW, 1 << 40, -3600.0)), "时钟偏差 -3600 秒"),
    ],
)
def test_what_we_call_with_must_be_good(means: Means, why: str) -> None:
    verdict = judge(replace(CN, means=means), shipped_packs())
    assert not verdict.allowed and why in verdict.reason
    assert verdict.passing and verdict.not_before is None


def test_a_registered_number_is_known_however_it_is_spelt() -> None:
    spelt = replace(REGISTERED, number="+86 10-1234-5678")
    assert judge(replace(CN, means=replace(GOOD, registry=(spelt,))), shipped_packs()).allowed


def test_every_rule_says_where_it_is_held_and_by_which_test() -> None:
    assert set(ENFORCED) == set(PACK_OF) and len(PACK_OF) == 45
    for rule, held in ENFORCED.items():
        for place in held.where:
            assert (ROOT / place).exists(), (rule, place)
        for test in held.tests:
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in text, (rule, test)
        assert held.where or held.note, f"{rule}: say at least why nothing holds it"


def test_the_table_of_rules_is_the_packs() -> None:
    assert (ROOT / "docs/reference/rules.md").read_text(encoding="utf-8") == handbook(shipped_packs())
