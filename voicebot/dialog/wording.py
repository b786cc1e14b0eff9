"""Wording: turns of phrase that decide what an intent means here, read from the words themselves."""

from __future__ import annotations

import re

_TAIL = "，。！？,.!? …"
_PATTERNS: dict[str, re.Pattern[str]] = {
    # "call again", not "pay again": 后天再打 but not 后天打款
    "call": re.compile(
        "再打|打来|打过来|打给我|打电话|来电|回电|联系|再说|再讲|再聊|再谈|再问|打[咯啊吧嘛啦噻哈]|打$|[讲说聊谈]$|准话"
    ),
    "ring": re.compile("再打|打来|打过来|打给我|再来电|回电|再联系"),
    "ready": re.compile("[说讲]吧|你[说讲]|您[说讲]|请[说讲]|长话短说|[快赶]紧?[点些]?儿?[说讲]|听着呢"),
    "denies": re.compile("^(?:嗯|啊|哎|喂|诶)*(?:不是|不对|不行|唔系|唔得|没有|我没|冇|别|莫|先不|不要|慢着|等等)"),
    # recorded announcements, voicemail and assistants that answer in somebody's place
    "machine": re.compile(
        "已关机|是空号|已停机|无法接通|正在通话中|稍后再拨|请留言|后留言|语音信箱|[滴嘀]声|提示音后|挂机"
        "|(?:来电|语音|通话|智能|小)(?:小)?秘书|智能.{0,2}助理|通话助理|机主(?:正忙|现在|暂时|不方便|无法)"
        "|subscriber|redial|voicemail|power(?:ed)? off"
    ),
}
CUES = tuple(_PATTERNS)


def cues_of(text: str) -> frozenset[str]:
    """Names of the turns of phrase found in an utterance, a subset of CUES."""
    words = text.strip(_TAIL)
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(words))
