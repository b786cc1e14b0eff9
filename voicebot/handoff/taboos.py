"""Taboos: what a person must not say in this very call, and why, from what is known of the case. Pure.

Sources: the rules of GB/T 45251-2025 and the forbidden kinds of speech F01 to F18 of the rule pack's reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voicebot.domain.case import Case


@dataclass(frozen=True, slots=True)
class Taboo:
    """One thing not to say; `rule` is the kind of forbidden speech, `grave` what is never forgiven."""

    rule: str
    text: str
    grave: bool = False


MOST = 7


def taboos(
    case: Case | None, *, verified: bool, danger: bool, intents: Sequence[str], mood: str
) -> tuple[Taboo, ...]:
    """At most seven, the gravest first: a list that nobody can read in a glance protects nobody."""
    found = [*_of_person(verified, danger, intents, mood), *_of_case(case), *_always()]
    unique = {taboo.text: taboo for taboo in found}
    return tuple(sorted(unique.values(), key=lambda taboo: not taboo.grave)[:MOST])


def _of_person(verified: bool, danger: bool, intents: Sequence[str], mood: str) -> Iterator[Taboo]:
    if danger or _any(intents, "vu_selfharm"):
        yield Taboo("F14", "不谈欠款、金额和后果，不主动挂断", grave=True)
    if _any(intents, "tp_"):
        yield Taboo("F06", "接听的不是本人：不提欠款，不承认也不否认", grave=True)
    elif not verified:
        yield Taboo("F15", "未核身：不说产品、金额、逾期、还款", grave=True)
    if _any(intents, "vu_elder", "vu_mental", "vu_disability", "vu_intoxicated", "tp_minor"):
        yield Taboo("F14", "需要特殊照顾的人：不取承诺，不施压", grave=True)
    if _any(intents, "hs_illness", "hs_family_ill", "tp_deceased"):
        yield Taboo("F14", "不追问病情、不要证明、不约今天还款", grave=True)
    if _any(intents, "dp_"):
        yield Taboo("F13", "有异议未核清：不催、不坚持金额")
    if _any(intents, "cp_", "m_human", "dnc_"):
        yield Taboo("F17", "不劝阻投诉，不拖延，不讨价还价")
    if _any(intents, "hs_multi_debt", "hs_no_money"):
        yield Taboo("F09", "不建议借钱、刷卡、找亲友凑款")
    if mood == "angry":
        yield Taboo("F02", "不争对错，不评价人，不提高音量")


def _of_case(case: Case | None) -> Iterator[Taboo]:
    if case is None:
        return
    if not case.lawsuit_filed:
        yield Taboo("F04", "没有起诉记录：不说起诉、立案、法院", grave=True)
    if not case.credit_reported:
        yield Taboo("F05", "没有报送记录：不说已上征信、黑名单")
    if not case.visit_scheduled:
        yield Taboo("F12", "没有外访安排：不说上门、去单位")


def _always() -> Iterator[Taboo]:
    yield Taboo("F11", "不承诺减免、撤记录、“最后一天”")
    yield Taboo("F10", "不要验证码、密码，不收款到个人账户", grave=True)


def _any(words: Sequence[str], *beginnings: str) -> bool:
    return any(word.startswith(beginnings) for word in words)
