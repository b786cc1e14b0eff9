"""What has the bot just asked? The simulated debtor's understanding of what it hears: a few words, no more. Pure."""

from __future__ import annotations

import re

from voicebot.domain.understanding import Topic

_SIGNS = (
    (Topic.VERIFY, re.compile(r"身份证|后四位|末四位|出生|生日|几月几日")),
    (Topic.PROMISE, re.compile(r"(?:对吗|对不对|是吗|确认|没问题吧)[？?]?$|跟您确认|和您确认|复述|请说不对")),
    (
        Topic.DEBT,
        re.compile(r"什么时候|哪一?天|几号|多久|何时|打算|安排|方便还|处理|还多少|先还|一部分|日子|拿出|改一天|可以吗"),
    ),
    (
        Topic.REASON,
        re.compile(r"原因|困难|怎么了|什么情况|为什么|遇到|哪一点|补充|难处|最难|不方便|卡住|顺利|情况怎么样"),
    ),
    (Topic.OPEN, re.compile(r"本人|是不是|语音助手|请问是|您是")),
)


def asked(text: str) -> Topic:
    """The topic of what was heard; the end of it counts most, for the question comes last."""
    tail = text[-24:]
    for topic, sign in _SIGNS:
        if sign.search(tail):
            return topic
    for topic, sign in _SIGNS:
        if sign.search(text):
            return topic
    return Topic.ANY
