"""Calls to play: what callees say in twelve kinds of talk, each about bills of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator

from voicebot.dialog.actions import Say, Transfer
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Silence, Spoken, Started, TransferEnded
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import IntentScore, Slots, Understanding

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
_DAY = dt.date(2026, 11, 27)
_CREDITOR = Creditor("x", "示例消费金融有限公司", "示例客户服务中心", "4000001234")
_NAMES = "李王张刘陈杨赵黄周吴"

Said = tuple[str, tuple[str, ...], Slots]


def said(text: str, *intents: str, **slots: object) -> Said:
    return text, intents, Slots(**slots)  # type: ignore[arg-type]


_ME = said("是我，你说", "id_confirm_self")
_CARD = said("一二三X", "id_verify_answer", digits="123X")
TALKS: tuple[tuple[Said, ...], ...] = (
    (_ME, _CARD, said("二十七号我还上", "ptp_date", date=_DAY), said("对", "m_affirm")),
    (_ME, _CARD, said("今天就还", "ptp_today", date=NOW.date()), said("对的没错", "m_affirm")),
    (
        _ME,
        _CARD,
        said("先还一千吧", "pay_partial", amount_fen=100_000),
        said("周五", "ptp_date", date=_DAY),
        said("嗯可以", "m_affirm"),
    ),
    (_ME, said("你是机器人吗", "m_robot"), _CARD, said("还多少钱", "q_amount"), said("没钱还", "hs_no_money")),
    (
        said("你哪里啊", "id_who_are_you"),
        _ME,
        said("凭什么告诉你", "id_verify_refuse"),
        said("不说", "id_verify_refuse"),
    ),
    (said("你打错了", "id_wrong_number"),),
    (said("他不在家", "tp_not_here"), said("好的我转告他", "tp_relay_yes")),
    (_ME, _CARD, said("我上个星期就还清了", "pay_already_paid"), said("没有别的了", "m_bye")),
    (_ME, said("转人工", "m_human")),
    (_ME, said("我在开车", "dl_driving")),
    (_ME, _CARD, said("你们这利息太高了，我要投诉", "cp_regulator", "dp_interest")),
    (
        _ME,
        _CARD,
        said("嗯", "m_backchannel"),
        said("啊什么", "m_repeat"),
        said("下周吧", "ptp_date", date=_DAY),
        said("行", "m_affirm"),
    ),
)


def _case(chance: random.Random, number: int) -> Case:
    name = chance.choice(_NAMES) + chance.choice("振海国强建华秀英")
    amount = chance.randrange(5_000, 9_000_000)
    fees = amount // 10
    debtor = Debtor(f"d{number}", name, chance.choice(list(Salutation)), "123X", "0605")
    days = chance.randrange(1, 60)
    return Case(f"c{number}", debtor, _CREDITOR, "消费分期", amount, days, NOW.date(), amount - fees, fees)


def calls(script: Script, count: int, seed: int) -> Iterator[tuple[CallFacts, list[Event]]]:
    """`count` calls and the events of each as they would come: reports of sentences spoken, answers, silence."""
    chance = random.Random(seed)
    for number in range(count):
        facts = CallFacts(f"call-{number}", NOW, _case(chance, number))
        yield facts, list(_events(script, facts, TALKS[number % len(TALKS)], chance))


def _events(script: Script, facts: CallFacts, talk: tuple[Said, ...], chance: random.Random) -> Iterator[Event]:
    state, waiting = initial(script, facts), [_heard(answer, chance) for answer in talk]
    event: Event = Started(NOW)
    while True:
        yield event
        state, actions = step(script, state, event)
        for action in actions:
            if isinstance(action, Say):
                spoken = Spoken(NOW, action.utterance_id, 2000, 2000, interrupted=False)
                yield spoken
                state, _ = step(script, state, spoken)
        if any(isinstance(action, Transfer) for action in actions):
            event = TransferEnded(NOW, joined=True)
        elif waiting:
            event = Silence(NOW, 6.0) if chance.random() < 0.05 else waiting.pop(0)
        elif not isinstance(event, HungUp):
            event = HungUp(NOW)
        else:
            return
        if state.phase == "ended":
            return


def _heard(answer: Said, chance: random.Random) -> Heard:
    text, intents, slots = answer
    rest = ("m_backchannel", "m_offtopic", "rf_cold")
    scores = [IntentScore(intent, round(0.9 - 0.2 * at, 2)) for at, intent in enumerate(intents)]
    scores += [IntentScore(intent, round(chance.uniform(0.01, 0.04), 3)) for intent in rest if intent not in intents]
    return Heard(NOW, Understanding(text, tuple(scores), slots=dataclasses.replace(slots)))
