"""Answers that repeat what was asked for: digits to an identity check, the day and the sum to a read-back promise."""

from __future__ import annotations

import re

from voicebot.domain.understanding import IntentScore, Slots, Topic
from voicebot.intent.text import normalise

_AGREES = re.compile(r"(?:[嗯恩啊哦]*)(?:对+|是的?|好的?|行|中|成|要得|得(?!先)|可以|没错|确认|没问题|妥|系)")
_CHANGES = re.compile(r"不|改|但|可是|能|吗|么|错|推|早点|晚点|换|先|再|别|如果|要是|除非|怎么|多少|冇|等|转|去|"
    r"卡|分期|打|开始|挂|给")
_IDENTITY_WORDS = re.compile(
    r"[零〇一二两三四五六七八九十幺洞拐勾廿百千0-9x叉月号日年初正腊冬元]|尾号|尾数|身份证|证上|后四位|末四位|最后|"
    r"后面|四位|生日|生的|出生|农历|阴历|阳历|"
    r"(?:[我是的嗯啊哦呃那个就吧嘛呀呢了写对上])"
)
_LEFT_OVER = 2
"""Characters beside digits, days and the words around them that an answer to an identity check may hold."""
_LONGEST = 16
_SURE = 0.9


def echo(text: str, topic: Topic, slots: Slots) -> IntentScore | None:
    """对 礼拜五 四千 on `promise` confirms it, 六月十号 on `verify` answers it; None for anything that says more."""
    line = normalise(text).replace(" ", "")
    if len(line) > _LONGEST:
        return None
    if topic is Topic.VERIFY and (slots.digits or slots.date) and len(_IDENTITY_WORDS.sub("", line)) <= _LEFT_OVER:
        return IntentScore("id_verify_answer", _SURE)
    named = slots.date or slots.amount_fen or slots.ratio == 1.0 or re.search("全部|全额|都还", line)
    if topic is Topic.PROMISE and named and _AGREES.match(line) and not _CHANGES.search(line):
        return IntentScore("ptp_confirm", _SURE)
    return None
