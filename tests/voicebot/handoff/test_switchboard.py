"""Switchboard: people come into a call and leave it, by their own phones, by clicks, and by accident."""

from __future__ import annotations

import asyncio

import pytest

from tests.voicebot.handoff.one_call import DEBTOR, GONE, WANTED, Call, hum, settle, voices
from voicebot.audio.frames import SILENCE
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.handoff.desk import Wanted
from voicebot.handoff.states import State
from voicebot.handoff.testing import agent
from voicebot.handoff.transfer import Briefing
from voicebot.telephony.leg import Ended, Held, Resumed, TransferWanted


async def test_from_trigger_to_talk_to_wrap_up() -> None:
    call = Call("a0")
    leg = await call.joined()
    assert call.told == ["taken over", "say greeting"]
    (heard, agent_heard) = await call.turn(leg)
    assert voices(heard, hum(leg)) and voices(agent_heard, DEBTOR)
    assert call.people.agent_said() == hum(leg)
    assert call.data(FactKind.TRANSFER_STARTED) == [
        {"reason": "asked", "skill": "general", "language": "zh", "urgent": False}
    ]
    assert call.data(FactKind.JOINED)[0]["agent"] == "a0"
    leg.tell(GONE)
    await settle()
    assert call.told[-1] == "hang up" and call.people.state is State.OVER
    assert call.office.released == [("a0", True)]


async def test_the_debtor_waits_to_music_and_is_told_the_place() -> None:
    call = Call("a0", position_every_s=0.02)
    call.office.set_presence("a0", "busy")
    await call.office.wait(Wanted("c0", "came before"))
    call.people.fetch(WANTED, Briefing())
    await settle()
    heard = [(await call.turn(ticks=1))[0] for _ in range(40)]
    assert sum(one != SILENCE for one in heard) > 25
    await asyncio.sleep(0.03)
    assert call.told[0] == "say queue-1" and call.data(FactKind.QUEUED) == [{"position": 1}]
    await call.people.close()
    assert list(call.office.queue) == ["c0"]


async def test_after_a_click_the_bot_talks_on_until_somebody_accepts() -> None:
    call = Call("a0")
    call.people.obey("fetch_person", {"reason": "主管要求", "skill": "general"})
    await settle()
    assert (await call.turn())[0] == SILENCE, "there is no music while the bot talks"
    await call.answers("a0")
    assert call.told == ["taken over", "say greeting"]


async def test_nobody_there_is_told_once_and_to_the_wall() -> None:
    call = Call()
    call.people.fetch(WANTED, Briefing())
    await settle()
    assert call.told == ["not taken: no_agent"] and call.people.state is State.BOT
    assert call.data(FactKind.TRANSFER_FAILED) == [{"agent": None, "why": "no_agent"}]
    assert call.office.alerts[0][0] is AlertKind.TRANSFER_FAILED
    call.office.people["a9"] = agent("a9")
    assert call.people.fetch(WANTED, Briefing()), "the next attempt may succeed"
    await settle()
    assert len(call.line.legs) == 1
    await call.people.close()


@pytest.mark.parametrize("broken", [Ended("error", None, "no media"), Ended("remote", None, "browser gone", 41)])
async def test_a_broken_line_of_the_agent_leaves_the_debtor_to_the_next(broken: Ended) -> None:
    call = Call("a0")
    leg = await call.joined()
    leg.tell(broken)
    await settle()
    assert call.told[-1] == "left alone" and call.office.people["a0"].presence == "ready"
    assert call.people.fetch(WANTED, Briefing())
    await call.people.close()


@pytest.mark.parametrize("moment", ["queued", "ringing", "briefing", "joined", "consulting"])
async def test_a_debtor_who_goes_at_any_moment_frees_everybody(moment: str) -> None:
    call = Call("a0", "a1")
    if moment == "queued":
        for name in ("a0", "a1"):
            call.office.set_presence(name, "busy")
    call.people.fetch(WANTED, Briefing("", DEBTOR * 9))
    await settle()
    if moment in ("briefing", "joined", "consulting"):
        await call.answers("a0")
    if moment in ("joined", "consulting"):
        call.people.obey("accept", {"agent": "a0"})
        await settle()
    if moment == "consulting":
        call.people.obey("consult", {"target": "a1"})
        await settle()
    assert len(call.line.legs) == {"queued": 0, "consulting": 2}.get(moment, 1)
    await call.people.close()
    assert all(leg.ended for leg in call.line.legs) and call.office.queue == {}
    assert call.people.state is State.OVER
    talked = moment in ("joined", "consulting")
    if moment != "queued":
        assert call.office.people["a0"].presence == ("wrap_up" if talked else "ready")
        assert call.office.people["a1"].presence == "ready"


# --- the agent's buttons


async def test_on_hold_neither_hears_the_other() -> None:
    call = Call("a0")
    leg = await call.joined()
    call.people.obey("agent_hold", {"on": True})
    await call.turn(leg)
    heard, agent_heard = await call.turn(leg)
    assert not voices(heard, hum(leg)) and agent_heard == SILENCE
    assert call.people.agent_said() is None, "what is said in private is written down"
    call.people.obey("agent_hold", {"on": False})
    heard, agent_heard = await call.turn(leg)
    assert voices(heard, hum(leg)) and voices(agent_heard, DEBTOR)
    assert call.data(FactKind.AGENT_HOLD) == [{"on": True}, {"on": False}]


async def test_the_buttons_of_the_agents_own_phone_do_the_same() -> None:
    call = Call("a0")
    leg = await call.joined()
    leg.tell(Held())
    await settle()
    assert (await call.turn(leg, ticks=5))[0] != SILENCE, "the debtor is on hold and hears nothing"
    leg.tell(Resumed())
    await settle()
    assert call.data(FactKind.AGENT_HOLD) == [{"on": True}, {"on": False}]
    leg.tell(TransferWanted("sip:4002@office"))
    other = await call.answers("4002")
    assert leg.ended is not None and voices((await call.turn(other))[0], hum(other))


async def test_a_consultation_is_private_until_it_is_made_a_talk_of_three() -> None:
    call = Call("a0", "a1")
    leg = await call.joined()
    call.people.obey("consult", {"target": "a1"})
    await settle()
    assert (await call.turn(leg))[1] != SILENCE, "the agent does not hear it ring"
    other = await call.answers("a1")
    heard, agent_heard, other_heard = await call.turn(leg, other)
    assert not voices(heard, hum(other)) and not voices(heard, hum(leg))
    assert voices(agent_heard, hum(other)) and voices(other_heard, hum(leg))
    call.people.obey("three_way", {})
    heard, agent_heard, other_heard = await call.turn(leg, other)
    assert voices(heard, hum(leg), hum(other))
    assert voices(agent_heard, DEBTOR, hum(other)) and voices(other_heard, DEBTOR, hum(leg))
    call.people.obey("end_consult", {})
    await settle()
    assert other.ended is not None and call.office.people["a1"].presence == "ready"
    assert voices((await call.turn(leg))[0], hum(leg))
    assert [data["target"] for data in call.data(FactKind.CONSULT_ENDED)] == ["a1"]


async def test_the_leg_of_whoever_is_asked_is_heard_by_the_recorder() -> None:
    """Both of them while they are apart; the asked one alone once the debtor hears the agent again."""
    call = Call("a0", "a1")
    leg = await call.joined()
    assert call.people.consulted() is None
    call.people.obey("consult", {"target": "a1"})
    other = await call.answers("a1")
    await call.turn(leg, other)
    apart = call.people.consulted()
    assert apart is not None and voices(apart, hum(leg), hum(other))
    call.people.obey("three_way", {})
    await call.turn(leg, other)
    together = call.people.consulted()
    assert together is not None and voices(together, hum(other)) and not voices(together, hum(leg))
    call.people.obey("end_consult", {})
    await settle()
    assert call.people.consulted() is None


@pytest.mark.parametrize(("target", "presence"), [("a1", "away"), ("a1", "ready"), ("4001", "ready")])
async def test_who_cannot_be_asked_gives_the_debtor_back(target: str, presence: str) -> None:
    call = Call("a0", "a1")
    leg = await call.joined()
    call.office.set_presence("a1", presence)
    call.line.on_dial = lambda rung: rung.tell(Ended("remote", 480, "gone"))
    call.people.obey("consult", {"target": target})
    await settle()
    assert call.data(FactKind.CONSULT_ENDED)[0]["why"] in ("busy", "no_answer")
    assert voices((await call.turn(leg))[0], hum(leg)), "the debtor stays on hold"
    assert call.office.people["a1"].presence == presence


async def test_a_consultation_can_become_a_transfer() -> None:
    call = Call("a0", "a1")
    leg = await call.joined()
    call.people.obey("consult", {"target": "a1"})
    other = await call.answers("a1")
    call.people.obey("transfer", {})
    await settle()
    assert leg.ended is not None and call.office.people["a0"].presence == "wrap_up"
    heard, other_heard = await call.turn(other)
    assert voices(heard, hum(other)) and voices(other_heard, DEBTOR)
    assert [data["agent"] for data in call.data(FactKind.JOINED)] == ["a0", "a1"]
    assert call.data(FactKind.AGENT_LEFT) == [{"agent": "a0", "by": "transfer"}]


async def test_a_warm_transfer_to_a_colleague_leaves_the_debtor_with_somebody_all_the_time() -> None:
    call = Call("a0", "a1")
    leg = await call.joined()
    call.people.obey("transfer", {"target": "a1"})
    await settle()
    assert voices((await call.turn(leg))[0], hum(leg)), "the first agent is gone before the second has come"
    other = await call.answers("a1")
    await call.turn(other)
    assert voices((await call.turn(other))[0], hum(other)) and leg.ended is not None


@pytest.mark.parametrize("comes", [True, False])
async def test_an_agent_who_hangs_up_after_handing_on_leaves_the_debtor_waiting_and_not_alone(comes: bool) -> None:
    call = Call("a0", "a1")
    leg = await call.joined()
    call.people.obey("transfer", {"target": "a1"})
    await settle()
    leg.tell(GONE)
    await settle()
    assert "hang up" not in call.told and (await call.turn(ticks=5))[0] != SILENCE
    if comes:
        other = await call.answers("a1")
        await call.turn(other)
        assert voices((await call.turn(other))[0], hum(other))
    else:
        call.phone("a1").tell(Ended("remote", 486, "busy"))
        await settle()
        assert call.told[-1] == "left alone", "the debtor waits for ever"


async def test_who_is_too_late_to_take_a_call_from_a_supervisor_is_let_go() -> None:
    call = Call("a0", "a1", supervisors=("s0",))
    await call.joined()
    call.people.obey("transfer", {"target": "a1"})
    call.people.obey("supervise", {"agent": "s0", "mode": "take_over"})
    boss = await call.answers("s0")
    other = await call.answers("a1")
    assert other.ended is not None and boss.ended is None
    assert call.office.people["a1"].presence == "ready"


async def test_a_number_is_bridged_where_the_trunk_does_not_refer() -> None:
    call = Call("a0")
    leg = await call.joined()
    call.people.obey("transfer", {"target": "4008001234"})
    await settle()
    assert leg.ended is None
    other = await call.answers("4008001234")
    assert leg.ended is not None
    assert voices((await call.turn(other))[0], hum(other))


# --- REFER


async def test_an_agent_taken_from_us_while_the_trunk_takes_the_call_ends_nothing_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = Call("a0")
    result = asyncio.get_running_loop().create_future()

    async def refer(target: object) -> bool:
        return bool(await result)

    monkeypatch.setattr(call.leg, "refers", True)
    monkeypatch.setattr(call.leg, "refer", refer)
    call.people.fetch(WANTED, Briefing())
    leg = await call.answers("a0")
    leg.tell(GONE)  # replaced by the trunk's call
    await settle()
    assert "hang up" not in call.told
    result.set_result(False)
    await settle()
    assert call.told[-1] == "hang up" and FactKind.AGENT_LEFT in call.kinds


@pytest.mark.parametrize("works", [True, False])
async def test_where_the_trunk_refers_the_call_leaves_us_or_stays_bridged(
    works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call("a0")
    asked: list[object] = []

    async def refer(target: object) -> bool:
        asked.append(target)
        return works

    monkeypatch.setattr(call.leg, "refers", True)
    monkeypatch.setattr(call.leg, "refer", refer)
    call.people.fetch(WANTED, Briefing())
    leg = await call.answers("a0")
    assert asked == [leg]
    assert call.data(FactKind.REFERRED)[0]["accepted"] is works
    if works:
        assert call.told[-1] == "hang up" and call.people.state is State.OVER
    else:
        assert voices((await call.turn(leg))[0], hum(leg))
