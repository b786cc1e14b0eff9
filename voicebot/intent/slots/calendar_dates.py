"""Dates named by the calendar: 三月十五, 十五号, 下月初, 腊月二十, 国庆."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from voicebot.intent.slots import lunar as table
from voicebot.intent.slots.found_date import FoundDate, Today, add_months, day_of_month, month_and_day, month_end, real
from voicebot.intent.slots.numerals import SMALL, whole

_DAY = r"(?:二十[一二三四五六七八九]?|三十一?|十[一二三四五六七八九]?|[一二三四五六七八九]|\d{1,2})"
_YEAR = rf"(?:(?P<year>今年|明年|后年|去年|前年|[{SMALL}]{{4}}|[{SMALL}]{{2}}|\d{{4}}|\d{{2}})年?)"
_FULL = re.compile(rf"{_YEAR}?(?<!十)(?P<month>十[一二]?|[一二三四五六七八九]|1[0-2]|"
    rf"0?[1-9])月份?(?:的)?(?P<day>{_DAY})(?P<mark>[号日])?(?![个期天块元百千万月%年])")
_ISO = re.compile(r"(?P<year>20\d\d)[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})[日号]?")
_MONTH = r"(?P<month>(?:(?:再)?下+个?|这个?|本|当|上+个?|今)月|(?:十[一二]?|[一二三四五六七八九]|1[0-2]|[1-9])月份?)"
_PART = re.compile(rf"(?:{_MONTH}的?)?(?P<part>月?(?:底|末|尾|初(?![一二三四五六七八九十])|头(?![疼痛])|中旬|上旬|"
    rf"下旬|中(?=$|[ 旬前之以左还行吧给再可]))|月(?:底|末|尾|初(?![一二三四五六七八九十])|头|中)|最后一天)")
_MONTH_DAY = re.compile(rf"(?P<month>(?:再?下+个?|这个?|本|当|上+个?)月|每个?月|"
    rf"月月)的?(?P<day>{_DAY})[号日]?(?![个期天块元百千万月%年笔次]|[一二三四五六七八九][号日])")
_DAYS = re.compile(
    rf"(?<![第几{SMALL}十百千万月\d])(?P<a>{_DAY})(?:[号日]?(?:到|至|~|-)(?P<b>{_DAY}))?(?P<mark>号|日)(?!线|楼|"
    rf"窗|码|院|店|机|员|柜|子|会员|[来]?卡|文件|公馆|车|桌|房|库|门|口|晚上?(?=那))"
)
_BARE_DAY = re.compile(
    r"(?:(?<=^)|(?<=[ 我到等就在]))(?P<day>二十[一二三四五六七八九]?|三十一?|"
    r"十[一二三四五六七八九]?)(?=(?:之?前|以前|那天|当天)?[我就再]*"
    r"(?:还(?!有|是|差|剩|要)|给你|转|打给你|去存|来交))"
)
_TURNED_TO = re.compile(
    r"(?:(?<=改[成到])|(?<=[推拖延等靠宽]到)|(?<=最[晚迟])|(?<=重说)|(?<=重说 )|(?<=我是说)|(?<=这月))"
    r"(?P<day>二十[一二三四五六七八九]?|三十一?|十[一二三四五六七八九]?)(?=$|[ 吧行中可成])"
)
_SOME_DAY = re.compile(r"(?:二?十|三十)[几来多]号")
_BARE_MONTH = re.compile(
    r"(?<![十第上下这几半两\d])(?P<year>今年|明年|后年|去年|前年)?的?(?P<month>十[一二]?|[一二三四五六七八九]|1[0-2]|[1-9])月"
    r"(?P<part>份)?(?![底末初中尾头上下\d一二三四五六七八九十])"
)
_PAIR = re.compile(r"(?P<lead>二?十|三)?(?P<a>[一二三四五六七八])(?P<b>[二三四五六七八九])[号日]")
_LUNAR = re.compile(
    r"(?:(?P<named>正月|冬月|腊月)|(?:农历|阴历|旧历|老历)的?(?P<month>十[一二]?|"
    r"[一二三四五六七八九正冬腊])月|"
    r"(?P<plain>(?<![下个这本上每\d十])(?:十[一二]?|[一二三四五六七八九]))月(?=初[一二三四五六七八九十](?![百千万])))(?:里)?(?P<day>初[一二三四五六七八九十]|廿?二?十?[一二三四五六七八九]?十?|"
    r"三十|底)?"
)
_LUNAR_FEAST = re.compile("八月十五|五月五|七月七|九月九")
_NEW_YEAR = re.compile(r"(?:大年|年)(?P<eve>三十)(?:晚上?|夜)?|(?P<of>月)?(?<![才上读念年])(?:大年|"
    r"年)?初(?P<first>[一二三四五六七八九十])")


def full(line: str, today: Today) -> Iterator[FoundDate]:
    """三月十五, 明年一月二号, 九二年六月十一号, 2026-11-27."""
    for found in _ISO.finditer(line):
        day = real(int(found["year"]), int(found["month"]), int(found["day"]))
        yield FoundDate(*found.span(), day, ask=day is None)
    for found in _FULL.finditer(line):
        month, number = whole(found["month"]), whole(found["day"])
        digits_before = not found["year"] and re.search(r"[零一二三四五六七八九]$", line[: found.start()])
        if month and number and not digits_before:
            day = _in_year(found["year"], month, number, today)
            yield FoundDate(*found.span(), day, ask=day is None)


def _in_year(spoken: str | None, month: int, day: int, today: Today) -> date | None:
    if not spoken:
        return month_and_day(month, day, today)
    near = {"今年": 0, "明年": 1, "后年": 2, "去年": -1, "前年": -2}
    if spoken in near:
        return real(today.day.year + near[spoken], month, day)
    year = whole(spoken)
    if year is None:
        return None
    if year < 100:
        year += 2000 if year <= (today.day.year + 1) % 100 else 1900
    return real(year, month, day)


def parts_of_month(line: str, today: Today) -> Iterator[FoundDate]:
    """月底, 下月初, 这个月中旬: beginning 1-5, middle 10-20, end the last day."""
    for found in _PART.finditer(line):
        part = found["part"]
        if not found["month"] and not part.startswith("月"):
            continue
        first = _month(found["month"], today)
        if first is None:
            continue
        yield _part(found, first, part.removeprefix("月"), today)


def _part(found: re.Match[str], first: date, part: str, today: Today) -> FoundDate:
    stretch = {"初": (1, 5), "头": (1, 5), "中": (10, 20), "中旬": (11, 20), "上旬": (1, 10)}.get(part)
    if stretch is None and part != "下旬":
        return FoundDate(*found.span(), month_end(first))
    begin, finish = stretch or (21, month_end(first).day)
    if not today.past and not found["month"] and first.replace(day=finish) < today.day:
        first = add_months(first, 1)
    if not today.past and first.replace(day=finish) < today.day:
        return FoundDate(*found.span(), ask=True)
    return FoundDate(*found.span(), first.replace(day=begin), first.replace(day=finish))


def _month(spoken: str | None, today: Today) -> date | None:
    """First day of the month that `spoken` names; the month of the call when nothing is said."""
    first = today.day.replace(day=1)
    if not spoken or re.match(r"这|本|当|今", spoken):
        return first
    if re.match(r"再?下", spoken):
        return add_months(first, spoken.count("下") + spoken.startswith("再"))
    if spoken.startswith("上"):
        return add_months(first, -spoken.count("上"))
    number = whole(spoken.removesuffix("份").removesuffix("月"))
    if number is None or not 1 <= number <= 12:
        return None
    year = today.day.year
    if today.past:
        return date(year - (number > today.day.month), number, 1)
    return date(year + (number < today.day.month), number, 1)


def days_of_month(line: str, today: Today) -> Iterator[FoundDate]:
    """下个月十号, 十五号, 十号到十五号, 十三四号; a day that is gone is next month's; with 这个月, ask."""
    for found in _MONTH_DAY.finditer(line):
        number = whole(found["day"])
        if found["month"].startswith(("每", "月月")):
            day = day_of_month(number or 0, today)
        else:
            first = _month(found["month"], today)
            day = real(first.year, first.month, number or 0) if first else None
        gone = day is not None and day < today.day and not today.past and not found["month"].startswith("上")
        yield FoundDate(*found.span(), None if gone else day, ask=gone or day is None)
    yield from _loose_days(line, today)
    for found in _PAIR.finditer(line):
        low, high = (whole((found["lead"] or "") + found[name]) for name in ("a", "b"))
        if low and high and high == low + 1 and (found["lead"] or not re.search(r"[一二三十]$", line[: found.start()])):
            first_day = day_of_month(low, today)
            if first_day is not None:
                last_day = real(first_day.year, first_day.month, high)
                yield FoundDate(*found.span(), first_day, last_day)
    for found in _DAYS.finditer(line):
        if found["mark"] == "日" and re.match(r"[子常]", line[found.end() :]):
            continue
        yield _days(found, today)


def _loose_days(line: str, today: Today) -> Iterator[FoundDate]:
    """二十还: a day without 号 right before paying; 二十几号 has to be asked for."""
    for found in (*_BARE_DAY.finditer(line), *_TURNED_TO.finditer(line)):
        day = day_of_month(whole(found["day"]) or 0, today)
        yield FoundDate(*found.span(), day, ask=day is None)
    for found in _SOME_DAY.finditer(line):
        yield FoundDate(*found.span(), ask=True)


def whole_months(line: str, today: Today) -> Iterator[FoundDate]:
    """三月份, 明年一月, 去年十月: the whole month; a bare 三月 without 份 or a year is no date."""
    for found in _BARE_MONTH.finditer(line):
        month = whole(found["month"])
        if month is None or not (found["part"] or found["year"]):
            continue
        near = {"今年": 0, "明年": 1, "后年": 2, "去年": -1, "前年": -2}
        first = date(today.day.year + near[found["year"]], month, 1) if found["year"] else _month(f"{month}月", today)
        if first is not None:
            yield FoundDate(*found.span(), first, month_end(first))


def _days(found: re.Match[str], today: Today) -> FoundDate:
    number, until = whole(found["a"]), whole(found["b"]) if found["b"] else None
    day = day_of_month(number, today) if number and 1 <= number <= 31 else None
    if day is None or until is None:
        return FoundDate(*found.span(), day, ask=day is None)
    first = day if until > day.day else add_months(day, 1)
    last = real(first.year, first.month, until)
    return FoundDate(*found.span(), day if last else None, last, ask=last is None)


def lunar(line: str, today: Today) -> Iterator[FoundDate]:
    """腊月二十, 农历八月十五, 正月十五, 大年三十, 初八."""
    names = {"正": 1, "冬": 11, "腊": 12}
    for found in _LUNAR.finditer(line):
        spoken = (found["named"] or found["month"] or found["plain"]).removesuffix("月")
        month = names.get(spoken) or whole(spoken)
        if not found["day"] or month is None:
            yield FoundDate(*found.span(), ask=True)
            continue
        number = 29 if found["day"] == "底" else whole(found["day"].removeprefix("初").replace("廿", "二十"))
        day = table.lunar_day(month, number, today.day, today.past) if number else None
        yield FoundDate(*found.span(), day, ask=day is None)
    if feast := re.search("中秋|端午|七夕|重阳", line):
        for found in _LUNAR_FEAST.finditer(line):
            day = table.lunar_day(*_MOVABLE[feast.group()], today.day, today.past)
            yield FoundDate(*found.span(), day, ask=day is None)
    for found in _NEW_YEAR.finditer(line):
        if found["of"]:
            day = _first_days(line, found, today)
        elif found["eve"]:
            day = table.eve(today.day, today.past)
        else:
            day = table.lunar_day(1, whole(found["first"]) or 1, today.day, today.past)
        yield FoundDate(*found.span(), day, ask=day is None)


def _first_days(line: str, found: re.Match[str], today: Today) -> date | None:
    """下月初三: by which calendar cannot be told, unless the line names it; None means ask."""
    lead = re.search(r"(?P<month>(?:再?下+个?|这个?|本)月)$", line[: found.start() + 1])
    number = whole(found["first"])
    if lead is None or number is None:
        return None
    if re.search("阳历|新历|公历", line):
        first = _month(lead["month"], today)
        return real(first.year, first.month, number) if first else None
    if re.search("农历|阴历|旧历|老历", line) and lead["month"].startswith("下") and lead["month"].count("下") == 1:
        return table.next_month_day(number, today.day)
    return None


_FIXED = {
    "元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "劳动节": (5, 1), "五一": (5, 1),
    "儿童节": (6, 1), "六一": (6, 1), "建军节": (8, 1), "教师节": (9, 10), "国庆节": (10, 1), "国庆": (10, 1),
    "十一": (10, 1), "双十一": (11, 11), "双十二": (12, 12), "平安夜": (12, 24), "圣诞": (12, 25),
}
_MOVABLE = {
    "春节": (1, 1), "大年": (1, 1), "元宵": (1, 15), "端午": (5, 5), "七夕": (7, 7), "中秋": (8, 15), "重阳": (9, 9),
    "小年": (12, 23), "腊八": (12, 8),
}
_FEAST = re.compile(
    r"(?P<turn>过了|过完|等)?(?P<name>元旦|情人节|妇女节|劳动节|"
    r"(?<![零一二三四五六七八九幺])五一(?=节|前|后|放|假|之|以|还|的|就|$| )|儿童节|"
    r"(?<![零一二三四五六七八九幺])六一(?=节|前|之|后)|建军节|教师节|国庆节?|(?<![二三四五六七八九零双])十一(?=假|长假|黄金|放假|前|之前|以前|"
    r"后|过后)|"
    r"双十一|双十二|平安夜|圣诞|春节|元宵|端午|七夕|中秋|重阳|腊八|小年(?!轻)|清明|冬至|除夕|年底|年末|岁末|年终(?!奖)|"
    r"过年(?!的?时候?才)|(?<![半一两三四五六七八九十几多百千万\d])年前(?!的)|(?<![半一两三四五六七八九十几多\d])年后|"
    r"过完年|过了年|开了?年|过[完了]节|明年|年初)(?:节|那天|当天)?(?P<after>之?后|以后|过后|完)?"
)


_YEAR_END = ("年底", "年末", "岁末", "年终")
_SOME_TIME = ("年后", "过完年", "过了年", "开年", "开了年", "过完节", "过了节", "明年", "年初")


def feasts(line: str, today: Today) -> Iterator[FoundDate]:
    """元旦, 中秋, 除夕, 年前 (by the last day of the lunar year), 年底; 年后, 节后 and 明年 alone have to be asked."""
    for found in _FEAST.finditer(line):
        if found["name"] in ("明年", "年初") and re.match(r"[一二三四五六七八九十\d]", line[found.end() :]):
            continue
        vague = found["name"] in _SOME_TIME or found["after"] or found["turn"] in ("过了", "过完")
        day = None if vague else _feast(found["name"], today)
        if day and found["name"] in _YEAR_END and line[: found.start()].endswith("明年"):
            day = day.replace(year=today.day.year + 1)
        yield FoundDate(*found.span(), day, ask=day is None)


def _feast(name: str, today: Today) -> date | None:
    if name in _FIXED:
        return month_and_day(*_FIXED[name], today)
    if name in _MOVABLE:
        return table.lunar_day(*_MOVABLE[name], today.day, today.past)
    if name in _YEAR_END:
        return date(today.day.year, 12, 31)
    if name == "清明":
        return table.qingming(today.day, today.past)
    if name == "冬至":
        return table.dongzhi(today.day, today.past)
    return table.eve(today.day, today.past)
