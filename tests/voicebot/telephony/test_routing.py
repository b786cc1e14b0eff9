"""One call over many trunks, on virtual time: whatever they do, nobody is rung twice and every channel comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import looptime
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telephony.leg import Answered, Ended, LegEvent, Ringing, TrunkTried
from voicebot.telephony.leg_events import EventLog
from voicebot.telephony.routed_leg import RoutedLeg
from voicebot.telephony.sip_leg import SipLeg
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_desk import TrunkDesk, is_trunks_fault

STATUSES = st.sampled_from([403, 404, 408, 480, 486, 500, 503, 504, 600, 603])
ENDS = st.builds(Ended, st.just("remote"), STATUSES, st.just("no"))
BROKEN = st.just(Ended("error", 503, "connection refused"))
HANDLED = st.tuples(st.sampled_from(["refuse", "ring", "answer", "silence", "later"]), st.one_of(ENDS, BROKEN))


class Attempt:
    """What one trunk does with the call; takes the place of a SipLeg."""

    def __init__(self, how: str, end: Ended) -> None:
        self.id = f"id-{id(self):x}"
        self.how, self.log, self.contacted = how, EventLog(), how != "silence"
        self.rang = how in ("ring", "answer")
        if how == "refuse":
            self.log.tell(end)
        elif how == "later":
            asyncio.get_running_loop().call_later(1.0, self.log.tell, end)
        elif how in ("ring", "answer"):
            self.log.tell(Ringing(180))
            last: LegEvent = Answered() if how == "answer" else end
            asyncio.get_running_loop().call_later(2.0, self.log.tell, last)

    def events(self) -> Any:
        return self.log.read()

    async def hang_up(self, why: str | None = None) -> None:
        if self.how == "silence":
            await asyncio.sleep(4)
        self.log.tell(Ended("local", 487, "hung up"))


async def call(
    plan: list[tuple[str, Ended]], hang_up_after: float | None
) -> tuple[list[LegEvent], list[Attempt], TrunkDesk]:
    trunks = [Trunk(f"t{number}", "192.0.2.1", priority=number, try_s=5.0) for number in range(len(plan))]
    loop = asyncio.get_running_loop()
    desk = TrunkDesk(trunks, loop.time, lambda: 0.0)
    tasks: set[asyncio.Task[None]] = set()
    made: list[Attempt] = []

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        tasks.add(asyncio.ensure_future(work))

    async def send(trunk: Trunk) -> SipLeg:
        made.append(Attempt(*plan[int(trunk.name[1:])]))
        return cast(SipLeg, made[-1])

    first = await desk.wait()
    leg = RoutedLeg(desk, await send(first), first, send, spawn, only=False)
    if hang_up_after is not None:
        loop.call_later(hang_up_after, lambda: spawn(leg.hang_up()))
    seen: list[LegEvent] = []
    try:
        async with asyncio.timeout(60):
            async for event in leg.events():
                seen.append(event)
                if isinstance(event, Answered):
                    await leg.hang_up()
    except TimeoutError:  # a trunk that never says anything, and no other left
        await leg.hang_up()
    await asyncio.sleep(30)
    assert all(task.done() and not task.cancelled() and task.exception() is None for task in tasks)
    return seen, made, desk


@given(st.lists(HANDLED, min_size=1, max_size=4), st.none() | st.floats(0, 12))
def test_whatever_trunks_do(plan: list[tuple[str, Ended]], hang_up_after: float | None) -> None:
    loop = looptime.new_event_loop()
    try:
        seen, made, desk = loop.run_until_complete(call(plan, hang_up_after))
    finally:
        loop.close()
    assert sum(attempt.rang for attempt in made) <= 1, "somebody was rung twice"
    tried = [event for event in seen if isinstance(event, TrunkTried)]
    assert len(tried) == len(made) - 1, "each further try is told"
    assert [event.sip_call_id for event in tried] == [attempt.id for attempt in made[1:]]
    assert sum(isinstance(event, Ended) for event in seen) <= 1
    first_ring = next((at for at, event in enumerate(seen) if isinstance(event, Ringing)), len(seen))
    assert all(isinstance(event, TrunkTried) for event in seen[:first_ring] if not isinstance(event, Ended | Answered))
    assert all(state.running == 0 for state in desk.states.values()), "a channel was lost"
    if hang_up_after is None and seen and isinstance(seen[-1], Ended) and not any(a.rang for a in made):
        last = seen[-1]
        assert last.by == "local" or not is_trunks_fault(last) or len(made) == len(plan), "a trunk was left untried"
