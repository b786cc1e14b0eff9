"""Rulebook: may we dial, by which rule not, and not before when. Unknown means no; the strictest of several packs wins.

Every rule answers a Hold while it forbids: until when, as far as it is concerned (None: for ever). The earliest
permitted time is then found by stepping from hold to hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from voicebot.compliance.hours import closes, hours, quiet
from voicebot.compliance.means import caller_id, recorder, released
from voicebot.compliance.moments import DAY, MIDNIGHT, Hold, following, within
from voicebot.compliance.pack import Rule, RulePack
from voicebot.compliance.packs import Packs, one_pack, sha256_of
from voicebot.domain.permission import DialRequest, Reached, Stop
from voicebot.domain.phone import same_line

_STEPS = 400
_TALKED = frozenset({Reached.CONVERSATION})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` forbids for `reason`; `not_before` is when dialling becomes allowed if nothing else happens.

    `not_before` is None when allowed now, and when no such time can be known. `passing`: what forbids is nothing of the
    callee alone, and goes when somebody mends it (calendar, pack, recorder, registry); from `not_before` on, or any
    moment, it is worth asking again.
    `asked`: the request with what the judge knew beside it, for the ledger. `close_by`: when the call must be over.
    """

    allowed: bool
    rule: str | None
    reason: str
    not_before: dt.datetime | None
    pack_sha256: str
    passing: bool = False
    asked: DialRequest | None = None
    close_by: dt.datetime | None = None


def judge(request: DialRequest, rules: RulePack | Packs) -> Verdict:
    """May `request.number` be dialled at `request.now`? Times in the answer are local times of the first pack."""
    packs = rules if isinstance(rules, Packs) else one_pack(rules)
    applying = packs.applying(request)
    digest = sha256_of(applying or packs.all)
    if packs.problems or not applying:
        where = "+".join(request.jurisdictions) or "未知地区"
        reason = f"规则文件无法读取：{packs.problems[0]}" if packs.problems else f"没有适用于 {where} 的规则包"
        return Verdict(False, "CN-V1", f"{reason}（机构政策：未知即禁止）", None, digest, passing=bool(packs.problems))
    request = _spelt_alike(request)
    holds = list(_all_holds(request, applying))
    if not holds:
        ends = [end for end in (closes(request, pack) for pack in applying) if end is not None]
        return Verdict(True, None, "允许拨打", None, digest, close_by=min(ends, default=None))
    reason = f"{holds[0].reason}（{holds[0].source}）"
    passing = any(hold.passing for hold in holds) and all(hold.passing for hold in holds if hold.until is None)
    lasting = [hold for hold in holds if not hold.passing]
    not_before = _not_before(replace(request, means=None), applying, lasting) if lasting else None
    passing = passing or (not_before is None and _dated(lasting))
    return Verdict(False, holds[0].rule, reason, not_before, digest, passing)


def _dated(holds: list[Hold]) -> bool:
    """Every hold names its end, and yet no time was found: what comes then is not known yet, as a calendar."""
    return bool(holds) and all(hold.until is not None for hold in holds)


def _spelt_alike(request: DialRequest) -> DialRequest:
    """A stop for '138 0000 0001' must hold for '+8613800000001'."""
    stops = (replace(stop, number=None if stop.number is None else same_line(stop.number)) for stop in request.stops)
    history = (replace(attempt, number=same_line(attempt.number)) for attempt in request.history)
    return replace(request, number=same_line(request.number), stops=tuple(stops), history=tuple(history))


def _not_before(request: DialRequest, packs: tuple[RulePack, ...], holds: list[Hold]) -> dt.datetime | None:
    moment = request.now.astimezone(packs[0].zone)
    for _ in range(_STEPS):
        ends = [hold.until for hold in holds]
        later = [end for end in ends if end is not None and end > moment]
        if len(later) < len(ends):
            return None
        moment = max(later).astimezone(packs[0].zone)
        holds = list(_all_holds(replace(request, now=moment), packs))
        if not holds:
            return moment
    return None


def _all_holds(request: DialRequest, packs: tuple[RulePack, ...]) -> Iterator[Hold]:
    """Every rule of every pack that forbids dialling at `request.now`, gravest first within each pack."""
    for pack in packs:
        yield from _holds(replace(request, now=request.now.astimezone(pack.zone)), pack)


def _holds(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    yield from _validity(request, pack)
    for part, judged in _PARTS:
        for rule in pack.rules_for(part):
            yield from judged(request, pack, rule)
    if pack.rules_for("suspended"):
        yield from _unknown_stops(request, pack)


def _validity(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    today, source = request.now.date(), "机构政策：未知即禁止"
    if pack.valid_from is not None and today < pack.valid_from:
        opens = dt.datetime.combine(pack.valid_from, MIDNIGHT, request.now.tzinfo)
        yield Hold("CN-V1", f"规则包 {pack.name} 自 {pack.valid_from} 起生效", source, opens)
    if pack.valid_to is not None and today > pack.valid_to:
        yield Hold("CN-V1", f"规则包 {pack.name} 已于 {pack.valid_to} 失效", source, None, passing=True)


def _closed(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    yield Hold(rule.id, f"规则包 {pack.name} 没有可判定的时段与频次，不得拨打", rule.source, None)


# --- stops: what the callee, or somebody for them, told us ---------------------------------------------------------


def _standing(request: DialRequest) -> Iterator[Stop]:
    for stop in request.stops:
        about_us = stop.number is None or stop.number == request.number
        if about_us and (stop.until is None or stop.until > request.now):
            yield stop


def _contact_refused(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    for stop in request.stops:  # until somebody clears it: no date ends it
        if stop.kind not in rule.parameters["contact_refused"] or stop.number not in (None, request.number):
            continue
        if stop.number is not None or not _liable(request, pack):
            yield Hold(rule.id, "该联系人已明确拒绝，不得再联系", rule.source, None)


def _do_not_call(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    for stop in _standing(request):
        if stop.kind not in rule.parameters["do_not_call"]:
            continue
        if stop.band is None:
            yield Hold(rule.id, "对方已要求停止来电", rule.source, stop.until)
        elif within(request.now.time(), stop.band):
            over = following(request.now, stop.band[1])
            until = over if stop.until is None else min(over, stop.until)
            yield Hold(rule.id, "对方已要求该时段不来电", rule.source, until)


def _suspended(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    reason = "已登记暂停信号：{}，转人工处理"
    for stop in _standing(request):
        if stop.kind in rule.parameters["suspended"]:
            days = dt.timedelta(days=rule.parameters["suspend_days"])
            until = stop.until or (stop.at + days if stop.at else None)
            if until is None or until > request.now:
                yield Hold(rule.id, reason.format(stop.kind), rule.source, until)
        elif stop.kind in rule.parameters["until_cleared"]:
            yield Hold(rule.id, reason.format(stop.kind), rule.source, stop.until)


def _unknown_stops(request: DialRequest, pack: RulePack) -> Iterator[Hold]:
    """A kind of stop that no rule of this pack knows holds all the same."""
    known = frozenset().union(*pack.stops.values())
    rule = pack.rules_for("suspended")[0]
    for stop in _standing(request):
        if stop.kind not in known:
            yield Hold(rule.id, f"已登记暂停信号：{stop.kind}，转人工处理", rule.source, stop.until)


# --- persons -------------------------------------------------------------------------------------------------------


def _liable(request: DialRequest, pack: RulePack) -> bool:
    rules = pack.rules_for("target")
    return any(request.target_kind in rule.parameters["liable_targets"] for rule in rules) if rules else True


def _target(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    figures = rule.parameters
    if request.target_kind in figures["liable_targets"]:
        return
    if request.target_kind not in figures["contact_targets"]:
        yield Hold(rule.id, f"不得拨打此类对象：{request.target_kind}", rule.source, None)
        return
    tried = sum(attempt.number == request.number for attempt in request.history)
    if tried >= figures["attempts_per_contact"]:
        yield Hold(rule.id, "同一案件已联系过该联系人", rule.source, None)
    elif not _debtor_unreachable(request, pack, figures["unreachable_days"]):
        yield Hold(rule.id, "债务人并非失联，不得联系第三人", rule.source, None)


def _debtor_unreachable(request: DialRequest, pack: RulePack, enough_days: int) -> bool:
    others = [attempt for attempt in request.history if attempt.number != request.number]
    if any(attempt.reached is Reached.CONVERSATION for attempt in others):
        return request.debtor_unreachable
    silent = (Reached.NO_ANSWER, Reached.UNREACHABLE)
    days = {attempt.at.astimezone(pack.zone).date() for attempt in others if attempt.reached in silent}
    return request.debtor_unreachable or len(days) >= enough_days


def _consent(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    wanted = rule.parameters["consent"]
    given = (c for c in request.consents if c.kind == wanted and (c.until is None or c.until > request.now))
    if next(given, None) is None:
        yield Hold(rule.id, f"没有对方的事先同意：{wanted}", rule.source, None)


def _says(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    if rule.id not in request.script_says:
        yield Hold(rule.id, f"话术没有履行此项告知：{rule.title}", rule.source, None, passing=True)


# --- how often -----------------------------------------------------------------------------------------------------


def _conversations(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    if _today(request, _TALKED) >= rule.parameters["conversations_per_day"]:
        yield Hold(rule.id, "今天已与债务人有效通话", rule.source, following(request.now, MIDNIGHT))


def _unanswered(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    cap = rule.parameters["unanswered_per_number_per_day"]
    if _today(request, set(Reached) - _TALKED, request.number) >= cap:
        yield Hold(rule.id, "今天对该号码的未接通拨打已达上限", rule.source, following(request.now, MIDNIGHT))


def _spacing(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    if rule.parameters["reject_stops_the_day"] and _today(request, {Reached.REJECTED}):
        yield Hold(rule.id, "对方今天已拒接，当天不再拨打", rule.source, following(request.now, MIDNIGHT))
    spacing = dt.timedelta(minutes=rule.parameters["spacing_minutes"])
    last = max((attempt.at for attempt in request.history), default=None)
    if last is not None and request.now < last + spacing:
        yield Hold(rule.id, "距上次拨打间隔不足", rule.source, last + spacing)


def _rolling(request: DialRequest, pack: RulePack, rule: Rule) -> Iterator[Hold]:
    span = rule.parameters["rolling_days"] * DAY
    recent = [attempt for attempt in request.history if attempt.at > request.now - span]
    talked = sorted(attempt.at for attempt in recent if attempt.reached in _TALKED)
    for times, cap, what in (
        (talked, rule.parameters["conversations_per_rolling_days"], "有效通话"),
        (sorted(attempt.at for attempt in recent), rule.parameters["attempts_per_rolling_days"], "拨打"),
    ):
        if len(times) >= cap:
            reason = f"{rule.parameters['rolling_days']} 日内{what}已达上限"
            yield Hold(rule.id, reason, rule.source, times[len(times) - cap] + span if cap else None)


def _today(request: DialRequest, results: Iterable[Reached], number: str | None = None) -> int:
    day, zone = request.now.date(), request.now.tzinfo
    return sum(
        attempt.reached in results and attempt.at.astimezone(zone).date() == day
        for attempt in request.history
        if number is None or attempt.number == number
    )


Judged = Callable[[DialRequest, RulePack, Rule], Iterator[Hold]]
_PARTS: tuple[tuple[str, Judged], ...] = (
    ("closed", _closed),
    ("contact_refused", _contact_refused),
    ("do_not_call", _do_not_call),
    ("suspended", _suspended),
    ("target", _target),
    ("consent", _consent),
    ("says", _says),
    ("caller_id", caller_id),
    ("recorder", recorder),
    ("released", released),
    ("hours", hours),
    ("quiet", quiet),
    ("conversations", _conversations),
    ("unanswered", _unanswered),
    ("spacing", _spacing),
    ("rolling", _rolling),
)
"""The parts of the rulebook, gravest first; a pack's rules name those that they give parameters to."""
