"""Pure yes, no and back-channels: too short to classify, their meaning comes from the question before them."""

from __future__ import annotations

import re

from voicebot.domain.understanding import IntentScore, Topic
from voicebot.intent.text import normalise

_YES = re.compile(
    r"(?:[嗯恩唔啊哦噢诶欸哎呃]*(?:对+|是+|好+|行+|中+|妥|成+|得|要得|可以|没错|没问题|没毛病|是的|对的|好的|行的|可以的|好嘞|好呀|好啊|ok|"
    r"系|系啊|嗯呐|对头|是滴|是嘞|四的|对对对|正确|当然|没问题啊|没问题的|的|啊|吧|呀|嘞|呢|了|滴|哒|嘛|哈)+)+"
)
_YES_CORE = re.compile(r"对|是|好|行|中|妥|成|得|可以|没错|没问题|没毛病|ok|系|嗯呐|四的|正确|当然")
_NO = re.compile(
    r"[嗯恩唔啊哦哎诶]*(?:不+|不是+|布是|不对|不行|不可以|不得行|不成|不用|不要|没+|没有+|木有|没得|错+|错了|唔系|唔得|唔好|冇|非也|"
    r"不中|不好|那不成|那不行|的|啊|呢|呀|吧|了|哦|嘛|哈)+"
)
_NO_CORE = re.compile(r"不|布是|没|木有|错|唔|冇|非也")
_HEARING = re.compile(r"[嗯恩唔啊哦噢喔诶欸哎呃额 ]+|(?:[嗯恩哦啊]*(?:你说|您说|你讲|您讲|继续|你继续|请说|请讲|听着呢?|我听着呢?|在听|我在听))+")
_WORDS_OF_PLENTY = 10
"""Longer utterances are never taken for a plain answer."""

# What a plain yes or no means under each topic, beside m_affirm and m_deny.
_YES_MEANS = {Topic.OPEN: "id_confirm_self", Topic.VERIFY: "id_confirm_self", Topic.PROMISE: "ptp_confirm"}
_NO_MEANS = {Topic.OPEN: "id_deny_self", Topic.PROMISE: "ptp_modify"}
_SURE, _BOUND, _OPEN_SIDE = 0.95, 0.9, 0.5


def plain_answer(text: str, topic: Topic) -> tuple[IntentScore, ...] | None:
    """Scores of a bare yes, no or back-channel under `topic`; None when `text` says more than that.

    对 on `open` is the callee confirming who they are; 嗯嗯 alone on `debt` only says that they listen.
    """
    line = normalise(text).replace(" ", "")
    if not line or len(line) > _WORDS_OF_PLENTY:
        return None
    if _HEARING.fullmatch(line):
        return _hearing(line, topic)
    if _NO_CORE.search(line) and _NO.fullmatch(line) and not re.search(r"没错|不错", line):
        return _bound("m_deny", _NO_MEANS.get(topic), topic)
    if _YES_CORE.search(line) and _YES.fullmatch(line):
        return _bound("m_affirm", _YES_MEANS.get(topic), topic)
    return None


def _hearing(line: str, topic: Topic) -> tuple[IntentScore, ...]:
    """A single 嗯 after a question is an answer; 嗯嗯, 哦 or 你说 are not."""
    if line in ("嗯", "恩", "唔") and topic in (Topic.OPEN, Topic.VERIFY, Topic.PROMISE):
        return _bound("m_affirm", _YES_MEANS.get(topic), topic)
    return (IntentScore("m_backchannel", _BOUND),)


def _bound(plain: str, meaning: str | None, topic: Topic) -> tuple[IntentScore, ...]:
    if meaning is None:
        return (IntentScore(plain, _SURE),)
    if topic is Topic.OPEN:
        return (IntentScore(meaning, _SURE), IntentScore(plain, _BOUND))
    return (IntentScore(plain, _SURE), IntentScore(meaning, _BOUND if topic is Topic.PROMISE else _OPEN_SIDE))
