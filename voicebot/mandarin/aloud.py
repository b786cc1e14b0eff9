"""Reading aloud: everything that is written in figures or letters becomes hanzi, as a person would say it."""

import re
from collections.abc import Callable

_Say = Callable[[re.Match[str]], str]
_DIGITS = "零一二三四五六七八九"
_ONE_BY_ONE = "零幺二三四五六七八九"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = dict(
    zip(
        _CAPITALS,
        [
            "诶",
            "必",
            "西",
            "地",
            "易",
            "艾弗",
            "计",
            "爱曲",
            "爱",
            "这",
            "开",
            "艾勒",
            "艾姆",
            "恩",
            "欧",
            "屁",
            "扣",
            "阿",
            "艾斯",
            "替",
            "优",
            "维",
            "大不溜",
            "埃克斯",
            "歪",
            "贼",
        ],
        strict=True,
    )
)
_FULL_WIDTH = str.maketrans(
    "０１２３４５６７８９％．，：／－" + "".join(chr(ord(c) + 0xFEE0) for c in _CAPITALS + _CAPITALS.lower()),
    "0123456789%.，:/-" + _CAPITALS + _CAPITALS.lower(),
)
_YUAN = r"(?:元|块钱|块|圆)"
_FIGURE = r"\d{1,3}(?:,\d{3})+|\d+"


def number(value: int) -> str:
    """A whole number below 10^16 in hanzi: 10203 -> 一万零二百零三, 10 -> 十, 2000 -> 二千."""
    if value < 0:
        return "负" + number(-value)
    if value < 10:
        return _DIGITS[value]
    for size, unit in ((10**12, "兆"), (10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if value >= size:
            return _with_rest(value, size, unit)
    raise AssertionError("unreachable")


def _with_rest(value: int, size: int, unit: str) -> str:
    head, rest = divmod(value, size)
    said = ("" if value < 20 else number(head)) + unit
    if not rest:
        return said
    gap = "零" if rest < size // 10 else ""
    tail = "一" + number(rest) if 10 <= rest < 20 else number(rest)
    return said + gap + tail


_TWO = re.compile("(?<![十百千零])二(?=[百千万亿])")


def decimal(figure: str) -> str:
    """`3,500.50` -> 三千五百点五零, `22000` -> 两万两千."""
    whole, _, fraction = figure.replace(",", "").partition(".")
    said = _TWO.sub("两", number(int(whole))) if len(whole) < 16 else one_by_one(whole)
    return said + ("点" + "".join(_DIGITS[int(d)] for d in fraction) if fraction else "")


def yuan(figure: str, unit: str = "元") -> str:
    """Money: `3500.50` -> 三千五百元五角, `0.08` -> 八分, `2.00` -> 两元."""
    whole, _, fraction = figure.replace(",", "").partition(".")
    jiao, fen = (int(d) for d in (fraction + "00")[:2])
    said = ("两" if int(whole) == 2 else decimal(whole)) + unit if int(whole) or not (jiao or fen) else ""
    if jiao:
        said += _DIGITS[jiao] + "角"
    if fen:
        said += ("零" if said and not jiao else "") + _DIGITS[fen] + "分"
    return said


def one_by_one(figures: str) -> str:
    """`1380` -> 幺三八零; X is read as a letter."""
    return "".join(_ONE_BY_ONE[int(c)] if c.isdigit() else _LETTERS.get(c.upper(), "") for c in figures)


def spoken(text: str) -> str:
    """Text with figures, letters and signs -> hanzi and punctuation; signs that nobody says are dropped."""
    text = text.translate(_FULL_WIDTH)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


_SPELLED = tuple(
    (re.compile(spelled), written)
    for spelled, written in (
        ("诶屁屁", "APP"),
        ("诶爱", "AI"),
        ("(?:埃|爱|艾)克斯", "X"),
        ("诶替艾姆", "ATM"),
        ("艾勒屁阿", "LPR"),
    )
)


def letters(text: str) -> str:
    """The other way round for what callers do spell: 二零八埃克斯 -> 二零八X, 诶屁屁 -> APP."""
    for spelled, written in _SPELLED:
        text = spelled.sub(written, text)
    return text


def _date(m: re.Match[str]) -> str:
    year, month, day = m[1], int(m[2]), int(m[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return m[0]
    return f"{_year(year)}年{number(month)}月{number(day)}日"


def _year(figures: str) -> str:
    return "".join(_DIGITS[int(d)] for d in figures)


def _month_day(m: re.Match[str]) -> str:
    return f"{number(int(m[1]))}月{number(int(m[2]))}{m[3] or '日'}"


def _clock(m: re.Match[str]) -> str:
    hour, minute = int(m[1]), int(m[2])
    if hour > 24 or minute > 59:
        return m[0]
    said = ("两" if hour == 2 else number(hour)) + "点"
    if not minute:
        return said
    return said + ("半" if minute == 30 else ("零" if minute < 10 else "") + number(minute) + "分")


def _counted(m: re.Match[str]) -> str:
    """两 before a measure word: 2天 -> 两天, but 2号 and 2月 stay 二."""
    return ("两" if m[1] == "2" else number(int(m[1]))) + m[2]


def _long_or_count(m: re.Match[str]) -> str:
    figure = m[0]
    whole = figure.partition(".")[0].replace(",", "")
    if "." not in figure and "," not in figure and (len(whole) >= 7 or (whole.startswith("0") and len(whole) > 1)):
        return one_by_one(whole)
    return decimal(figure)


_SAID: tuple[tuple[str, str | _Say], ...] = (
    (r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?", _date),
    (r"(\d{4})年", lambda m: _year(m[1]) + "年"),
    (r"(?<!\d)(\d{1,2})月(\d{1,2})([日号])?", _month_day),
    (r"(?<!\d)(\d{1,2})[:：](\d{2})(?::\d{2})?(?!\d)", _clock),
    (rf"[￥¥]\s*((?:{_FIGURE})(?:\.\d+)?)\s*{_YUAN}?", lambda m: yuan(m[1])),
    (rf"((?:{_FIGURE})\.\d{{1,2}})\s*({_YUAN})", lambda m: yuan(m[1], m[2])),
    (
        rf"((?:{_FIGURE})(?:\.\d+)?)\s*[%‰]",
        lambda m: ("千" if m[0][-1] == "‰" else "百") + "分之" + decimal(m[1]),
    ),
    (
        r"((?:尾号|后四位|末四位|最后四位|卡号|账号|工号|单号|编号|证号|号码)(?:是|为|：|:)?\s*)([\dXx]{2,})",
        lambda m: m[1] + one_by_one(m[2]),
    ),
    (r"(?<!\d)(1\d{2})[- ](\d{4})[- ](\d{4})(?!\d)", lambda m: one_by_one(m[1] + m[2] + m[3])),
    (
        r"(?<!\d)(0\d{2,3}|400|800)-(\d{3,8})(?:-(\d{3,4}))?(?!\d)",
        lambda m: one_by_one(m[1] + m[2] + (m[3] or "")),
    ),
    (
        r"(?<![\d.])(1[3-9]\d{9}|95\d{3}|96\d{3}|12\d{3}|110|119|120|114|315)(?![\d.元块,])",
        lambda m: one_by_one(m[1]),
    ),
    (r"(?<![\dA-Za-z])(\d{3,17}[Xx])(?![A-Za-z])", lambda m: one_by_one(m[1])),
    (r"第(\d{1,4})(?![\d.])", lambda m: "第" + number(int(m[1]))),
    (r"(?<=\d)\s*[-~～—至]\s*(?=\d+(?:个|天|周|期|次|笔|年|元|块|%|分钟|小时|日|号|月|点))", "到"),
    (r"(?<![\d.])(\d{1,3})(个|天|周|期|次|笔|位|张|年|分钟|小时|通|遍|块|份|家)", _counted),
    (rf"(?<![\d.,])2(?={_YUAN}|[万亿千百])", "两"),
    (rf"(?:{_FIGURE})(?:\.\d+)?(?={_YUAN}|[多余来几]?[万亿千百])", lambda m: decimal(m[0])),
    (rf"(?:{_FIGURE})(?:\.\d+)?", _long_or_count),
    (r"[A-Za-z]", lambda m: _LETTERS[m[0].upper()]),
    (r"[+＋]", "加"),
    (r"[=＝]", "等于"),
    (r"[~～]", "到"),
    (r"&", "和"),
    (r"[^\u3400-\u9fff，。！？、；：,.!?;:…—\s]", ""),
)
_RULES = tuple((re.compile(pattern, re.ASCII), say) for pattern, say in _SAID)
