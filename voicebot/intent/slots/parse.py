"""parse_slots: dates, times, amounts, shares, instalments, digits and tense of one utterance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from voicebot.domain.understanding import Slots, Tense
from voicebot.intent.slots.amounts import Amount, find_amounts
from voicebot.intent.slots.choose import (
    Choice,
    Mention,
    alternatives,
    corrected,
    denied,
    first_then,
    for_the_rest,
    overtaken,
    paid_on,
    payday,
)
from voicebot.intent.slots.dates import find_dates, lasts
from voicebot.intent.slots.digits import Digits, find_digits
from voicebot.intent.slots.found_date import FoundDate
from voicebot.intent.slots.ratios import Instalments, Share, find_instalments, find_shares
from voicebot.intent.slots.reading import MASK, masked, read
from voicebot.intent.slots.relative_dates import is_payday
from voicebot.intent.slots.tense import tense
from voicebot.intent.slots.times import FoundTime, find_times

SHANGHAI = ZoneInfo("Asia/Shanghai")

_A_FEW_DAYS = 7
_INCOME = re.compile(r"(?:工资|月薪|薪水|房租|房贷|车贷|挣|赚|药费|医药费|手术费|收入|低保|退休金|养老金|花了?|"
    r"赔了?|赔|欠了?你?们?|借了?|亏了?|利息|违约金|罚息|额度|学费|生活费|伙食费|剩下的?|还剩|余下|押金|定金|水电|"
    r"本来|一共|总共|不就是|输了?|骗了?)[是有才就只了要得快大概差不多个我你们到一共 ]*$")
_PAYING = re.compile(r"(?:(?<!不)还|给|付|转|存|打|先|凑|拿|交|划|缴)(?:你们?|了|上|个|出|过|掉|够|得出|进去|过去|"
    r"您|他|一|完|大概|最多|差不多|顶多|能|就)*$")


def parse_slots(text: str, now: datetime) -> Slots:
    """Slots of `text` said at `now` (aware; dates are those of Asia/Shanghai). Never raises; what must be asked for is
    `ambiguous` with no value. A promise never gets a date in the past."""
    try:
        return _parse(text, now)
    except (ValueError, OverflowError, ArithmeticError):
        # Figures beyond the calendar or beyond reason: nothing was understood, nothing is guessed.
        return Slots(ambiguous=True)


def _parse(text: str, now: datetime) -> Slots:
    here = now.astimezone(SHANGHAI)
    line = _news(masked(read(text)))
    spoken = tense(line)
    mentions = find_dates(line, here.date(), spoken is Tense.PAST)
    times = [found for found in find_times(line, here) if not denied(line, found)]
    day = _date(line, mentions, here.date(), spoken)
    moment = _time(line, times)
    free = _blank(line, [*_spans(mentions), *_spans(times)])
    digits = _digits(free)
    instalments = find_instalments(_monthly(line, mentions))
    amount = _amount(_blank(free, [*instalments.spans, *_spans(find_digits(free))]), line)
    shares = [found for found in find_shares(free) if not denied(line, found)]
    share = shares[-1] if shares else None
    if share and share.ratio == 1.0 and amount.chosen:
        share = None  # 还三千 一次性: how it is paid, not how much
    if _debt_beside_share(line, amount, share):
        amount = Choice()
    return _slots(day, moment, amount, share.ratio if share else None, instalments, digits, spoken, here.date())


_NOW_ON = re.compile(
    r" (?=[我那就]?(?:今[天晚]|明[天早晚]|后天|这[次回]|这个月|下个?[周月]|周|礼拜)[^ ]{0,4}(?:再|"
    r"只能|先|还(?!是|在|没|打|催)|转|给)"
    r"[^ ]{0,3}[一二两三四五六七八九十百千万\d半])"
)
_TO_COME = re.compile(
    "今[天晚]|明[天儿早晚]|后[天儿]|下个?[周月礼星]|[周拜期][一二三四五六日天末]|月[底末初中]|[号日](?:之?前|再|就|还|给|转|付)|天[内后]|以后"
)
_STORY = re.compile(r"^(?:我)?(?:上[次回]|上个?月|昨|前[天几两])")


def _news(line: str) -> str:
    """上个月还了两千 这个月还一千: the part that tells what is to come; other lines as they are."""
    for gap in re.finditer(" ", line):
        before, rest = line[: gap.start()], line[gap.end() :]
        if tense(before) is Tense.PAST and tense(rest) is Tense.FUTURE and _TO_COME.search(rest):
            return rest
    turn = _NOW_ON.search(line)
    told = turn is not None and (_STORY.match(line) or tense(line[: turn.start()]) is Tense.PAST)
    return line[turn.end() :] if told and turn else line


def _slots(
    day: Choice[FoundDate], moment: FoundTime | None, amount: Choice[Amount], ratio: float | None,
    instalments: Instalments, digits: Digits | None, spoken: Tense, today: date,
) -> Slots:
    first = day.chosen.first if day.chosen else None
    if first is None and moment and moment.moment and not day.ask:
        first = moment.moment.date()
    money = amount.chosen or Amount(0, 0)
    if spoken is Tense.NONE and first is not None:
        spoken = Tense.PAST if first < today else Tense.FUTURE
    return Slots(
        date=first, date_end=day.chosen.last if day.chosen else None, time=moment.at if moment else None,
        amount_fen=money.fen, amount_min_fen=money.low, amount_max_fen=money.high, ratio=ratio,
        installments=instalments.count, per_installment_fen=instalments.per_fen, digits=digits.text if digits else None,
        ambiguous=day.ask or amount.ask, tense=spoken,
    )


def _monthly(line: str, mentions: Sequence[FoundDate]) -> str:
    """`line` without its dates; 每个月十号 still says that what follows is paid every month."""
    every = [
        (each.start, each.start + 2)
        for each in mentions if line[each.start] in "每月" and each.end > each.start + 2
    ]
    out = _blank(line, _spans(mentions))
    for start, end in every:
        out = out[:start] + ("每月" if line[start] == "每" else MASK * 2) + out[end:]
    return out


def _time(line: str, found: list[FoundTime]) -> FoundTime | None:
    """The first time named, the last one where the line corrects itself."""
    found = [each for each in found if not overtaken(line, each)] or found
    if len(found) > 1 and corrected(line, found[-2], found[-1]):
        return found[-1]
    return found[0] if found else None


def _spans(found: Sequence[Mention]) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in found]


def _blank(line: str, spans: list[tuple[int, int]]) -> str:
    """`line` with those stretches masked, of the same length."""
    out = list(line)
    for start, end in spans:
        out[start:end] = MASK * (end - start)
    return "".join(out)


def _digits(line: str) -> Digits | None:
    """The digit string that counts: the last one (people correct themselves), asked-for ones before others."""
    found = [each for each in find_digits(line) if not denied(line, each)]
    first = next((index for index, each in enumerate(found) if each.asked), 0)
    return found[first:][-1] if found else None


def _date(line: str, found: list[FoundDate], today: date, spoken: Tense) -> Choice[FoundDate]:
    ruled_out = {(each.first, each.last) for each in found if each.first and denied(line, each)}
    live = [each for each in found if not denied(line, each)]
    live = [each for each in live if (each.first, each.last) not in ruled_out] or live
    now_due = [each for each in live if not for_the_rest(line, each)]
    live = now_due if now_due or "先" in line else live
    if not live:
        return Choice()
    certain = _distinct([each for each in live if each.first is not None])
    live = [each for each in live if not (each.ask and _named_in_full(line, each, certain))]
    if spoken is not Tense.PAST:
        certain = [each for each in certain if (each.last or each.first or today) >= today] or certain
    if not certain:
        return Choice(ask=True)
    doubtful = [each for each in live if each.ask and not is_payday(line[each.start : each.end])]
    if any(paid_on(line, each) for each in doubtful) and not any(paid_on(line, each) for each in certain):
        return Choice(ask=True)
    last = live[-1]
    if last.ask and len(live) > 1 and corrected(line, live[-2], last):
        return Choice(ask=True)
    certain = [each for each in certain if not _meant_by_another(line, each, certain)]
    certain = [each for each in certain if not overtaken(line, each)] or certain
    if len(certain) == 1:
        only = certain[0]
        # 下个月发工资: wages come some time in that stretch, on which day has to be asked for.
        return Choice(ask=True) if lasts(only).days > _A_FEW_DAYS and payday(line, only) else Choice(only)
    return _among(line, certain)


def _named_in_full(line: str, bare: FoundDate, certain: list[FoundDate]) -> bool:
    """三十一号 十二月三十一号: which month is said beside it."""
    words = line[bare.start : bare.end]
    return words.endswith(("号", "日")) and any(line[: each.end].endswith(words) for each in certain)


def _meant_by_another(line: str, bare: FoundDate, several: list[FoundDate]) -> bool:
    """礼拜四 下个礼拜四, 三号 礼拜四: the bare weekday is the day that is named more closely beside it."""
    if bare.first is None or bare.last or not re.match("周|星期|礼拜", line[bare.start : bare.end]):
        return False
    return any(
        each is not bare and each.first is not None and each.first != bare.first
        and each.first.weekday() == bare.first.weekday() and not each.last
        for each in several
    )


def _among(line: str, several: list[FoundDate]) -> Choice[FoundDate]:
    if alternatives(line, several):
        return Choice(ask=True)
    if len(several) == 2 and (joined := _from_to(line, *several)):
        return Choice(joined)
    if corrected(line, several[-2], several[-1]) or overtaken(line, several[0]):
        return Choice(several[-1])
    if first_then(line):
        return Choice(several[0])
    paid = [each for each in several if paid_on(line, each) and not payday(line, each)]
    if len(paid) == 1:
        return Choice(paid[0])
    pays = [each for each in several if not payday(line, each)]
    if len(pays) == 1:
        return Choice(pays[0])
    inner = min(several, key=lasts)
    if all(_within(inner, each) for each in several):
        return Choice(inner)
    return Choice(ask=True)


def _from_to(line: str, one: FoundDate, two: FoundDate) -> FoundDate | None:
    """二十号到月底, 二十六号 最迟月底: from the one to the other."""
    if not re.fullmatch(r"(?:到|至|-| ?(?:最[迟晚]|"
    r"顶多))", line[one.end : two.start]) or one.first is None or two.first is None:
        return None
    last = two.last or two.first
    return FoundDate(one.start, two.end, one.first, last) if one.first < last else None


def _within(inner: FoundDate, outer: FoundDate) -> bool:
    if inner.first is None or outer.first is None:
        return False
    return outer.first <= inner.first <= (outer.last or outer.first)


def _distinct(found: list[FoundDate]) -> list[FoundDate]:
    seen: dict[tuple[date | None, date | None], FoundDate] = {}
    for each in found:
        seen[(each.first, each.last)] = each
    return sorted(seen.values(), key=lambda each: each.start)


def _amount(free: str, line: str) -> Choice[Amount]:
    live = [each for each in find_amounts(free) if not denied(line, each)]
    certain = [each for each in live if not each.vague]
    if not certain:
        return Choice(ask=bool(live))
    certain = [each for each in certain if not overtaken(line, each)] or certain
    distinct = list({(each.fen, each.low, each.high): each for each in certain}.values())
    if len(distinct) == 1:
        return Choice(distinct[0])
    distinct.sort(key=lambda each: each.start)
    if alternatives(line, distinct):
        return Choice(ask=True)
    if corrected(line, distinct[-2], distinct[-1]):
        return Choice(distinct[-1])
    if first_then(line):
        return Choice(distinct[0])
    for keep in (_paying(line, distinct), [each for each in distinct if not _INCOME.search(line[: each.start])]):
        if len(keep) == 1:
            return Choice(keep[0])
    return Choice(ask=True)


_GIVEN = re.compile(r"(?:先|就|再|都|全)?(?:给你|还你|转你|还给|打给|付给)(?![一二两三四五六七八九\d])")


def _debt_beside_share(line: str, amount: Choice[Amount], share: Share | None) -> bool:
    """三千五 我先还一半: the sum named before is the debt, what is paid is a share of it."""
    if amount.chosen is None or share is None or share.ratio == 1.0 or amount.chosen.end > share.start:
        return False
    return bool(_PAYING.search(line[: share.start])) and not _PAYING.search(line[: amount.chosen.start])


def _paying(line: str, found: list[Amount]) -> list[Amount]:
    given = [each for each in found if _GIVEN.match(line[each.end :])]
    if len(given) == 1:
        return given
    return [each for each in found if _PAYING.search(line[: each.start]) and not _INCOME.search(line[: each.start])]
