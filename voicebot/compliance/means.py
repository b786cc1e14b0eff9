"""Means: what a call would be made with - the number shown, the recorder, the words. All must be known to be good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from voicebot.compliance.moments import Hold
from voicebot.compliance.pack import Rule, RulePack
from voicebot.domain.fleet import SKEW_STOPS_S
from voicebot.domain.permission import CallerId, DialRequest
from voicebot.domain.phone import same_line

_MIB = 1 << 20


def caller_id(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    """Every number that may be shown is registered, ours on this day, and proved to be so not too long ago."""
    if request.means is None:
        return
    today, longest = request.now.date(), dt.timedelta(days=rule.parameters["verified_within_days"])
    known = {same_line(entry.number): entry for entry in request.means.registry}
    for number in request.means.shown:
        wrong = _wrong(known.get(same_line(number)), today, longest)
        if wrong:
            yield Hold(rule.id, f"主叫号码 {number} {wrong}", rule.source, None, passing=True)


def _wrong(entry: CallerId | None, today: dt.date, longest: dt.timedelta) -> str | None:
    if entry is None:
        return "未在主叫号码登记表中"
    if today < entry.valid_from or (entry.valid_to is not None and today > entry.valid_to):
        return "不在登记的使用期限内"
    if entry.verified_on is None:
        return "尚未核验持有人"
    return "的核验已过期" if today - entry.verified_on > longest else None


def recorder(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    """No recorder, no dial: it reported itself a moment ago, its disk has room, and its clock can be believed."""
    if request.means is None:
        return
    found = request.means.recorder
    longest = dt.timedelta(seconds=rule.parameters["recorder_alive_seconds"])
    if found.alive_at is None or request.now - found.alive_at > longest:
        yield Hold(rule.id, "录音机没有心跳，不得拨打", rule.source, None, passing=True)
    elif found.free_bytes < rule.parameters["recorder_free_mib"] * _MIB:
        reason = f"录音磁盘空间不足：剩余 {found.free_bytes // _MIB} MiB"
        yield Hold(rule.id, reason, rule.source, None, passing=True)
    elif abs(found.clock_off_s) > rule.parameters.get("clock_off_seconds", SKEW_STOPS_S):
        reason = f"本机时钟偏差 {found.clock_off_s:+.0f} 秒，时段与频次不可判定"
        yield Hold(rule.id, reason, rule.source, None, passing=True)


def released(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    """Words that nobody released are not spoken."""
    if request.means is not None and not request.means.script_released:
        yield Hold(rule.id, f"话术 {request.script or '（未指定）'} 未发布", rule.source, None, passing=True)
