"""Digit strings read one by one: last four of an identity card, years, numbers (幺=1, 洞=0, 拐=7, 勾=9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_READ = {"零": "0", "〇": "0", "洞": "0", "一": "1", "幺": "1", "妖": "1", "吆": "1", "腰": "1", "二": "2", "两": "2",
    "三": "3", "四": "4", "五": "5",
         "六": "6", "七": "7", "拐": "7", "八": "8", "九": "9", "勾": "9", "x": "X", "叉": "X"}
_ONE = r"[零〇洞一幺二两三四五六七八九拐勾\d]"
_RUN = re.compile(rf"{_ONE}(?:[ .\-]?(?:{_ONE}|[妖吆腰](?=[ ]?{_ONE})))+(?:[ ]?(?:x|叉|艾克斯|埃克斯))?|"
    rf"{_ONE}(?:x|叉)")
_DOUBLED = re.compile(rf"(?P<times>两|俩|三|四)个(?P<digit>{_ONE})")
_PIECE = rf"(?:[一两俩三四]个{_ONE}|{_ONE}+)"
_TIMES = {"一": 1, "两": 2, "俩": 2, "三": 3, "四": 4}
_JOIN = r"(?:还有|然后|再是|再来|再|后面|接着|最后|加上?|跟|和|个|是| )*"
_NAMED = re.compile(rf"(?:{_PIECE}{_JOIN}){{1,3}}{_PIECE}(?![十百千万亿块元号日月年天点期次遍岁毛角折成笔条%])")
_FOUR = 4
_HEARD = ((re.compile(rf"(?<={_ONE})(?:[期起妻齐琪其])(?=$| |{_ONE}|[,吧啊的])"), "七"), (re.compile(
    rf"(?<={_ONE})(?:吧|巴|扒)(?={_ONE})"), "八"),
          (re.compile(rf"(?<={_ONE})(?:酒|久|就)(?={_ONE})"), "九"), (re.compile(rf"(?<={_ONE})(?:是|事|似|寺|死|"
              rf"丝)(?={_ONE})"), "四"),
          (re.compile(rf"(?<={_ONE})(?:医|衣|依|伊)(?={_ONE}|$)"), "一"), (re.compile(rf"(?<={_ONE})(?:无|武|舞|"
              rf"午|物|吴)(?={_ONE}|$| )"), "五"),
          (re.compile(rf"(?<={_ONE})(?:流|刘|留|柳|陆)(?={_ONE}|$| )"), "六"), (re.compile(rf"(?<={_ONE})(?:散|伞|"
              rf"山)(?={_ONE}|$| )"), "三"),
          (re.compile(rf"(?<={_ONE})(?:灵|铃|林|玲|领|凌)(?={_ONE}|$| )"), "零"), (re.compile(rf"(?<={_ONE})(?:儿|"
              rf"而|耳|尔)(?={_ONE})"), "二"),
          (re.compile(rf"(?<={_ONE}{_ONE})(?:妖|腰|吆|要)(?={_ONE}|$| )|(?:妖|腰|吆)(?={_ONE}{_ONE})"), "幺"))
_ASKED = re.compile(r"(?:尾号|尾数|后四位|末四位|末尾|后面四位|最后四位|后边|后面|身份证|证号|卡号|号码|手机号?|"
    r"电话|工号|编号)[号是为的 呢啊嗯呃就]*$")
_UNIT_AFTER = re.compile(r"[十百千万亿块元号日月年天点期次遍个岁毛角折成笔条%]|分[之钟]|小时|礼拜|星期|平|路|"
    r"位[^0-9]|米")
_PAID_BEFORE = re.compile(r"(?:还|给|付|交|转|存|打|先|欠|借)[了你个 ]*$")
_PAID_AFTER = re.compile(r"(?:还|给|转|付|存)(?:你|您|给|过|上|进)")
_UP_TO, _UP_TO_NEXT = re.compile(r"\d[到至~]$"), re.compile(r"[到至~]\d{3,}")
_CROSS = re.compile(r"^(?:最后|后面|末尾|再加|还有|加|是|一?个|大写的?|□| )*(?:叉|x|艾克斯|埃克斯|字母x)")
_CROSS_FIRST = re.compile(r"(?:最后|末尾|最末).{0,6}(?:叉|x|艾克斯|"
    r"埃克斯)[^零〇洞一幺二两三四五六七八九\d]*(?:三位)?[^零〇洞一幺二两三四五六七八九\d]*$")
_HOTLINES = re.compile(r"^(?:110|120|119|122|12\d{3}|96110|95\d{3}|400\d{7})$")


@dataclass(frozen=True, slots=True)
class Digits:
    """`text`: the digits as 0-9 and a final X; `asked`: words before them say that a number is being read out."""

    start: int
    end: int
    text: str
    asked: bool


def find_digits(line: str) -> list[Digits]:
    """Digit strings of two (after 尾号 and the like) or three and more in `line`, left to right; hotlines are none."""
    for pattern, right in _HEARD:
        line = pattern.sub(right, line)
    line = _DOUBLED.sub(_repeat, _NAMED.sub(_spelled, line))
    found = [digits for run in _RUN.finditer(line) if (digits := _one(line, run)) is not None]
    return [_crossed(line, each) for each in found]


def _crossed(line: str, digits: Digits) -> Digits:
    """二零八 最后是个叉: the check letter of an identity card is often named apart."""
    named = _CROSS.search(line[digits.end :]) or _CROSS_FIRST.search(line[: digits.start])
    apart = len(digits.text) == 3 and named
    return replace(digits, text=digits.text + "X") if apart else digits


def _four(spoken: str) -> str | None:
    """是两个八 八八幺二: people announce digits and then read them; the last group of four counts,
    unless it is a longer number read in groups."""
    groups = ["".join(_READ.get(char, char if char.isdigit() else "") for char in group) for group in spoken.split()]
    if not 4 < sum(map(len, groups)) <= 9:
        return None
    return next((group for group in reversed(groups) if len(group) == 4), None)


def _spelled(found: re.Match[str]) -> str:
    """两个三 一个五 一个八, 二三一 还有一个五: four digits named in pieces are written out; all else stays."""
    words = found.group()
    if not re.search(r"个|还有|然后|再|接着|最后", words) or re.search(rf"{_ONE}个[^{_ONE[1:-1]}]", words):
        return words
    pieces = re.findall(rf"([一两俩三四])个({_ONE})|({_ONE})", words)
    spelt = "".join(digit * _TIMES[times] if times else single for times, digit, single in pieces)
    return spelt if len(spelt) == _FOUR else words


def _repeat(found: re.Match[str]) -> str:
    return found["digit"] * {"两": 2, "俩": 2, "三": 3, "四": 4}[found["times"]]


def _one(line: str, found: re.Match[str]) -> Digits | None:
    spoken = found.group().replace("艾克斯", "x").replace("埃克斯", "x")
    text = "".join(_READ.get(char, char if char.isdigit() else "") for char in spoken)
    before, after = line[: found.start()], line[found.end() :]
    asked = bool(_ASKED.search(before))
    text = _four(spoken) or text
    if len(text) < (2 if asked else 3) or _HOTLINES.match(text):
        return None
    if not asked and (_UNIT_AFTER.match(after) or re.search(r"[十百千万第\-:/]$", before)):
        return None
    if not asked and _figures_of_money(found.group(), text) and (
        _PAID_BEFORE.search(before) or _PAID_AFTER.match(after) or _UP_TO.search(before) or _UP_TO_NEXT.match(after)
    ):
        return None
    return Digits(found.start(), found.end(), text, asked)


def _figures_of_money(written: str, text: str) -> bool:
    """3500 may be an amount; 0812, 362X and longer numbers are none."""
    return written.isascii() and len(text) <= 6 and not text.startswith("0") and not text.endswith("X")
