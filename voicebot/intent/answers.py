"""Pure yes, no and back-channels: too short to classify, their meaning comes from the question before them."""

from __future__ import annotations

import re

from voicebot.domain.understanding import IntentScore, Topic
from voicebot.intent.text import normalise

_FILLER = "嗯|恩|唔|啊|哦|噢|诶|欸|哎|呃|的|呀|吧|了|嘛|哈|呢"
_YES = re.compile(
    rf"(?:对|是|好|行|中|妥|成|得|要得|可以|没错|冇错|没问题|没毛病|嘞|ok|系|头|滴|哒|四的|正确|当然|嗯呐|{_FILLER})+"
)
_YES_CORE = re.compile(r"冇错|对|是|好|行|中|妥|成|得|可以|没错|没问题|没毛病|ok|系|嗯呐|四的|正确|当然")
_NO = re.compile(rf"(?:不|是|布是|对|行|可以|得行|成|用|要|没|有|木有|得|错|唔系|唔得|唔好|冇|非也|中|好|那|"
    rf"{_FILLER})+")
_NO_CORE = re.compile(r"不|布是|没|木有|错|唔系|唔得|唔好|冇|非也")
_NO_FAULT = re.compile(r"[没冇]错|没问题|没毛病")
# Words of yes and no that together say something else.
_NEITHER = re.compile(r"不错|好不|行不行|对不对|是不是|成不|可不可|要不|(?<!没)有没有|不是吧|得不|得没|好没|"
    r"没得行|没好|不好了|要好|有好|得了|不是对|不了|没了|有了|成了|中不")
_HEARING = re.compile(r"[嗯恩唔啊哦噢喔诶欸哎呃额 ]+|(?:[嗯恩哦啊]*(?:你说|您说|你讲|您讲|继续|你继续|请说|请讲|"
    r"听着呢?|我听着呢?|在听|我在听))+")
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
    if _NEITHER.search(line):
        return None
    if _NO_CORE.search(_NO_FAULT.sub("", line)) and _NO.fullmatch(line):
        return _bound("m_deny", _NO_MEANS.get(topic), topic)
    if _YES_CORE.search(line) and _YES.fullmatch(line):
        return _bound("m_affirm", _YES_MEANS.get(topic), topic)
    return None


def says_yes_or_no(text: str, topic: Topic) -> bool:
    """True for a bare yes or no: 对, 不是, and 嗯 where it answers; not for 啊 or 哎."""
    plain = plain_answer(text, topic)
    return plain is not None and plain[0].id != "m_backchannel"


def _hearing(line: str, topic: Topic) -> tuple[IntentScore, ...]:
    """A single 嗯 after a question is an answer; 嗯嗯, 哦 or 你说 are not."""
    if line in ("嗯", "恩", "唔") and topic not in (Topic.DEBT, Topic.REASON):
        return _bound("m_affirm", _YES_MEANS.get(topic), topic)
    return (IntentScore("m_backchannel", _BOUND),)


def _bound(plain: str, meaning: str | None, topic: Topic) -> tuple[IntentScore, ...]:
    if meaning is None:
        return (IntentScore(plain, _SURE),)
    if topic is Topic.OPEN:
        return (IntentScore(meaning, _SURE), IntentScore(plain, _BOUND))
    return (IntentScore(plain, _SURE), IntentScore(meaning, _BOUND if topic is Topic.PROMISE else _OPEN_SIDE))
