"""Amounts of money in a line: exact, about, bounded and ranges, in integer fen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from voicebot.intent.slots.numerals import RUN, SMALL, smallest_unit, value

_ROUND = 100
_MOST_FEN = 10**12
"""Ten thousand million yuan; what is larger is no amount of this trade."""


@dataclass(frozen=True, slots=True)
class Amount:
    """`fen` for a point, `low` and `high` for bounds (fen). `vague`: an amount was meant but has no value (几千块)."""

    start: int
    end: int
    fen: int | None = None
    low: int | None = None
    high: int | None = None
    vague: bool = False


_YUAN = r"(?:块钱?|元钱?|圆|块人民币|元人民币|人民币|蚊|rmb)"
_OTHER = (
    r"(?:号|日(?!元)|月|年|天|点(?!钱)|分钟|小时|钟|期|次|遍|个(?!钱)|岁|人|口|位|层|楼|家|笔|张|条|斤|吨|公里|里|"
    r"米|平|袋|瓶|只|头|亩|度|兆|%|成(?![吗不行吧么呗]|$)|倍|回|趟|"
    r"句|种|件|页|礼拜|星期|周|届|路|栋|单元|室|本|台|部|车|顿|秒|刻|分之|折|多个|多天|多号|多年|多次|几个|几天|"
    r"来个|来天|来次|多岁|多遍|"
    r"几次|几年|克|瓦|寸|尺|本书|毫升|集|届|班|级|码|人次|辆|门|套|粒|片|把(?!块)|群|户|代|公斤|[:/\-.])"
)
_BELOW = r"(?:不到|不足|不超过|最多|顶多|至多|顶破天|顶天|撑死|没到|不会超过|不大于|低于|少于|小于)"
_ABOVE = r"(?:少说|至少|起码|最少|最低|不少于|不低于|不会少于|不会低于|超过|怎么也[得有]|往少了说|不下|大于|多于)"
_ABOUT = r"(?:大概|大约|差不多|约|大致|估计|也就|将近|接近|小|近)"

_PLAIN = re.compile(
    rf"(?P<pre>{_BELOW}|{_ABOVE})?(?:(?:也|就|只|先|能|可以|要|得|我|还|给|拿|出|有|个|了|付|交|转){{0,5}})?(?P<about>{_ABOUT})?(?P<run>{RUN})"
    rf"(?P<loose>来|多|余|好几|几|"
    rf"把)?(?P<tail>[百千万])?(?P<yuan>{_YUAN})?(?P<cents>零?[一二两三四五六七八九\d](?:毛|"
    rf"角)(?:[一二两三四五六七八九\d]分?)?|"
    rf"零[一二两三四五六七八九\d]分|[一二三四五六七八九\d](?=$|[ 钱行吧的了可呢左]))?(?P<mao>毛钱?|角钱?|"
    rf"分钱)?(?P<after>多|来钱|出头|开外|左右|上下|以内|以下|之内|以上|往上|朝上|打底|封顶)?"
)
_RANGE = re.compile(
    rf"(?P<lead>[一二三四五六七八九]?[十百千万])?(?P<a>[一二两三四五六七八])(?P<b>[二两三四五六七八九])(?P<unit>百|千|万|十(?:万)?|百万|百块)(?P<yuan>{_YUAN})?"
)
_TWO_ROUND = re.compile(
    rf"(?<![零一二两三四五六七八九十百千万几])(?P<a>[一两三四五六七八])(?P<unit>[百千万])(?P<b>[两三四五六七八九])(?P=unit)(?:{_YUAN})?"
)
_SOME_MORE = re.compile(
    rf"(?P<head>(?:[一二两三四五六七八九]?十?[一二两三四五六七八九十][百千万])+)几[十百千](?:{_YUAN})?"
)
_LAST_PLACES = re.compile(
    rf"(?P<head>[一二两三四五六七八九十]?[一二两三四五六七八九十][百千万])(?P<a>[一二三四五六七八])(?P<b>[二三四五六七八九])(?![{SMALL}十百千万号])(?:{_YUAN})?"
)
_FROM_TO = re.compile(rf"(?P<a>{RUN})(?P<ya>{_YUAN})?(?:到|至|~|-)(?P<b>{RUN})(?P<yb>{_YUAN})?")
_IDIOMATIC: tuple[tuple[re.Pattern[str], int | None, int | None, int | None], ...] = tuple(
    (re.compile(rf"(?<![一二两三四五六七八九十几])(?:{pattern})(?:{_YUAN})?"), fen, low, high)
    for pattern, fen, low, high in (
        ("百八十", None, 8_000, 10_000),
        ("百儿八十", None, 8_000, 10_000),
        ("千儿八百|千八百", None, 80_000, 100_000),
        ("万儿八千|万八千", None, 800_000, 1_000_000),
        ("百把[块元]?", 10_000, None, None),
        ("百来[块元]", 10_000, None, None),
        ("百十来?[块元]", 11_000, None, None),
        ("千把[块元]?", 100_000, None, None),
        ("万把[块元]?", 1_000_000, None, None),
        ("块把钱", 100, None, None),
        ("块儿?八毛", None, 80, 100),
        ("个把千|个千把", 100_000, None, None),
        ("上百(?=[块元])", None, 10_000, None),
        ("上千(?=[块元])", None, 100_000, None),
        ("上万(?=[块元])", None, 1_000_000, None),
    )
)
_VAGUE = re.compile(rf"(?:好|有|大)?几(?:百|千|万|十万|十(?=块|元)|百块|千块)(?:多|来)?(?:{_YUAN})?|几(?:块|元)钱?")
_MINOR = re.compile(rf"(?P<mao>[一二两三四五六七八九\d])(?:毛|角)(?P<fen>[一二三四五六七八九\d])?(?:分)?钱?|"
    rf"(?P<only>{RUN})分钱")
# Bare numbers below a hundred are money only right after a verb of paying, and never before another unit.
_PAYING = re.compile(r"(?:还|给|付|交|转|拿|凑|存|先|还个|给个|还你|给你|还了|付了|转了|存了|交了|还上|先打)$")


_PAID_NEXT = re.compile(r"(?:还|给|转|付|存)(?:你|您|给|过|上|进)")


def find_amounts(line: str) -> list[Amount]:
    """Every amount in `line` (as `reading.masked` gives it), left to right, never overlapping."""
    taken: list[Amount] = []
    for finder in (_idiomatic, _ranges, _last_places, _vague, _plain, _minor):
        for amount in finder(line):
            if all(amount.end <= other.start or amount.start >= other.end for other in taken):
                taken.append(amount)
    return sorted(taken, key=lambda amount: amount.start)


def _idiomatic(line: str) -> list[Amount]:
    return [
        Amount(found.start(), found.end(), fen, low, high)
        for pattern, fen, low, high in _IDIOMATIC
        for found in pattern.finditer(line)
    ]


def _vague(line: str) -> list[Amount]:
    return [Amount(found.start(), found.end(), vague=True) for found in _VAGUE.finditer(line)
            if not re.match(_OTHER, line[found.end() :]) and not re.search("[十百千万第]$", line[: found.start()])]


def _ranges(line: str) -> list[Amount]:
    out = []
    for found in _FROM_TO.finditer(line):
        low, high = value(found["a"]), value(found["b"])
        if low is None or high is None or _other_unit(line, found.end()):
            continue
        unit = smallest_unit(found["b"])
        if low < 10 <= high and unit >= 100 and not found["ya"]:
            low *= unit  # 两到三千
        if low < high and (found["yb"] or high >= 100) and not _other_unit(line.replace("-", "到"), found.end("a")):
            out.append(Amount(found.start(), found.end(), None, _fen(low), _fen(high)))
    for found in _TWO_ROUND.finditer(line):
        low, high = value(found["a"] + found["unit"]), value(found["b"] + found["unit"])
        if low is not None and high is not None and low < high and not _other_unit(line, found.end()):
            out.append(Amount(found.start(), found.end(), None, _fen(low), _fen(high)))
    for found in _SOME_MORE.finditer(line):
        low = value(found["head"])
        if low is not None and not _other_unit(line, found.end()):
            out.append(Amount(found.start(), found.end(), None, _fen(low), _fen(low + smallest_unit(found["head"]))))
    for found in _RANGE.finditer(line):
        amount = _pair(line, found)
        if amount is not None:
            out.append(amount)
    return out


def _last_places(line: str) -> list[Amount]:
    """一百二三 is 120 to 130, 一千一二 1100 to 1200: two bare digits that follow each other in the last place."""
    out = []
    for found in _LAST_PLACES.finditer(line):
        low, high = value(found["head"] + found["a"]), value(found["head"] + found["b"])
        if low is not None and high is not None and low < high and not _other_unit(line, found.end()):
            out.append(Amount(found.start(), found.end(), None, _fen(low), _fen(high)))
    return out


def _pair(line: str, found: re.Match[str]) -> Amount | None:
    """两三千, 三五百, 一两万, 十二三万 and 三四十块; 二十 after a smaller digit is no range."""
    before = line[found.start() - 1] if found.start() else ""
    if (before and before in "零一二两三四五六七八九十百千万几") or _other_unit(line, found.end()):
        return None
    low, high = value(found["a"] + found["unit"][0]), value(found["b"] + found["unit"][0])
    times = Decimal(10_000) if found["unit"] == "十万" else Decimal(1)
    if low is None or high is None or low >= high:
        return None
    if found["unit"] == "十" and not found["yuan"]:
        return None
    if found["lead"]:
        base = value(found["lead"]) or Decimal(0)
        if found["lead"] != "十" or found["unit"] != "万":
            return None
        low, high = (base + low / 10_000) * 10_000, (base + high / 10_000) * 10_000
    return Amount(found.start(), found.end(), None, _fen(low * times), _fen(high * times))


def _plain(line: str) -> list[Amount]:
    return [amount for found in _PLAIN.finditer(line) if (amount := _one(line, found)) is not None]


def _one(line: str, found: re.Match[str]) -> Amount | None:
    run, start = found["run"], found.start("run")
    number = value(run)
    if number is None or (not number and not found["yuan"]) or line[max(0, start - 1) : start] in ("第", "几", "尾"):
        return None
    tail = {"百": 100, "千": 1000, "万": 10_000}.get(found["tail"] or "", 1)
    if tail > 1 and not found["loose"]:
        return None
    loose, end = found["loose"], found.end()
    if loose in ("几", "好几") and not (found["yuan"] or tail > 1 or (loose == "好几" and number >= _ROUND)):
        return None
    if not _is_money(line, found, number * tail):
        return None
    fen = _fen(number * tail) + _cents(found)
    if found["mao"] and not found["yuan"]:
        fen = round(number * (1 if found["mao"].startswith("分") else 10))
    if fen > _MOST_FEN:
        return None
    return _bounded(found, start if not found["pre"] else found.start(), end, fen, _fen(_step(run, tail)))


def _step(run: str, tail: int) -> Decimal:
    """How far 多 reaches: 一百多 up to two hundred, 三千五百多 up to 3600, 十多万 up to twenty times ten thousand."""
    return Decimal(smallest_unit(run) * tail)


def _bounded(found: re.Match[str], start: int, end: int, fen: int, step: int) -> Amount:
    before, after, loose = found["pre"] or "", found["after"] or "", found["loose"] or ""
    if re.fullmatch(_BELOW, before) or after in ("以内", "以下", "之内", "封顶"):
        return Amount(start, end, None, None, fen)
    if re.fullmatch(_ABOVE, before) or after in ("以上", "往上", "朝上", "打底"):
        return Amount(start, end, None, fen, None)
    if loose in ("多", "余", "几", "好几") or after in ("多", "出头", "开外"):
        return Amount(start, end, None, fen, fen + step)
    return Amount(start, end, fen)


def _is_money(line: str, found: re.Match[str], number: Decimal) -> bool:
    """A unit of money, or a number of a hundred and more without another unit, or a bare number that is being paid."""
    if found["yuan"] or found["mao"]:
        return not (found["mao"] or "").startswith("分") or found["mao"] == "分钱"
    if found["cents"] and not re.search(r"[毛角]", found["cents"]):
        return False
    rest = line[found.end() :]
    if _other_unit(line, found.end("tail") if found["tail"] else found.end("run")) or re.match(_OTHER, rest):
        return False
    if re.search(r"[毛角]", found["cents"] or ""):
        return False
    spoken = any(char in "百千万wk" for char in found["run"] + (found["tail"] or ""))
    before = line[: found.start("run")]
    if re.search(r"(?:尾号|后四位|末四位|卡号|证号?|号码|电话|手机号?|工号|编号|心跳|血压|体重|身高|"
    r"血糖|升到|烧到)[是为有到 ]*$", before):
        return False
    if found["run"].isascii() and found["run"].isdigit():
        plausible = number >= 100 and not found["run"].startswith("0") and len(found["run"]) <= 6
        return plausible and bool(_PAYING.search(before) or _PAID_NEXT.match(rest))
    return (spoken and number >= 100) or (bool(_PAYING.search(before)) and number >= 10)


def _other_unit(line: str, at: int) -> bool:
    return bool(re.match(_OTHER, line[at:]))


def _cents(found: re.Match[str]) -> int:
    """五块五 -> 50, 零五毛 -> 50, 五毛五 -> 55, 零五分 -> 5."""
    part = found["cents"]
    if not part or not found["yuan"]:
        return 0
    digits = [value(char) for char in part if value(char) is not None and char != "零"]
    if part.endswith("分") and not re.search(r"[毛角]", part):
        return int(digits[0] or 0)
    tenths = int((digits[0] or 0) * 10)
    return tenths + (int(digits[1] or 0) if len(digits) > 1 else 0)


def _minor(line: str) -> list[Amount]:
    """五毛, 五毛五, 八分钱 standing alone."""
    out = []
    for found in _MINOR.finditer(line):
        if found["only"]:
            number = value(found["only"])
            fen = None if number is None else round(number)
        else:
            fen = int((value(found["mao"]) or 0) * 10) + int(value(found["fen"] or "零") or 0)
        if fen:
            out.append(Amount(found.start(), found.end(), fen))
    return out


def _fen(yuan: Decimal) -> int:
    return round(yuan * 100)
