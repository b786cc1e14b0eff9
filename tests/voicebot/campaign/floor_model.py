"""A model of a floor: calls ring, are answered or not, want a person or not, and hang up when none comes."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from voicebot.campaign.pacing import allowance
from voicebot.domain.pace import CampaignMode, Flow, Share


@dataclass(frozen=True)
class World:
    """Seconds are means of exponential times, as Erlang had them; `agents`: how many are at work at a second."""

    agents: Callable[[float], int]
    mode: CampaignMode
    answer: float = 0.35
    ring_s: float = 12.0
    gives_up_s: float = 25.0
    bot_s: float = 0.5
    wants_person: float = 1.0
    talk_s: float = 120.0
    patience_s: float = 2.0
    ceiling: float = 0.03
    hours: float = 4.0
    seed: int = 7


@dataclass
class Result:
    calls: int = 0
    answered: int = 0
    wanted: int = 0
    abandoned: int = 0
    busy_s: float = 0.0
    staffed_s: float = 0.0
    dialled_while_nobody_is_free: int = 0
    starts: list[tuple[float, int]] = field(default_factory=list)

    @property
    def utilisation(self) -> float:
        return self.busy_s / self.staffed_s

    @property
    def abandoned_share(self) -> float:
        return self.abandoned / max(1, self.wanted)


def run(world: World, window: int = 200) -> Result:
    """Play the hours, asking the pace once a second."""
    chance, result, events = random.Random(world.seed), Result(), list[tuple[float, int, str, int]]()
    state: dict[int, str] = {}
    queue: deque[int] = deque()
    latest: deque[bool] = deque(maxlen=window)
    wanted_latest: deque[bool] = deque(maxlen=window)
    abandoned_latest: deque[bool] = deque(maxlen=window * 5)

    def at(when: float, what: str, call: int) -> None:
        heapq.heappush(events, (when, len(state) * 10 + len(events), what, call))

    def happen(now: float, what: str, call: int) -> None:
        if what == "unanswered" and state.get(call) == "ringing":
            state.pop(call)
            latest.append(False)
        elif what == "answered":
            latest.append(True)
            result.answered += 1
            state[call] = "talking"
            at(now + chance.expovariate(1 / world.bot_s), "asks", call)
        elif what == "asks":
            wants = chance.random() < world.wants_person
            wanted_latest.append(wants)
            if not wants:
                state.pop(call)
                return
            result.wanted += 1
            state[call] = "waiting"
            queue.append(call)
            at(now + chance.expovariate(1 / world.patience_s), "leaves", call)
        elif what == "leaves" and state.get(call) == "waiting":
            state.pop(call)
            queue.remove(call)
            result.abandoned += 1
            abandoned_latest.append(True)
        elif what == "done":
            state.pop(call)

    def take(now: float, agents: int) -> None:
        while queue and sum(s == "person" for s in state.values()) < agents:
            call = queue.popleft()
            state[call] = "person"
            abandoned_latest.append(False)
            at(now + chance.expovariate(1 / world.talk_s), "done", call)

    for second in range(int(world.hours * 3600)):
        while events and events[0][0] <= second:
            when, _, what, call = heapq.heappop(events)
            happen(when, what, call)
            take(when, world.agents(when))
        agents = world.agents(second)
        take(second, agents)
        counts = Counter(state.values())
        busy = counts["person"]
        result.busy_s += min(busy, agents)
        result.staffed_s += agents
        flow = Flow(
            "k1",
            world.mode,
            ringing=counts["ringing"],
            talking=counts["talking"],
            waiting=counts["waiting"],
            with_people=busy,
            free=max(0, agents - busy),
            soon_free=1 - math.exp(-world.ring_s / world.talk_s),
            answered=Share(sum(latest), len(latest)),
            handed=Share(sum(wanted_latest), len(wanted_latest)),
            abandoned=Share(sum(abandoned_latest), len(abandoned_latest)),
            ceiling=world.ceiling,
        )
        more = min(allowance(flow), 100)
        if more and agents <= busy:
            result.dialled_while_nobody_is_free += more
        for _ in range(more):
            result.calls += 1
            state[result.calls] = "ringing"
            if chance.random() < world.answer:
                at(second + min(chance.expovariate(1 / world.ring_s), world.gives_up_s), "answered", result.calls)
            else:
                at(second + world.gives_up_s, "unanswered", result.calls)
    return result
