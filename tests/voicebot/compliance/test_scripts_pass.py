"""The shipped scripts against the live gate, with names, products and figures of any kind.

Every sentence of every script is reviewed in tests/voicebot/pipeline/test_script_review.py.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicebot.compliance.figures import Kind, find_figures
from voicebot.config import scripts_dir
from voicebot.dialog.engine import initial
from voicebot.dialog.loader import load_script
from voicebot.dialog.promise import Pending
from voicebot.dialog.prompts import all_prompts, render, secrets_of, split
from voicebot.dialog.proof import _needs_proof, _paths
from voicebot.dialog.rendering import spoken_amount
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.dialog.values import values_of
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.pipeline.live_gate import LiveGate

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
MORE = ("应还本金{principal}、息费{fees}。", "其中本金{principal}，利息和罚息{fees}，合计{amount}。")
"""Sentences that a script of one's own may say of the record."""
PRODUCTS = (
    "消费分期", "现金循环贷", "循环额度贷", "信用卡", "随借随还", "极速贷", "教育分期", "医美分期",
    "手机分期", "车抵贷", "房抵贷", "农户小额贷", "公积金贷", "白领贷", "薪金贷", "万元循环贷",
    "百万安居贷", "一分钟贷", "学费分期", "家电分期", "经营贷", "税金贷", "借新还旧专项贷", "备用金",
    "账单分期", "周转贷", "社保贷", "三六零借款", "夜市商户贷", "免息分期",
)  # fmt: skip
NAMES = (
    "王小明", "李振海", "钱多多", "欧阳百川", "武警", "罗律", "万一", "贾真", "牛德财", "司马懿", "常还新", "夏死海",
    "苟德友", "高立案", "史珍香", "艾新觉罗逾期", "张千", "卜要脸", "官法远", "龚安",
)  # fmt: skip
CREDITORS = (
    ("示例消费金融有限公司", "示例客户服务中心"),
    ("安信小额贷款有限公司", "安信服务"),
    ("天下无债资产管理有限公司", "天下客服中心"),
    ("百万银行股份有限公司信用卡中心", "百万银行客户服务"),
)


def some_case(chance: random.Random) -> Case:
    amount = chance.choice((chance.randrange(100, 100_000_000), chance.randrange(1, 1_000_000) * 100))
    fees = chance.choice((None, chance.randrange(0, amount + 1), chance.randrange(0, amount // 100 + 1) * 100))
    name, neutral = chance.choice(CREDITORS)
    return Case(
        id="1",
        debtor=Debtor("d", chance.choice(NAMES), chance.choice(tuple(Salutation)), "1234", "0102"),
        creditor=Creditor("c", name, neutral, f"400{chance.randrange(10**7):07d}"),
        product=chance.choice(PRODUCTS),
        amount_fen=amount,
        overdue_days=chance.randrange(0, 401),
        as_of=NOW.date(),
        fees_fen=fees,
        principal_fen=None if fees is None else amount - fees,
    )


def some_state(script: Script, case: Case, chance: random.Random) -> DialogState:
    share = chance.choice((None, chance.randrange(1, case.amount_fen + 1), -(-case.amount_fen // 3)))
    day = NOW.date() + dt.timedelta(days=chance.randrange(0, 31))
    moment = NOW + dt.timedelta(days=chance.randrange(0, 20), minutes=chance.randrange(0, 600))
    state = initial(script, CallFacts("call", NOW, case))
    return dataclasses.replace(state, pending=Pending(day, share, share is not None), callback_at=moment)


def prompts_of(script: Script, verified: bool) -> Iterator[str]:
    """All texts of a script; not verified: what stands where a call can come to without proof of identity."""
    if verified:
        yield from (prompt.text for prompt in all_prompts(script))
        yield from (node.hold for node in script.nodes.values() if node.hold)
        yield from MORE
        return
    yield from (prompt.text for prompt in (*script.silence, *script.softeners.values()))
    for handler in script.handlers:
        yield from (prompt.text for prompt in handler.say if not _needs_proof(handler.when))
    for name in _paths(script, guarded=True):
        node = script.nodes[name]
        yield from (prompt.text for prompt in (*node.say, *node.again, *node.short, *node.no_input))
        yield from (prompt.text for branch in node.branches for prompt in branch.say)
        yield node.hold or ""


def spoken(script: Script, state: DialogState, verified: bool) -> Iterator[str]:
    """Every piece that the dialog might say in this state, as it would say it."""
    case = state.facts.case
    values = values_of(script, dataclasses.replace(state, verified=verified), NOW)
    for text in (*prompts_of(script, verified), script.neutral):
        if case is not None and case.overdue_days <= 0 and "{overdue}" in text:
            continue
        words = render(text, values, script.neutral, secrets_of(state))
        yield from split(words) if words else ()


def blocked(script: Script, verified: bool, listeners: tuple[str, ...], seed: int, rounds: int) -> dict[str, list[str]]:
    chance = random.Random(seed)
    found: dict[str, list[str]] = {}
    checked: set[str] = set()
    for _ in range(rounds):
        case = some_case(chance)
        state = some_state(script, case, chance)
        for listener in listeners:
            gate = LiveGate(state.facts)
            gate.verified, gate.listener = verified, listener
            for text in spoken(script, state, verified):
                if (text, listener) in checked and not any(unit in text for unit in "元年月天"):
                    continue
                checked.add((text, listener))
                _, rules = gate.pass_on(text)
                if rules:
                    found[text] = rules
    return found


@pytest.mark.parametrize("name", ["reminder", "inbound"])
def test_no_prompt_is_blocked_once_the_debtor_is_verified(name: str) -> None:
    script = load_script(scripts_dir() / f"{name}.yaml")
    assert blocked(script, True, ("debtor",), 20261124, 1) == {}


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(scripts_dir().glob("*.yaml")), ids=lambda path: path.stem)
def test_no_prompt_is_blocked_whatever_the_case_holds(path: Path) -> None:
    assert blocked(load_script(path), True, ("debtor",), 7, 20) == {}


@pytest.mark.parametrize("name", ["reminder", "inbound"])
def test_no_prompt_is_blocked_before_verification(name: str) -> None:
    script = load_script(scripts_dir() / f"{name}.yaml")
    assert blocked(script, False, ("unknown", "debtor", "third_party", "voicemail"), 7, 1) == {}


def test_every_spoken_amount_is_read_back_to_the_fen() -> None:
    chance = random.Random(1)
    amounts = [chance.randrange(100, 10 ** chance.randrange(3, 10)) for _ in range(300)]
    for fen in (*range(100, 1200), *amounts):
        figures = [f for f in find_figures(f"一共应还{spoken_amount(fen)}，对吗", NOW.date()) if f.kind is Kind.AMOUNT]
        assert [figure.low for figure in figures] == [fen], spoken_amount(fen)


def test_the_gate_still_tells_a_wrong_figure_and_a_product_named_too_early() -> None:
    case = dataclasses.replace(some_case(random.Random(3)), amount_fen=345678, principal_fen=300000, fees_fen=45678)
    gate = LiveGate(CallFacts("call", NOW, dataclasses.replace(case, product="现金循环贷")))
    assert gate.pass_on("和您核对一下现金循环的事。")[1] == []
    assert gate.pass_on("和您核对一下现金循环贷。")[1] == ["F15"]
    gate.verified = True
    assert gate.pass_on("一共应还三千四百五十六元七角八分，其中息费四百五十六元七角八分。")[1] == []
    assert gate.pass_on("一共应还三千四百五十六元七角九分。")[1] == ["F13"]
    assert gate.pass_on("还有滞纳金四百五十六元七角九分。")[1] == ["F13"]
