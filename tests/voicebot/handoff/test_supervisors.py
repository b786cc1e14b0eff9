"""Supervisors in a call, and the search in which they are rung too: when somebody is in danger."""

from __future__ import annotations

import asyncio

import pytest

from tests.voicebot.handoff.one_call import DEBTOR, GONE, URGENT, Call, hum, settle, voice, voices
from voicebot.audio.frames import SILENCE
from voicebot.domain.journal import FactKind
from voicebot.handoff.transfer import Briefing
from voicebot.telephony.leg import Ended


@pytest.mark.parametrize(("mode", "debtor", "agent_hears"), [
    ("listen", False, False), ("whisper", False, True), ("barge", True, True),
])
async def test_a_supervisor_is_heard_by_whom_the_mode_says(mode: str, debtor: bool, agent_hears: bool) -> None:
    call = Call("a0", supervisors=("s0",))
    leg = await call.joined()
    call.people.obey("supervise", {"agent": "s0", "mode": mode})
    boss = await call.answers("s0")
    heard, agent_heard, boss_heard = await call.turn(leg, boss)
    assert voices(heard, hum(leg), *[hum(boss)] * debtor)
    assert voices(agent_heard, DEBTOR, *[hum(boss)] * agent_hears)
    assert voices(boss_heard, DEBTOR, hum(leg))
    assert call.data(FactKind.SUPERVISOR_JOINED) == [{"agent": "s0", "mode": mode}]
    call.people.obey("supervise", {"agent": "s0", "mode": "leave"})
    await settle()
    assert boss.ended is not None and call.kinds[-1] is FactKind.SUPERVISOR_LEFT
    assert call.office.people["s0"].presence == "away", "a break ends by itself"


async def test_a_supervisor_changes_from_listening_to_taking_over() -> None:
    call = Call("a0", supervisors=("s0",))
    leg = await call.joined()
    call.people.obey("supervise", {"agent": "s0", "mode": "listen"})
    boss = await call.answers("s0")
    call.people.obey("supervise", {"agent": "s0", "mode": "take_over"})
    await settle()
    assert leg.ended is not None and len(call.line.legs) == 2, "they were rung twice"
    heard, boss_heard = await call.turn(boss)
    assert voices(heard, hum(boss)) and voices(boss_heard, DEBTOR)
    assert call.data(FactKind.AGENT_LEFT) == [{"agent": "a0", "by": "take_over"}]
    boss.tell(GONE)
    await settle()
    assert call.told[-1] == "hang up"


async def test_a_supervisor_listens_to_the_bot_and_takes_the_call_from_it() -> None:
    call = Call(supervisors=("s0",))
    call.people.obey("supervise", {"agent": "s0", "mode": "listen"})
    boss = await call.answers("s0")
    bot = voice(990)
    call.people.exchange(DEBTOR, bot)
    assert voices(boss.tick(1, hum(boss)), DEBTOR, bot)
    assert voices(call.people.exchange(DEBTOR, bot) or SILENCE, bot)
    call.people.obey("supervise", {"agent": "s0", "mode": "barge"})
    assert call.told[0] == "taken over"
    await call.turn(boss)
    assert voices((await call.turn(boss))[0], hum(boss))


async def test_who_barged_in_stays_when_the_agent_leaves() -> None:
    call = Call("a0", supervisors=("s0",))
    leg = await call.joined()
    call.people.obey("supervise", {"agent": "s0", "mode": "barge"})
    boss = await call.answers("s0")
    leg.tell(GONE)
    await settle()
    assert "hang up" not in call.told and call.people.joined
    assert voices((await call.turn(boss))[0], hum(boss))


async def test_whoever_is_called_off_before_they_answer_is_let_go() -> None:
    call = Call(supervisors=("s0",))
    call.people.obey("supervise", {"agent": "s0", "mode": "leave"})
    assert call.line.legs == []
    call.people.obey("supervise", {"agent": "s0", "mode": "listen"})
    await settle()
    call.people.obey("supervise", {"agent": "s0", "mode": "leave"})
    boss = await call.answers("s0")
    assert boss.ended is not None and FactKind.SUPERVISOR_JOINED not in call.kinds


# --- danger


async def test_in_danger_supervisors_are_rung_beside_agents_and_the_first_to_accept_has_the_call() -> None:
    call = Call("a0", supervisors=("s0",), supervisors_after_s=0.05)
    call.people.fetch(URGENT, Briefing())
    await settle()
    assert len(call.line.legs) == 1
    await asyncio.sleep(0.08)
    assert len(call.line.legs) == 2 and call.phone("a0").ended is None
    boss = await call.answers("s0")
    assert call.phone("a0").ended is not None and call.office.people["a0"].presence == "ready"
    assert voices((await call.turn(boss))[0], hum(boss))


async def test_in_danger_with_no_agent_on_duty_supervisors_are_rung_at_once() -> None:
    call = Call(supervisors=("s0",))
    call.people.fetch(URGENT, Briefing())
    await settle()
    assert len(call.line.legs) == 1
    call.phone("s0").tell(Ended("remote", 480, "gone"))
    await settle()
    assert call.told == ["not taken: no_agent"]
    assert call.office.people["s0"].presence == "away", "a break ends by a call that was not taken"


async def test_an_urgent_search_that_is_called_off_leaves_nobody_ringing() -> None:
    call = Call("a0", supervisors=("s0",), supervisors_after_s=0.01)
    call.people.fetch(URGENT, Briefing())
    await asyncio.sleep(0.05)
    await call.people.close()
    assert len(call.line.legs) == 2 and all(leg.ended for leg in call.line.legs)
    assert "busy" not in {one.presence for one in call.office.people.values()}
