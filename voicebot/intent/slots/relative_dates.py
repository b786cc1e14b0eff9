"""Dates counted from the call: 明天, 下周五, 三天后, 十天之内, 过两天, 发工资那天."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from voicebot.intent.slots.found_date import FoundDate, Today, add_months, monday, month_end, same_day_months_on
from voicebot.intent.slots.numerals import whole

_DAYS = {
    "大前天": -3, "大前儿": -3, "前天": -2, "前日": -2, "前儿": -2,
    "昨天": -1, "昨日": -1, "昨儿": -1, "昨晚": -1, "昨夜": -1, "寻日": -1,
    "今天": 0, "今日": 0, "今儿": 0, "今晚": 0, "今早": 0, "今夜": 0, "今下午": 0, "今上午": 0, "当天": 0,
    "明天": 1, "明日": 1, "明儿": 1, "明早": 1, "明晚": 1, "明上午": 1, "明下午": 1, "明朝": 1, "听日": 1,
    "后天": 2, "后日": 2, "后儿": 2, "后晚": 2, "大后天": 3, "大后儿": 3, "大后日": 3, "外后天": 3,
}
_DAY = re.compile(
    r"(?P<two>今明(?:两天|天)?|明后(?:两天|天)?|[明后]天后天|今天明天|明天后天)|(?P<these>[这着]一?两天|这两日)|"
    r"(?P<day>大前[天儿]|大后[天儿日]|外后天|前[日儿]|(?<![之以])前天|昨[天日儿晚夜]|寻日|今[天日儿晚早夜]|"
    r"今[上下]午|当天(?=还|就)|明[天日儿早晚朝]|明[上下]午|听日|(?<![以之今])后[天日儿晚](?!面|媳))(?:个儿?)?"
)
_WEEKDAY = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "1": 0, "2": 1, "3": 2, "4": 3,
    "5": 4, "6": 5, "7": 6}
_WEEK = re.compile(
    r"(?P<lead>(?:再?(?<![剩余])下+(?:一?个)?|这个?|本|上+个?|每个?)的?)?(?:周|星期|"
    r"礼拜)(?P<day>[一二三四五六日天末1-6])(?![个年圈])(?:(?:(?:到|至|或者?|或是|、|-)(?:周|星期|"
    r"礼拜)?)?(?P<until>[一二三四五六日天])(?![个年点号十百千万]))?"
)
_WHOLE_WEEK = re.compile(r"(?P<lead>再?(?<![剩余])下+(?:一?个)?|这个?|本|上+个?)的?(?:周|星期|"
    r"礼拜)(?![一二三四五六日天末])(?P<inside>之内|以内|内|里)?")
_WHOLE_MONTH = re.compile(r"(?P<lead>再?(?<![剩余])下+个?|这个?|本|上+个?|当)月(?:份)?(?P<inside>之内|以内|内|"
    r"里)?(?![底末初中尾头])")
_NUMBER = r"(?:[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九]|\d{1,3}|半)"
_COUNT = re.compile(
    rf"(?P<past>过去)?(?P<lead>再?过|(?:再)?等我?|再给我?|多给我?|给我|(?:再)?宽限我?|再?缓我?|延期|推迟|延|延后|往后推|"
    rf"往后拖|最多|顶多|最迟|"
    rf"最晚)?(?:个)?(?P<a>{_NUMBER})(?:[到至](?=[二两三四五六七八九十]))?(?P<b>[二两三四五六七八九十])?(?P<half1>个半)?个?(?P<unit>天半?|日(?!子)|星期|"
    rf"礼拜|周(?!末|[一二三四五六日])|月(?![一二三四五六七八九十\d底初末中])|小时|钟头|来天|年)(?:的时间|时间|"
    rf"左右)?(?P<after>之内|以内|内|里(?!面)|(?:以|之|过|往)?后|过了)?"
)
_AGO = re.compile(rf"(?P<a>{_NUMBER})个?(?P<unit>天|日|星期|礼拜|周|月)(?:之|以)?前(?!还?(?:到|给|把))")
_VAGUE = re.compile(
    r"(?:再?过)(?:了)?(?:个)?[一]?(?:两|几|些)(?:天|日|个月|个礼拜|周|个星期)|(?:再?过)(?:一)?(?:阵子?|段时间|"
    r"些日子|些时候|些天)|[这]几天|[近]几天|最近(?=还|就还|处理)|改天|几天(?:之?后|以后|内)|"
    r"(?:宽限|缓|拖|推迟|延|晚)(?:个)?[几两]天|(?:延|晚|迟)个?[三四五六七八九十]{1,2}天|"
    r"(?:再?过)(?:一|□)*(?:阵|□)子|十天半个?月的?|十[几来]天(?:之?后|以后|以内|内|吧)|下半年|上半年|下季度|有空再"
)
_PAYDAY = re.compile(r"(?:发|开|领|出|拿|到|下)(?:了|完)?(?:工资|薪水|薪|公资|工钱|饷|粮|"
    r"奖金|年终奖|提成|补贴|补助|退休金|养老金)|开(?:了)?支|"
    r"工资(?:一)?(?:到|发|下来)|薪水(?:到|发|下来)|出粮|出左粮|粮到|发薪")
_CONDITION = re.compile(
    r"(?:等|要?等到|只要|啥时候|什么时候)[^ ]{0,10}?(?:下来|到账|到手|到位|批了|批下|回来|回款|有钱|有了钱|"
    r"结了?账|结了|卖了|卖掉|收回|拿到|赔下|有了收入|找到工作|找着工作|上班了)|"
    r"(?:年终奖|工程款|拆迁款|货款|尾款|提成|赔偿款?|退税|公积金|[结房补]款|定金)"
    r"[^ 没不]{0,3}(?:下来|到账|到了|批下|结了)"
)
_SOON = re.compile(r"(?!现在还(?:不|没|在|有|差|款|行|要|是|能|得|想|可|挺|很|欠|剩|怕|真|哪|怎|算|"
    r"好|早|小|拿|凑))(?P<now>马上|立马|立刻|一会儿?|待会儿?|等会儿?|等下|等一下|这就|现在就?|当场|即刻|稍后|等哈|"
    r"一哈)(?:我)?(?:就|去|给你|再|能|可以)*(?=还|处理|转(?!人工)|弄|存|交|付|打钱|打给你|打过去|去还|去存|去转|"
    r"去交|操作|结清|给你转|给你还|给你打)")
_FUTURE = r"还|给|付|转|交|处理|结|弄|存|打|来|行|可以|吧|成"


def days(line: str, today: Today) -> Iterator[FoundDate]:
    """今天, 明儿个, 大后天, 明后天; 这两天 is a stretch of three days."""
    for found in _DAY.finditer(line):
        if found["day"]:
            yield FoundDate(*found.span(), today.day + timedelta(_DAYS[found["day"]]))
        elif found["these"]:
            last = today.day + timedelta(2)
            yield FoundDate(*found.span(), ask=True) if today.past else FoundDate(*found.span(), today.day, last)
        else:
            begin = 0 if found["two"].startswith("今") else 1
            yield FoundDate(*found.span(), today.day + timedelta(begin), today.day + timedelta(begin + 1))


def weekdays(line: str, today: Today) -> Iterator[FoundDate]:
    """周五, 这周五, 下下周一, 周末. Without 这 or 下 the nearest one; for today, tomorrow or a gone 这周五: ask."""
    for found in _WEEK.finditer(line):
        lead = found["lead"] or _lead_before(line, found)
        if found["day"] == "末":
            yield _weekend(found, lead, today)
            continue
        shift = _weeks(lead)
        wanted = _WEEKDAY[found["day"]]
        day = monday(today.day) + timedelta(7 * (shift or 0) + wanted)
        if not lead or lead.startswith("每"):
            ahead = (wanted - today.day.weekday()) % 7
            day = today.day + timedelta(ahead - 7 if today.past and ahead else ahead)
            if ahead <= 1 and not today.past and not _named_beside(line, found, ahead):
                yield FoundDate(*found.span(), ask=True)
                continue
        elif shift == 0 and day < today.day and not today.past:
            yield FoundDate(*found.span(), ask=True)
            continue
        yield _until(found, day)


def _lead_before(line: str, found: re.Match[str]) -> str:
    """下礼拜三发工资 礼拜四还: a weekday soon after another one, later in the week, belongs to the same week."""
    for earlier in _WEEK.finditer(line[: found.start()]):
        close = found.start() - earlier.end() <= 10 and not re.search("不|改|还是", line[earlier.end() : found.start()])
        later = _WEEKDAY.get(found["day"], 0) > _WEEKDAY.get(earlier["day"], 6)
        lead = earlier["lead"] or ""
        if lead.startswith(("下", "再下")) and close and later:
            return lead
    return ""


def _until(found: re.Match[str], day: date) -> FoundDate:
    if not found["until"]:
        return FoundDate(*found.span(), day)
    more = (_WEEKDAY[found["until"]] - day.weekday()) % 7
    if re.search("或", found.group()):
        return FoundDate(*found.span(), ask=True)
    return FoundDate(*found.span(), day, day + timedelta(more)) if more else FoundDate(*found.span(), day)


def _named_beside(line: str, found: re.Match[str], ahead: int) -> bool:
    """明天周三 and 今天周二 say which one is meant."""
    return bool(re.search(("今天|今儿|今日", "明天|明儿|明日")[ahead] + r"(?:是|就是)? ?$", line[: found.start()]))


def _weeks(lead: str) -> int:
    """How many calendar weeks away 下, 下下, 上 or 这 point."""
    return lead.count("下") + lead.startswith("再") - lead.count("上")


def _weekend(found: re.Match[str], lead: str, today: Today) -> FoundDate:
    saturday = monday(today.day) + timedelta(7 * _weeks(lead) + 5)
    if today.past and not lead and saturday > today.day:
        saturday -= timedelta(7)
    return FoundDate(*found.span(), saturday, saturday + timedelta(1))


def weeks_and_months(line: str, today: Today) -> Iterator[FoundDate]:
    """下周, 这个月内, 上个月: stretches; 之内 means by the last day."""
    for found in _WHOLE_WEEK.finditer(line):
        first = monday(today.day) + timedelta(7 * _weeks(found["lead"]))
        if _meant(line, found):
            yield _stretch(found, FoundDate(*found.span(), first, first + timedelta(6)))
    for found in _WHOLE_MONTH.finditer(line):
        first = add_months(today.day.replace(day=1), _weeks(found["lead"]))
        if _meant(line, found):
            yield _stretch(found, FoundDate(*found.span(), first, month_end(first)))


def _meant(line: str, found: re.Match[str]) -> bool:
    """这个月 on its own often only says which instalment is meant; as a date it is paid in, or stands at the end."""
    if not re.match("[这本当]", found["lead"]) or found["inside"]:
        return True
    return bool(re.match(r"(?:[我就内会能想]|一定|肯定|争取|尽量|想办法|开始|可以|之?前|以前)*(?:还|给|处理|结|付|"
        r"转)|$", line[found.end() :]))


def _stretch(found: re.Match[str], whole_: FoundDate) -> FoundDate:
    return FoundDate(whole_.start, whole_.end, whole_.last) if found["inside"] else whole_


def spans(line: str, today: Today) -> Iterator[FoundDate]:
    """三天后, 十天之内, 三五天, 半个月后, 再宽限一周, 四十八小时内; 过两天 and its like must be asked."""
    for found in _VAGUE.finditer(line):
        if not today.past:
            yield FoundDate(*found.span(), ask=True)
    for found in _AGO.finditer(line) if today.past else ():
        length = _length(found["a"], found["unit"], False, today)
        if length is not None:
            yield FoundDate(*found.span(), today.day - length)
    for found in _COUNT.finditer(line):
        day = _counted(line, found, today)
        if day is not None:
            yield day


def _counted(line: str, found: re.Match[str], today: Today) -> FoundDate | None:
    lead, after = found["lead"] or "", found["after"] or ""
    rest, before = line[found.end() :], line[: found.start()]
    range_ = found["b"] and found["unit"].startswith(("天", "日", "来天"))
    if (found["unit"] == "年" and not after) or (found["unit"] == "小时" and not after and not lead):
        return None
    if not after and not lead and not (range_ and re.match(rf"(?:吧|就|我|再|左右|的?样子)*(?:{_FUTURE})|$", rest)):
        return None
    if re.search(r"(?:逾期|欠|拖|晚|等|找|病|住|干|做|失业|裁|停|每|一天|打)(?:了|我)?$", before) and not re.match(
        r"后|内", after[-1:]):
        return None
    steps = _length(found["a"], found["unit"], bool(found["half1"]), today)
    if steps is None:
        return None
    begin, finish = steps, _length(found["b"], found["unit"], False, today) if found["b"] else None
    if finish is not None and finish > begin:
        return FoundDate(*found.span(), today.day + begin, today.day + finish)
    return FoundDate(*found.span(), today.day + begin)


def _length(spoken: str, unit: str, half: bool, today: Today) -> timedelta | None:
    number = 0.5 if spoken == "半" else whole(spoken)
    if number is None:
        return None
    number = number + (0.5 if half or unit.endswith("半") else 0)
    if unit in ("小时", "钟头"):
        return timedelta(hours=number) if number >= 12 else None
    if unit in ("星期", "礼拜", "周"):
        return timedelta(round(7 * number))
    if unit in ("月", "年"):
        number *= 12 if unit == "年" else 1
        on = same_day_months_on(today.day, int(number))
        return on - today.day + timedelta(15 if number % 1 else 0)
    return timedelta(round(number))


def paydays(line: str, today: Today) -> Iterator[FoundDate]:
    """发工资那天: the day of the month has to be asked for."""
    if not today.past and not re.search(r"(?:没|不|还没|没有)(?:有)?(?:发|开)|发不", line):
        for found in _PAYDAY.finditer(line):
            yield FoundDate(*found.span(), ask=True)


def conditions(line: str, today: Today) -> Iterator[FoundDate]:
    """等工程款下来: on which day has to be asked for."""
    if not today.past:
        for found in _CONDITION.finditer(line):
            yield FoundDate(*found.span(), ask=True)


def is_payday(words: str) -> bool:
    return bool(_PAYDAY.match(words) or _CONDITION.match(words))


def soon(line: str, today: Today) -> Iterator[FoundDate]:
    """马上就还, 一会儿转: today."""
    for found in _SOON.finditer(line):
        yield FoundDate(*found.span(), today.day)
