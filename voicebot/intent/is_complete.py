"""Is a partial recognition already an answer to what was asked? End of turn may then come sooner."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from voicebot.domain.understanding import UNKNOWN, Slots, Topic
from voicebot.intent.answers import plain_answer
from voicebot.intent.slots import parse_slots
from voicebot.intent.text import normalise
from voicebot.intent.understander import Understander
from voicebot.mandarin.pinyin import char_readings

_HANGING = re.compile(
    r"(?:[的和跟与或把被让给就在从对向为再也还是但因所以如果要想能会可我你他她这那个么呃额嗯啊先等到得后每第零一二三四五六七八九十百千万两下上周]|"
    r"然后|但是|因为|就是|那个|这个|因为|所以|不过|可是|我想|礼拜|星期|月)$"
)
_ENDED = re.compile(
    r"(?:[吧了吗呢嘛呗的哈喽啦]|号|块|元|钱|天|还|还清|付|付清|转|处理|"
    r"期|行|好|可以|对|是|不是|不行|不|人|岁|是我|[您你请]说|放心|问题|知道|明白)$"
)
_CLOSING = re.compile(
    r"(?:放心|没问题|[您你请]说|再见|拜拜|谢谢|就这样|还清|付清|处理|是的|好的|可以|没错|本人|我就?是|是我|"
    r"(?:可以|行|好|成|对)吗|[好行]不[好行])$"
)
"""What people close an answer with."""
_CLOSING_SOUNDS = ("没问题", "就这样", "放心", "再见", "谢谢", "还清", "付清", "没错", "本人")
"""Those of them that nothing else sounds like at the end of an answer: 没文提 was 没问题."""
_UNIT = re.compile(r"[十百千万]$")
_UNITS = re.compile(r"[一二三四五六七八九两]([十百千万])")
_WORTH = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_DIGITS = re.compile(r"[0-9零〇幺一二三四五六七八九两]+$")
_FIGURE = re.compile(r"[零〇一二三四五六七八九十百千万两几]$")
_DATE_BEGUN = re.compile(
    r"(?:[一二三四五六七八九十这下本]个?月[一二三四五六七八九十]{0,3}|礼拜|星期|周|第[一二三四五六七八九十]?|号的)$"
)
_SURE = 0.6
# Any fixed moment will do: only the presence of a slot is looked at, never its value.
_NOON = datetime(2026, 1, 5, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
_DIGITS_ASKED = 4
_CLOSED_FROM = 3


@lru_cache(256)
def _slots(text: str) -> Slots:
    """Three questions are asked of each partial: it is parsed once."""
    return parse_slots(text, _NOON)


def is_complete_answer(text: str, topic: Topic, understander: Understander) -> bool:
    """True when nothing need be waited for: a bare yes or no, the four digits asked for, a date or an intent that is
    sure and does not break off in the middle. Cheap enough to be asked for every partial result."""
    line = normalise(text).replace(" ", "")
    if not line:
        return False
    plain = plain_answer(text, topic)
    if plain is not None:
        return plain[0].id != "m_backchannel" and topic is not Topic.ANY
    slots = _slots(text)
    if topic is Topic.VERIFY and slots.digits is not None:
        return len(slots.digits) >= _DIGITS_ASKED
    if topic is not Topic.VERIFY and len(line) >= _CLOSED_FROM and _sounds_closed(line):
        return True
    if _HANGING.search(line) and not _ENDED.search(line):
        return False
    if topic is Topic.PROMISE and (slots.date is not None or slots.amount_fen is not None):
        return True
    if topic is Topic.DEBT and _ENDED.search(line) and (slots.date is not None or slots.ambiguous):
        return True
    best = understander.classifier.classify(text, topic).intents[0]
    return best.id != UNKNOWN and best.p >= _SURE and bool(_ENDED.search(line))


def is_closed(text: str, topic: Topic) -> bool:
    """True where nothing is added to a complete answer, as a rule: the four digits asked for, and three syllables or
    more that close as answers do. A bare 对 or 好的 is often only the beginning of one."""
    line = normalise(text).replace(" ", "")
    if topic is Topic.VERIFY and (digits := _DIGITS.search(line)) is not None:
        return len(digits.group()) == _DIGITS_ASKED
    return len(line) >= _CLOSED_FROM and (bool(_CLOSING.search(line)) or _sounds_closed(line))


def _sounds_closed(line: str) -> bool:
    """Whether it ends with the sounds of one of those, whatever the recogniser wrote."""
    heard = tuple(_sound(char) for char in line[-3:])
    return any(heard[-len(sounds) :] == sounds for sounds in _closing_sounds())


@cache
def _closing_sounds() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(_sound, words)) for words in _CLOSING_SOUNDS)


@lru_cache(4096)
def _sound(char: str) -> str:
    """The usual reading of a character without its tone; the character itself where it has none."""
    readings = char_readings(char)
    return readings[0][:-1] if readings else char


def breaks_off_in_figure(text: str, topic: Topic) -> bool:
    """True where the words end inside a number or a date: people stop to think there, and the rest changes it.

    The digits that were asked for end a turn once they are all there. A sum that can be understood ends it too, unless
    it stops at a unit: after 三千 a 五百 may follow.
    """
    line = normalise(text).replace(" ", "")
    if _DATE_BEGUN.search(line):
        return True
    if topic is Topic.VERIFY:
        digits = _DIGITS.search(line)
        return digits is not None and len(digits.group()) < _DIGITS_ASKED
    if not _FIGURE.search(line) or len(line) < 2:
        return False
    if _UNIT.search(line):
        return True
    slots = _slots(text)
    return slots.amount_fen is None and slots.date is None


def is_whole_sum(text: str, topic: Topic, owed_fen: int | None) -> bool:
    """True for a sum that could go on and hardly does: 三千五百, or 三千 of 5000 that are owed.

    Who owes 1268 and says 一千 or 一千二百 is likely in the middle of it. `owed_fen`: what is owed; None where nobody
    knows, and then only a sum of two units is whole.
    """
    line = normalise(text).replace(" ", "")
    units = _UNITS.findall(line)
    if topic not in (Topic.PROMISE, Topic.DEBT) or not _UNIT.search(line) or not units:
        return False
    paid_fen = _slots(text).amount_fen
    if paid_fen is None:
        return False
    if owed_fen is None:
        return len(units) > 1
    smallest_fen = _WORTH[units[-1]] * 100
    return owed_fen // smallest_fen * smallest_fen != paid_fen or owed_fen == paid_fen
