"""Hours: the window of the day at the callee's place, noon, and quiet days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from voicebot.compliance.moments import DAY, MIDNIGHT, Hold, following, seconds_of, time_of, within
from voicebot.compliance.pack import Rule, RulePack, band
from voicebot.domain.permission import Agreement, Band, DialRequest


def hours(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    """The window of the house; agreed hours widen it, the legal ban yields to explicit hours only.

    With several candidate zones it must be within the hours of each.
    """
    window, legal = band(rule.parameters["window"]), band(rule.parameters["legal_hours"])
    bands = [(max(window[0], legal[0]), min(window[1], legal[1]))]
    for consent in _standing(request):
        if consent.kind == "other_hours":
            bands.append(consent.band or legal)
    most = dt.timedelta(minutes=rule.parameters["max_call_minutes"])
    spans = [span for each in bands for span in _dialling_spans(each, most)]
    for zone in pack.zones:
        now = request.now.astimezone(zone)
        seconds = seconds_of(now.time())
        if not any(first <= seconds <= last for first, last in spans):
            forbidden = f"{legal[1]:%H:%M} 至次日 {legal[0]:%H:%M} 禁止拨打".replace(" 0", " ")
            reason = "不在允许的拨打时段内" if within(now.time(), legal) else forbidden
            opens = (following(now, time_of(first)) for first, last in spans if first <= last)
            yield Hold(rule.id, reason, rule.source, min(opens, default=None))


def closes(request: DialRequest, pack: RulePack) -> dt.datetime | None:
    """When a call that begins now must be over: the end of the hours it is in, and the grace of CN-T2.

    None where the pack has no such rule, or the moment lies in no hours at all.
    """
    grace = [rule.parameters["grace_seconds"] for rule in pack.rules.values() if "grace_seconds" in rule.parameters]
    ends: list[dt.datetime] = []
    for rule in pack.rules_for("hours"):
        now = request.now.astimezone(pack.zone)
        window, legal = band(rule.parameters["window"]), band(rule.parameters["legal_hours"])
        agreed = [c.band or legal for c in _standing(request) if c.kind == "other_hours"]
        ends += [following(now, each[1]) for each in [window, *agreed] if within(now.time(), each)]
    return max(ends) + dt.timedelta(seconds=min(grace)) if ends and grace else None


def _standing(request: DialRequest) -> list[Agreement]:
    return [consent for consent in request.consents if consent.until is None or consent.until > request.now]


def _dialling_spans(hours: Band, max_call: dt.timedelta) -> list[tuple[float, float]]:
    """First and last second of the day at which a call may begin so that it ends within the band."""
    first, end = seconds_of(hours[0]), seconds_of(hours[1])
    if hours[1] <= hours[0]:
        end += DAY.total_seconds()
    last = end - max_call.total_seconds()
    if last < DAY.total_seconds():
        return [(first, last)]
    return [(first, DAY.total_seconds()), (0.0, last - DAY.total_seconds())]


def quiet(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    """Noon and holidays. A year the calendar does not know is quiet from end to end."""
    now, standing = request.now, _standing(request)
    agreed = {consent.kind for consent in standing}
    explicit = [consent.band for consent in standing if consent.kind == "other_hours" and consent.band]
    noon = rule.parameters["noon"] and band(rule.parameters["noon"])
    noon_agreed = "noon" in agreed or any(within(now.time(), each) for each in explicit)
    if noon and within(now.time(), noon) and not noon_agreed:
        opens = (following(now, each[0]) for each in explicit)
        yield Hold(rule.id, "午休时间不拨打", rule.source, min([following(now, noon[1]), *opens]))
    if "holiday" in agreed:
        return
    if now.date() in rule.parameters["quiet_dates"]:
        yield Hold(rule.id, "节假日不拨打：静默日", rule.source, following(now, MIDNIGHT))
    elif rule.parameters["statutory_holidays"]:
        yield from _holiday(now, pack, rule)


def _holiday(now: dt.datetime, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    try:
        holiday = pack.calendar.holiday(now.date())
    except KeyError:
        yield Hold(rule.id, f"没有 {now.year} 年的节假日数据，不得拨打", rule.source, None, passing=True)
        return
    if holiday:
        yield Hold(rule.id, f"节假日不拨打：{holiday}", rule.source, following(now, MIDNIGHT))
