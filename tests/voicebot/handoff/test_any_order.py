"""Whatever people do with their phones and buttons, in whatever order: no error, nobody left ringing or reserved."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

import voicebot.handoff.room
from tests.voicebot.handoff.one_call import URGENT, WANTED, Call, settle
from voicebot.audio.frames import SILENCE
from voicebot.handoff.audibility import Part
from voicebot.handoff.states import State
from voicebot.handoff.transfer import Briefing
from voicebot.telephony.leg import Answered, Ended, Held, KeyPressed, LegEvent, Resumed, TransferWanted

PEOPLE = ("a0", "a1", "s0")
names = st.sampled_from(PEOPLE)
PHONE_EVENTS: tuple[LegEvent, ...] = (
    Answered(),
    Answered(),
    Ended("remote", None, "hung up"),
    Ended("remote", 486, "busy"),
    Ended("error", None, "no media"),
    KeyPressed("1"),
    KeyPressed("*"),
    Held(),
    Resumed(),
    TransferWanted("sip:4002@office"),
)
phones = st.tuples(st.just("phone"), st.integers(0, 5), st.sampled_from(PHONE_EVENTS))
clicks = st.tuples(
    st.just("click"),
    st.sampled_from(("accept", "decline", "agent_hold", "consult", "three_way", "end_consult", "transfer",
                     "supervise", "fetch_person")),
    st.fixed_dictionaries({
        "agent": names,
        "target": st.sampled_from((*PEOPLE, "4001")),
        "on": st.booleans(),
        "mode": st.sampled_from(("listen", "whisper", "barge", "take_over", "leave")),
    }),
)  # fmt: skip
others = st.sampled_from((("fetch",), ("urgent",), ("tick",), ("presence", "a0", "ready"), ("presence", "a1", "busy")))

ANSWERS = ("phone", 0, Answered())
BEGINNINGS: tuple[list[tuple[object, ...]], ...] = (
    [],
    [("fetch",)],
    [("urgent",)],
    [("fetch",), ANSWERS],
    [("fetch",), ANSWERS, ("tick",)],
    [("fetch",), ANSWERS, ("tick",), ("click", "consult", {"target": "a1"})],
    [("fetch",), ANSWERS, ("tick",), ("click", "consult", {"target": "a1"}), ("phone", 1, Answered())],
    [("fetch",), ANSWERS, ("tick",), ("click", "transfer", {"target": "a1"})],
    [("click", "supervise", {"agent": "s0", "mode": "listen"}), ANSWERS],
    [("click", "supervise", {"agent": name, "mode": "barge"}) for name in ("a1", "a0")] + [("urgent",)],
)


async def play(story: list[tuple[object, ...]]) -> list[object]:
    """Live through it; what went wrong inside."""
    with patch.object(voicebot.handoff.room.log, "error") as errors:
        call = Call("a0", "a1", supervisors=("s0",), supervisors_after_s=0.0)
        for action in story:
            await act(call, action)
            await settle()
            nobody_hears_what_they_should_not(call)
        async with asyncio.timeout(5):  # a cancellation must not be lost
            await call.people.close()
        await settle()
    over(call)
    return list(errors.mock_calls)


async def act(call: Call, action: tuple[object, ...]) -> None:
    match action:
        case ("phone", int(number), event) if number < len(call.line.legs):
            call.line.legs[number].tell(event)  # type: ignore[arg-type]
        case ("click", str(verb), dict(payload)):
            assert call.people.obey(verb, payload)
        case ("fetch",):
            call.people.fetch(WANTED, Briefing("简报", SILENCE * 2))
        case ("urgent",):
            call.people.fetch(URGENT, Briefing())
        case ("tick",):
            await call.turn(*[leg for leg in call.line.legs if leg.ended is None])
        case ("presence", str(name), str(presence)):
            if call.office.people[name].call_id is None:
                call.office.set_presence(name, presence)


def nobody_hears_what_they_should_not(call: Call) -> None:
    parties = call.people._room.conference.parties
    whispers = [party for party in parties if party.part in (Part.WHISPERER, Part.LISTENER, Part.BRIEFED)]
    debtor = call.people._room.conference.debtor
    assert not any(call.people._room.conference.audible(debtor, party) for party in whispers)
    assert len({party.part for party in parties if party.part is Part.AGENT}) <= 1


def over(call: Call) -> None:
    assert call.people.state is State.OVER
    assert all(leg.ended is not None for leg in call.line.legs), "a phone is left ringing"
    assert call.office.queue == {}
    reserved = [agent.id for agent in call.office.people.values() if agent.call_id is not None]
    assert reserved == [], "somebody stays reserved for a call that is over"
    assert [party.name for party in call.people._room.conference.parties] == ["debtor"]


@settings(max_examples=100, deadline=None)
@given(beginning=st.sampled_from(BEGINNINGS), story=st.lists(phones | clicks | others, max_size=10))
@example(  # a supervisor answers when the agent has hung up and the call is over
    beginning=BEGINNINGS[-1],
    story=[("phone", 1, Answered()), ("phone", 1, Ended("remote", None, "hung up")), ("phone", 0, Answered())],
)
def test_nothing_breaks_and_nobody_is_forgotten(
    beginning: list[tuple[object, ...]], story: list[tuple[object, ...]]
) -> None:
    assert asyncio.run(play([*beginning, *story])) == []
