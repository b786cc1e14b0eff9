"""What if: a campaign's day before it begins - how many calls, when they end, who may not be rung and by which rule.

Pure. Every call is judged by the rulebook itself at the moment it would be made, with what was simulated before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from voicebot.campaign.care import load_follow_up
from voicebot.campaign.redial import RedialPolicy, next_try
from voicebot.domain.campaign import Hours
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest, Judge, PastAttempt, Reached
from voicebot.domain.strategy import Hand, Means, Strategy, beginning
from voicebot.store.forecast import Prospect, Rates

USUAL = {9: 0.3, 10: 0.34, 11: 0.33, 14: 0.31, 15: 0.34, 16: 0.35, 17: 0.36, 18: 0.4, 19: 0.42}
"""The chance of an answer by hour where nobody was rung yet: 1 in 3, more in the evening. An assumption, and shown."""
_WEIGHT = 20
"""How many calls of an hour the usual chance counts as beside those that were made."""
_MISSED = {
    Reached.REJECTED: Disposition.REJECTED,
    Reached.BUSY: Disposition.BUSY,
    Reached.NO_ANSWER: Disposition.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Setup:
    """The campaign that is thought of. `channels`: calls at once. `calls_per_second` of the lines together.

    `redial`: None is as shipped.
    """

    now: dt.datetime
    channels: int
    strategy: Strategy | None = None
    hours: Hours | None = None
    calls_per_second: float = 5.0
    redial: RedialPolicy | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that kept cases from being rung today: how many, its reason in words, the first time it would allow."""

    rule: str
    reason: str
    cases: int
    first_allowed: dt.datetime | None


@dataclass(slots=True)
class WhatIf:
    """A day in figures. `cases` = those of the segment = due + not_due + held_out + unreachable + pulled.

    `due` = rung at least once + refused all day + left_over (the day ended before their turn) + by people.
    `refusals` count each case once, by the last rule that put it off beyond today; `put_off` counts every time a rule
    moved a call to later the same day. `by_hour`: calls begun, by hour in Shanghai.
    """

    day: dt.date
    cases: int = 0
    due: int = 0
    not_due: int = 0
    held_out: int = 0
    unreachable: int = 0
    pulled: int = 0
    messages: int = 0
    persons: int = 0
    calls: int = 0
    cases_rung: int = 0
    conversations: int = 0
    refused: int = 0
    left_over: int = 0
    first_call: dt.datetime | None = None
    last_end: dt.datetime | None = None
    most_at_once: int = 0
    refusals: tuple[Refusal, ...] = ()
    put_off: Mapping[str, int] = field(default_factory=dict)
    by_hour: Mapping[int, int] = field(default_factory=dict)
    answer_rate: float = 0.0

    def to_json(self) -> dict[str, object]:
        moments = {name: None if at is None else at.isoformat() for name, at in self._moments()}
        refusals = [
            {**asdict(one), "first_allowed": one.first_allowed.isoformat() if one.first_allowed else None}
            for one in self.refusals
        ]
        plain = {name: value for name, value in asdict(self).items() if name not in ("refusals", "day", *moments)}
        hours = {str(hour): calls for hour, calls in self.by_hour.items()}
        return {"day": self.day.isoformat(), **plain, **moments, "refusals": refusals, "by_hour": hours}

    def _moments(self) -> tuple[tuple[str, dt.datetime | None], ...]:
        return ("first_call", self.first_call), ("last_end", self.last_end)


@dataclass(slots=True)
class _Turn:
    """A case on this day: what is asked about it, and what became of its calls so far."""

    request: DialRequest
    case_id: str
    until: dt.time | None
    past: list[Disposition] = field(default_factory=list)
    last_refusal: tuple[str, str, dt.datetime | None] | None = None


def what_if(prospects: Iterable[Prospect], setup: Setup, judge: Judge, rates: Rates) -> WhatIf:
    """Play the rest of today. The same answer every time: who would answer hangs on case and try, not on chance."""
    day = setup.now.astimezone(SHANGHAI).date()
    seen = WhatIf(day)
    queue: list[tuple[dt.datetime, int, str, int]] = []
    turns: dict[str, _Turn] = {}
    for prospect in prospects:
        for at, priority, turn in _turns(prospect, setup, day, seen):
            turns[turn.case_id] = turn
            heapq.heappush(queue, (at, -priority, turn.case_id, 0))
    _Day(setup, judge, rates, seen, turns, queue).play()
    return seen


def _turns(prospect: Prospect, setup: Setup, day: dt.date, seen: WhatIf) -> Iterable[tuple[dt.datetime, int, _Turn]]:
    """What is due for a case today: at most one call of the bot."""
    seen.cases += 1
    strategy = setup.strategy
    steps = strategy.due(prospect.overdue_days) if strategy is not None else ()
    if prospect.held_out or (strategy is not None and steps and strategy.holds_out(prospect.case_id)):
        seen.held_out += 1
    elif strategy is not None and not steps:
        seen.not_due += 1
    elif prospect.request is None:
        seen.unreachable += 1
    elif prospect.pulled:
        seen.pulled += 1
    else:
        seen.due += 1
        seen.messages += sum(step.means is Means.MESSAGE for step in steps)
        seen.persons += any(step.by is Hand.HUMAN for step in steps)
        rung = [step for step in steps if step.means is Means.CALL and step.by is Hand.BOT]
        if strategy is None:
            yield _at(setup, None, day), 0, _Turn(prospect.request, prospect.case_id, _end(setup, None))
        elif rung:
            hours = rung[0].hours
            at = max(_at(setup, hours, day), beginning(rung[0], day, SHANGHAI))
            yield at, strategy.priority(prospect.risk), _Turn(prospect.request, prospect.case_id, _end(setup, None))


def _at(setup: Setup, hours: Hours | None, day: dt.date) -> dt.datetime:
    starts = [each[0] for each in (setup.hours, hours) if each is not None]
    return max([setup.now, *(dt.datetime.combine(day, start, SHANGHAI) for start in starts)])


def _end(setup: Setup, hours: Hours | None) -> dt.time | None:
    ends = [each[1] for each in (setup.hours, hours) if each is not None]
    return min(ends, default=None)


class _Day:
    """The day as it goes on: lines that are busy until a moment, cases that wait for theirs."""

    def __init__(
        self,
        setup: Setup,
        judge: Judge,
        rates: Rates,
        seen: WhatIf,
        turns: Mapping[str, _Turn],
        queue: list[tuple[dt.datetime, int, str, int]],
    ) -> None:
        self._setup, self._judge, self._rates, self._seen = setup, judge, rates, seen
        self._turns, self._queue = turns, queue
        self._lines: list[dt.datetime] = []
        self._gap = dt.timedelta(seconds=1 / setup.calls_per_second)
        self._next_start = setup.now
        self._midnight = dt.datetime.combine(seen.day + dt.timedelta(days=1), dt.time(), SHANGHAI)
        self._put_off, self._by_hour = Counter[str](), Counter[int]()
        self._chances = {hour: _chance(rates, hour) for hour in range(24)}
        self._policy = setup.redial or load_follow_up().redial
        self._of_debtor = defaultdict[str, list[_Turn]](list)
        for turn in turns.values():
            self._of_debtor[turn.request.debtor_id or turn.case_id].append(turn)

    def play(self) -> None:
        waiting: list[tuple[int, dt.datetime, str, int]] = []  # whose time has come, the most urgent first
        while self._queue or waiting:
            now = self._line_free(waiting)
            while self._queue and self._queue[0][0] <= now:
                at, priority, case_id, tries = heapq.heappop(self._queue)
                heapq.heappush(waiting, (priority, at, case_id, tries))
            if now >= self._midnight:
                break
            if waiting:
                priority, _, case_id, tries = heapq.heappop(waiting)
                self._ask(self._turns[case_id], priority, tries, now)
        self._sum_up()

    def _line_free(self, waiting: Sequence[object]) -> dt.datetime:
        """When the next call can begin: a line is free, the gap between calls has passed, and a case is there."""
        now = self._next_start
        if not waiting:
            now = max(now, self._queue[0][0])
        while self._lines and self._lines[0] <= now:
            heapq.heappop(self._lines)
        if len(self._lines) >= self._setup.channels:
            now = max(now, heapq.heappop(self._lines))
        return now

    def _ask(self, turn: _Turn, priority: int, tries: int, now: dt.datetime) -> None:
        if turn.until is not None and now.astimezone(SHANGHAI).time() >= turn.until:
            turn.last_refusal = turn.last_refusal or ("campaign", "任务设定的时段已过", None)
            return
        verdict = self._judge(turn.request, now)
        if not verdict.allowed:
            rule, later = verdict.rule or "", verdict.not_before
            if later is not None and now < later < self._midnight:
                self._put_off[rule] += 1
                heapq.heappush(self._queue, (later, priority, turn.case_id, tries))
            turn.last_refusal = (rule, verdict.reason, later)
            return
        self._call(turn, priority, tries, now)

    def _call(self, turn: _Turn, priority: int, tries: int, now: dt.datetime) -> None:
        seen, rates = self._seen, self._rates
        hour = now.astimezone(SHANGHAI).hour
        reached = _outcome(turn.case_id, tries, self._chances[hour], rates)
        talked = reached is Reached.CONVERSATION
        end = now + dt.timedelta(seconds=rates.ring_s + rates.talk_s if talked else rates.ring_s * 2)
        heapq.heappush(self._lines, end)
        self._next_start = now + self._gap
        self._by_hour[hour] += 1
        seen.calls += 1
        seen.conversations += talked
        seen.first_call = seen.first_call or now
        seen.last_end = max(seen.last_end or end, end)
        seen.most_at_once = max(seen.most_at_once, len(self._lines))
        entry = PastAttempt(now, turn.request.number, reached)
        for one in self._of_debtor[turn.request.debtor_id or turn.case_id]:
            one.request = replace(one.request, history=(*one.request.history, entry))
        turn.last_refusal = None
        if not talked:
            turn.past.append(_MISSED[reached])
            again = next_try(turn.past, end, self._policy)
            if again is not None and again < self._midnight:
                heapq.heappush(self._queue, (again, priority, turn.case_id, tries + 1))
        else:
            turn.past.append(Disposition.CALLBACK)

    def _sum_up(self) -> None:
        seen, refused = self._seen, dict[str, tuple[str, int, dt.datetime | None]]()
        for turn in self._turns.values():
            if turn.past:
                seen.cases_rung += 1
            elif turn.last_refusal is None:
                seen.left_over += 1
            else:
                seen.refused += 1
                rule, reason, later = turn.last_refusal
                _, count, first = refused.get(rule, (reason, 0, None))
                earliest = min(filter(None, (first, later)), default=None)
                refused[rule] = (reason, count + 1, earliest)
        ranked = sorted(refused.items(), key=lambda item: (-item[1][1], item[0]))
        seen.refusals = tuple(Refusal(rule, reason, count, first) for rule, (reason, count, first) in ranked)
        seen.put_off, seen.by_hour = dict(self._put_off), dict(sorted(self._by_hour.items()))
        seen.answer_rate = round(seen.conversations / seen.calls, 4) if seen.calls else 0.0


def _chance(rates: Rates, hour: int) -> float:
    """What was seen at this hour, weighed with what is usual."""
    made, answered = rates.by_hour.get(hour, (0, 0))
    return (answered + _WEIGHT * USUAL.get(hour, 0.33)) / (made + _WEIGHT)


def _outcome(case_id: str, tries: int, chance: float, rates: Rates) -> Reached:
    digest = hashlib.blake2b(f"{case_id}\0{tries}".encode(), digest_size=16).digest()
    first, second = (int.from_bytes(part, "big") / 2**64 for part in (digest[:8], digest[8:]))
    if first < chance:
        return Reached.CONVERSATION
    if second < rates.rejected:
        return Reached.REJECTED
    return Reached.BUSY if second < rates.rejected + rates.busy else Reached.NO_ANSWER
