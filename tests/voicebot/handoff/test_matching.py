"""Matching: nobody given twice, nobody passed over without a reason, the right person preferred."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.records import AgentRecord, WaitingCall
from voicebot.handoff.matching import PATIENCE, match, on_duty

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
SKILLS = ("general", "care", "dispute")
LANGUAGES = ("zh", "yue")

people = st.lists(
    st.builds(
        AgentRecord,
        id=st.text("abcdefgh", min_size=1, max_size=2),
        name=st.just("n"),
        sip_uri=st.just("sip:n@office"),
        skills=st.sets(st.sampled_from(SKILLS)).map(tuple),
        presence=st.sampled_from(("ready", "ready", "busy", "wrap_up", "away", "offline")),
        presence_at=st.integers(0, 600).map(lambda ago: NOW - dt.timedelta(seconds=ago)),
        languages=st.sets(st.sampled_from(LANGUAGES)).map(tuple),
    ),
    unique_by=lambda agent: agent.id,
    max_size=6,
)
calls = st.lists(
    st.builds(
        WaitingCall,
        call_id=st.text("0123456789", min_size=1, max_size=3),
        skill=st.sampled_from(SKILLS),
        reason=st.just("r"),
        since=st.integers(0, 60).map(lambda ago: NOW - dt.timedelta(seconds=ago)),
        language=st.sampled_from(LANGUAGES),
        urgent=st.booleans(),
        agent_id=st.none() | st.sampled_from(("a", "b")),
        tried=st.sets(st.sampled_from(("a", "b", "c")), max_size=2).map(tuple),
    ),
    unique_by=lambda call: call.call_id,
    max_size=6,
).map(lambda queue: sorted(queue, key=lambda call: (not call.urgent, call.since, call.call_id)))


@given(queue=calls, office=people)
def test_nobody_is_given_twice_or_rung_again_or_taken_from_what_they_do(
    queue: list[WaitingCall], office: list[AgentRecord]
) -> None:
    given_ = match(queue, office, NOW)
    assert len(set(given_.values())) == len(given_)
    by_id = {agent.id: agent for agent in office}
    for call in queue:
        if call.call_id in given_:
            agent = by_id[given_[call.call_id]]
            assert agent.presence == "ready" and agent.id not in call.tried


@given(queue=calls, office=people)
def test_nobody_waits_long_while_somebody_is_free_for_them(
    queue: list[WaitingCall], office: list[AgentRecord]
) -> None:
    given_ = match(queue, office, NOW)
    free = {agent.id for agent in office if agent.presence == "ready"} - set(given_.values())
    for call in queue:
        patient = not call.urgent and NOW - call.since < PATIENCE
        if call.call_id not in given_ and not patient:
            assert free <= set(call.tried)


@given(queue=calls, office=people)
def test_who_comes_later_takes_nobody_from_who_came_before(
    queue: list[WaitingCall], office: list[AgentRecord]
) -> None:
    for length in range(len(queue)):
        first = match(queue[:length], office, NOW)
        assert {call: agent for call, agent in match(queue, office, NOW).items() if call in first} == first


def agent(name: str, skill: str = "general", idle_s: int = 0, presence: str = "ready") -> AgentRecord:
    since = NOW - dt.timedelta(seconds=idle_s)
    return AgentRecord(name, name, f"sip:{name}@office", (skill,), presence, since)


CALL = WaitingCall("c1", "care", "r", NOW)


def test_whom_the_debtor_knows_then_the_skill_then_who_waited_longest() -> None:
    office = [agent("fresh", "care", 1), agent("old", "care", 9), agent("known", "general", 2), agent("x", idle_s=99)]
    assert match([replace(CALL, agent_id="known")], office, NOW) == {"c1": "known"}
    assert match([CALL], office, NOW) == {"c1": "old"}
    assert match([CALL], [office[2], office[3]], NOW) == {"c1": "x"}, "a person beats the right person who is not there"


def test_the_right_person_who_is_busy_is_waited_for_a_while_but_not_by_the_desperate() -> None:
    office = [agent("nurse", "care", presence="busy"), agent("other")]
    assert match([CALL], office, NOW) == {}
    assert match([CALL], office, NOW + PATIENCE) == {"c1": "other"}
    assert match([replace(CALL, urgent=True)], office, NOW) == {"c1": "other"}
    assert match([replace(CALL, language="yue", skill="general")], [agent("other")], NOW) == {"c1": "other"}


def test_waiting_is_hopeless_when_all_at_work_were_tried() -> None:
    office = [agent("a", presence="wrap_up"), agent("b", presence="away")]
    assert on_duty(office, ())
    assert not on_duty(office, ("a",))
