"""Identity factors: does what was said (or keyed) contain the last four of the card or the birthday?"""

from __future__ import annotations

import re

from voicebot.domain.case import Debtor
from voicebot.domain.understanding import Slots

_DIGIT = {**dict(zip("零一二三四五六七八九", "0123456789", strict=True)), "〇": "0", "○": "0", "幺": "1", "两": "2"}
_DIGIT |= {c: c for c in "0123456789"} | {"X": "X", "x": "X", "叉": "X", "×": "X"}
_PAUSE = " ，,、。.…-—的"
_NUMBER = "[零〇一二三四五六七八九十廿卅0-9]"
_MONTH = "十[一二]?|[零〇]?[一二三四五六七八九]|1[0-2]|0?[1-9]"
_MONTH_DAY = re.compile(rf"(元|{_MONTH})月份?初?({_NUMBER}{{1,3}})")
_GUESSES = 2
_MARKS = re.compile(r"[^\w一-鿿]|_")
_STRANGER = re.compile(
    "不是|唔系|没有.{0,4}这|这个人|冇|不认|打错|不在|走了|去世|[他她佢伊]的?(?:[老爱妻丈媳爹爸妈父母哥姐弟妹儿女同朋前邻亲舅叔姨嫂]|是|不|在|去|出)"
    "|老婆|老公|媳妇|同事|朋友|室友|邻居|家属|助理|秘书|律师|代理|法务|中介|委托"
)
_MYSELF = re.compile(
    "(?:我|俺|咱)(?:就|便)?(?:是|系)(?=$|[啊呀哦嘛噻咯哎嗯了的呢吧沙嘞昂你您侬恁咋啥咩么怎有什哪谁说讲请])"
    "|(?:就?是|就?系)(?:我|俺)(?=$|[啊呀哦嘛噻咯哎嗯了的呢吧沙嘞昂你您侬恁咋啥咩么怎有什哪谁说讲请本])"
    "|(?:俺|我|老子|老娘)就是(?=$|[啊呀你您咋啥咩么怎何])|我?(?:是|系)?本人"
)


def offered_factors(text: str, slots: Slots) -> tuple[set[str], set[str]]:
    """Candidates in an utterance: (four-character endings, MMDD birthdays)."""
    days = {
        day for found in _MONTH_DAY.finditer(_MARKS.sub("", text)) if (day := _mmdd(found.group(1), found.group(2)))
    }
    runs = _runs(_MONTH_DAY.sub("月", text))
    if slots.digits:
        runs.append(slots.digits.upper())
    endings = {run[-4:] for run in runs if len(run) == 4 or len(run) in (15, 18)}
    days |= {run[-4:] for run in runs if len(run) in (4, 8) and _is_day(run[-4:])}
    return endings, days


def matches(text: str, slots: Slots, debtor: Debtor) -> tuple[bool, bool]:
    """(offered, matched): was any factor offered, and is it this debtor's? Guessing in rows never matches."""
    endings, days = offered_factors(text, slots)
    offered = bool(endings or days)
    if len(endings) > _GUESSES or len(days) > _GUESSES:
        return offered, False
    last4 = (debtor.id_last4 or "").upper()
    by_card = len(last4) == 4 and last4 in endings
    by_birthday = bool(debtor.birth_mmdd) and debtor.birth_mmdd in days
    return offered, by_card or by_birthday


def _runs(text: str) -> list[str]:
    """Runs of spoken digits, short pauses bridged; a cross named apart ends the three digits before it."""
    runs: list[str] = [""]
    for char in text:
        if char in _DIGIT:
            runs[-1] += _DIGIT[char]
        elif char not in _PAUSE and runs[-1]:
            runs.append("")
    found = [run for run in runs if run]
    if "X" in found and not any(len(run) == 4 for run in found):
        found += [run + "X" for run in found if len(run) == 3]
    return found


def _mmdd(month: str, day: str) -> str | None:
    numbers = (1 if month == "元" else _small(month), _small(day))
    if numbers[0] is None or numbers[1] is None:
        return None
    text = f"{numbers[0]:02d}{numbers[1]:02d}"
    return text if _is_day(text) else None


def _small(text: str) -> int | None:
    """A number up to 99: 三 十二 二十八 廿六 0605."""
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.rpartition("十")
    try:
        if not ten:
            return int("".join(_DIGIT[c] for c in ones))
        return int(_DIGIT[tens] if tens else "1") * 10 + int(_DIGIT[ones] if ones else "0")
    except KeyError:
        return None


def _is_day(text: str) -> bool:
    return text.isdigit() and 1 <= int(text[:2]) <= 12 and 1 <= int(text[2:]) <= 31


def names_himself(text: str, name: str) -> bool:
    """True when somebody who was asked for by name says that it is him: 我是, 系我, 李振海对. Relatives do not."""
    words = _MARKS.sub("", text)
    if name and re.match(f"(?:喂|嗯|对|是|我是|我叫)+{re.escape(name)}(?=[^是的他她]|[他她]在|$)", words):
        return True
    if _STRANGER.search(words):
        return False
    if name and name in words:
        return True
    return any(_MYSELF.search(clause) for clause in (words, *_MARKS.split(text)))
