"""Rulebook: may we dial, by which rule not, and not before when. Unknown means no.

Every rule answers a Hold while it forbids: until when, as far as it is concerned (None: for ever).
The earliest permitted time is then found by stepping from hold to hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import chinese_calendar

from voicebot.compliance.pack import Band, RulePack
from voicebot.domain.permission import DialRequest, Reached, Stop
from voicebot.domain.phone import same_line

_DAY = dt.timedelta(days=1)
_STEPS = 400
_TALKED = frozenset({Reached.CONVERSATION})
_MIDNIGHT = dt.time(0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` forbids for `reason`; `not_before` is when dialling becomes allowed if nothing else happens.

    `not_before` is None when allowed now, and when no such time can be known.
    """

    allowed: bool
    rule: str | None
    reason: str
    not_before: dt.datetime | None
    pack_sha256: str


@dataclass(frozen=True, slots=True)
class Hold:
    rule: str
    reason: str
    until: dt.datetime | None


def judge(request: DialRequest, pack: RulePack) -> Verdict:
    """May `request.number` be dialled at `request.now`? Times in the answer are local times of the pack."""
    request = _spelt_alike(request)
    now = request.now.astimezone(pack.zone)
    holds = list(_holds(replace(request, now=now), pack))
    if not holds:
        return Verdict(True, None, "允许拨打", None, pack.sha256)
    reason = f"{holds[0].reason}（{pack.sources[holds[0].rule]}）"
    return Verdict(False, holds[0].rule, reason, _not_before(request, pack, holds), pack.sha256)


def _spelt_alike(request: DialRequest) -> DialRequest:
    """A stop for '138 0000 0001' must hold for '+8613800000001'."""
    stops = (replace(stop, number=None if stop.number is None else same_line(stop.number)) for stop in request.stops)
    history = (replace(attempt, number=same_line(attempt.number)) for attempt in request.history)
    return replace(request, number=same_line(request.number), stops=tuple(stops), history=tuple(history))


def _not_before(request: DialRequest, pack: RulePack, holds: list[Hold]) -> dt.datetime | None:
    moment = request.now.astimezone(pack.zone)
    for _ in range(_STEPS):
        ends = [hold.until for hold in holds]
        later = [end for end in ends if end is not None and end > moment]
        if len(later) < len(ends):
            return None
        moment = max(later)
        holds = list(_holds(replace(request, now=moment), pack))
        if not holds:
            return moment
    return None


def _holds(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    """Every rule that forbids dialling at `request.now` (local time), gravest first."""
    if request.jurisdictions != (pack.jurisdiction,):
        yield Hold("CN-V1", f"没有适用于 {'+'.join(request.jurisdictions) or '未知地区'} 的规则包", None)
        return
    for rule in (_stops, _target, _hours, _quiet, _conversations, _unanswered, _spacing, _rolling):
        yield from rule(request, pack)


def _stops(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    for stop in request.stops:
        if stop.number is not None and stop.number != request.number:
            continue
        if stop.until is not None and stop.until <= request.now:
            continue
        yield from _stop(stop, request, pack)


def _stop(stop: Stop, request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    if stop.kind in pack.stops["contact_refused"]:
        if stop.number is not None or request.target_kind not in pack.liable_targets:
            yield Hold("CN-C2", "该联系人已明确拒绝，不得再联系", None)
    elif stop.kind in pack.stops["do_not_call"]:
        if stop.band is None:
            yield Hold("CN-D2", "对方已要求停止来电", stop.until)
        elif _within(request.now.time(), stop.band):
            yield Hold("CN-D2", "对方已要求该时段不来电", _next(request.now, stop.band[1]))
    elif stop.kind in pack.stops["suspended"]:
        until = stop.until or (stop.at + pack.suspend if stop.at else None)
        if until is None or until > request.now:
            yield Hold("CN-D1", f"已登记暂停信号：{stop.kind}，转人工处理", until)
    else:  # those that last until cleared, and every kind this pack does not know
        yield Hold("CN-D1", f"已登记暂停信号：{stop.kind}，转人工处理", stop.until)


def _target(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    if request.target_kind in pack.liable_targets:
        return
    if request.target_kind not in pack.contact_targets:
        yield Hold("CN-C1", f"不得拨打此类对象：{request.target_kind}", None)
        return
    tried = sum(attempt.number == request.number for attempt in request.history)
    if tried >= pack.attempts_per_contact:
        yield Hold("CN-C1", "同一案件已联系过该联系人", None)
    elif not _debtor_unreachable(request, pack):
        yield Hold("CN-C1", "债务人并非失联，不得联系第三人", None)


def _debtor_unreachable(request: DialRequest, pack: RulePack) -> bool:
    others = [attempt for attempt in request.history if attempt.number != request.number]
    if any(attempt.reached is Reached.CONVERSATION for attempt in others):
        return request.debtor_unreachable
    silent = (Reached.NO_ANSWER, Reached.UNREACHABLE)
    days = {attempt.at.astimezone(pack.zone).date() for attempt in others if attempt.reached in silent}
    return request.debtor_unreachable or len(days) >= pack.unreachable_days


def _hours(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    """CN-T1: the window of the house; agreed hours widen it, the legal ban yields to explicit hours only."""
    bands = [(max(pack.window[0], pack.legal_hours[0]), min(pack.window[1], pack.legal_hours[1]))]
    for consent in request.consents:
        if consent.kind == "other_hours" and (consent.until is None or consent.until > request.now):
            bands.append(consent.band or pack.legal_hours)
    spans = [span for band in bands for span in _dialling_spans(band, pack.max_call)]
    seconds = _seconds(request.now.time())
    if not any(first <= seconds <= last for first, last in spans):
        lawful = _within(request.now.time(), pack.legal_hours)
        reason = "不在允许的拨打时段内" if lawful else "22:00 至次日 8:00 禁止拨打"
        opens = (_next(request.now, _time(first)) for first, last in spans if first <= last)
        yield Hold("CN-T1", reason, min(opens, default=None))


def _dialling_spans(band: Band, max_call: dt.timedelta) -> list[tuple[float, float]]:
    """First and last second of the day at which a call may begin so that it ends within the band."""
    first, end = _seconds(band[0]), _seconds(band[1])
    if band[1] <= band[0]:
        end += _DAY.total_seconds()
    last = end - max_call.total_seconds()
    if last < _DAY.total_seconds():
        return [(first, last)]
    return [(first, _DAY.total_seconds()), (0.0, last - _DAY.total_seconds())]


def _quiet(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    """CN-T3: noon and holidays. A year the calendar does not know is quiet from end to end."""
    now = request.now
    standing = [consent for consent in request.consents if consent.until is None or consent.until > now]
    agreed = {consent.kind for consent in standing}
    explicit = [consent.band for consent in standing if consent.kind == "other_hours" and consent.band]
    noon_agreed = "noon" in agreed or any(_within(now.time(), band) for band in explicit)
    if _within(now.time(), pack.noon) and not noon_agreed:
        opens = (_next(now, band[0]) for band in explicit)
        yield Hold("CN-T3", "午休时间不拨打", min([_next(now, pack.noon[1]), *opens]))
    if "holiday" in agreed:
        return
    try:
        holiday = _holiday(now.date(), pack)
    except NotImplementedError:
        yield Hold("CN-T3", f"没有 {now.year} 年的节假日数据，不得拨打", None)
        return
    if holiday:
        yield Hold("CN-T3", f"节假日不拨打：{holiday}", _next(now, _MIDNIGHT))


def _holiday(day: dt.date, pack: RulePack) -> str | None:
    if day in pack.quiet_dates:
        return "静默日"
    free, name = chinese_calendar.get_holiday_detail(day)
    return str(name) if pack.statutory_holidays and free and name else None


def _conversations(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    if _today(request, _TALKED) >= pack.conversations_per_day:
        yield Hold("CN-F1", "今天已与债务人有效通话", _next(request.now, _MIDNIGHT))


def _unanswered(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    if _today(request, set(Reached) - _TALKED, request.number) >= pack.unanswered_per_number_per_day:
        yield Hold("CN-F2", "今天对该号码的未接通拨打已达上限", _next(request.now, _MIDNIGHT))


def _spacing(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    if pack.reject_stops_the_day and _today(request, {Reached.REJECTED}):
        yield Hold("CN-F3", "对方今天已拒接，当天不再拨打", _next(request.now, _MIDNIGHT))
    last = max((attempt.at for attempt in request.history), default=None)
    if last is not None and request.now < last + pack.spacing:
        yield Hold("CN-F3", "距上次拨打间隔不足", (last + pack.spacing).astimezone(pack.zone))


def _rolling(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    since = request.now - pack.rolling
    recent = sorted(attempt.at for attempt in request.history if attempt.at > since)
    talked = sorted(attempt.at for attempt in request.history if attempt.at > since and attempt.reached in _TALKED)
    for times, cap, what in (
        (talked, pack.conversations_per_rolling, "有效通话"),
        (recent, pack.attempts_per_rolling, "拨打"),
    ):
        if len(times) >= cap:
            until = (times[len(times) - cap] + pack.rolling).astimezone(pack.zone)
            yield Hold("CN-F4", f"七日内{what}已达上限", until)


def _today(request: DialRequest, results: Iterable[Reached], number: str | None = None) -> int:
    day, zone = request.now.date(), request.now.tzinfo
    return sum(
        attempt.reached in results and attempt.at.astimezone(zone).date() == day
        for attempt in request.history
        if number is None or attempt.number == number
    )


def _within(time: dt.time, band: Band) -> bool:
    start, end = band
    return start <= time < end if start < end else time >= start or time < end


def _next(now: dt.datetime, time: dt.time) -> dt.datetime:
    """The next moment, later than now, at which the local clock shows `time`."""
    today = now.replace(hour=time.hour, minute=time.minute, second=time.second, microsecond=time.microsecond)
    return today if today > now else today + _DAY


def _seconds(time: dt.time) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def _time(seconds: float) -> dt.time:
    return (dt.datetime.min + dt.timedelta(seconds=seconds)).time()
