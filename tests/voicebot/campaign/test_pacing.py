"""Pacing: the modes against floors of Erlang's kind, and the edges that no floor reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.pacing import UNLIMITED, Load, allowance, likely, pace
from voicebot.domain.pace import CampaignMode, Flow, Share

from .floor_model import Result, World, run

PREDICTIVE, PROGRESSIVE, HAND_OVER = CampaignMode.PREDICTIVE, CampaignMode.PROGRESSIVE, CampaignMode.HAND_OVER


@pytest.fixture(scope="module")
def predictive() -> Result:
    return run(World(lambda second: 20, PREDICTIVE, hours=1))


@pytest.fixture(scope="module")
def progressive() -> Result:
    return run(World(lambda second: 20, PROGRESSIVE, hours=1))


def test_predictive_keeps_people_busier_and_below_its_ceiling(predictive: Result, progressive: Result) -> None:
    assert progressive.abandoned == 0
    assert predictive.utilisation > progressive.utilisation + 0.1
    assert 0 < predictive.abandoned_share < 0.03


def test_a_lower_ceiling_abandons_less(predictive: Result) -> None:
    careful = run(World(lambda second: 20, PREDICTIVE, hours=1, ceiling=0.005))
    assert careful.abandoned_share < 0.005
    assert careful.utilisation < predictive.utilisation


def test_when_agents_leave_nobody_pays_for_it() -> None:
    """Sixteen of twenty go home in the middle; calls that ring then were dialled for people who were there."""
    left = run(World(lambda second: 20 if second < 3600 else 4, PREDICTIVE, hours=2))
    assert left.abandoned_share < 0.03


def test_when_nobody_answers_and_then_everybody_does() -> None:
    """The worst for a forecast: an hour of learning that few answer, and then all do."""
    flow = Flow("k1", PREDICTIVE, free=3, answered=Share(1, 200), abandoned=Share(0, 0))
    assert 3 <= allowance(flow) <= 30, "few calls were abandoned so far because few were made: no credit for that"


def test_bot_calls_that_end_with_a_person_find_one() -> None:
    floor = World(lambda second: 10, HAND_OVER, bot_s=40, wants_person=0.15, talk_s=180, patience_s=20, hours=2)
    result = run(floor)
    assert result.wanted > 100
    assert result.abandoned == 0
    assert result.utilisation > 0.35


def test_bot_calls_stop_with_the_people() -> None:
    floor = World(lambda second: 10 if second < 3600 else 0, HAND_OVER, bot_s=20, wants_person=0.2, hours=2)
    result = run(floor)
    assert result.dialled_while_nobody_is_free == 0
    before = run(replace(floor, hours=1))
    assert result.calls <= before.calls + 1


flows = st.builds(
    Flow,
    st.just("k1"),
    st.sampled_from(CampaignMode),
    ringing=st.integers(0, 300),
    talking=st.integers(0, 100),
    waiting=st.integers(0, 40),
    with_people=st.integers(0, 60),
    free=st.integers(0, 60),
    soon_free=st.floats(0, 1),
    answered=st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda s: Share(min(s), max(s))),
    handed=st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda s: Share(min(s), max(s))),
    abandoned=st.tuples(st.integers(0, 50), st.integers(0, 200)).map(lambda s: Share(min(s), max(s))),
    ceiling=st.floats(0, 0.2),
)


@given(flows)
def test_no_mode_but_the_robots_dials_without_anybody_to_talk(flow: Flow) -> None:
    allowed = allowance(flow)
    assert allowed >= 0
    if flow.mode is CampaignMode.ROBOT:
        assert allowed == UNLIMITED
    elif flow.mode is CampaignMode.PREVIEW or flow.free + flow.with_people == 0:
        assert allowed == 0
    elif flow.mode is PROGRESSIVE:
        assert allowed + flow.ringing + flow.talking + flow.waiting <= max(
            flow.free, flow.ringing + flow.talking + flow.waiting
        )


@given(flows)
def test_a_person_who_sits_down_never_slows_a_campaign(flow: Flow) -> None:
    assert allowance(replace(flow, free=flow.free + 1)) >= allowance(flow)


@given(flows)
def test_somebody_who_waits_never_hastens_a_campaign(flow: Flow) -> None:
    assert allowance(replace(flow, waiting=flow.waiting + 1)) <= allowance(flow)


def test_with_a_ceiling_of_nothing_predictive_is_progressive() -> None:
    flow = Flow("k1", PREDICTIVE, ringing=2, free=7, answered=Share(50, 200), ceiling=0.0)
    assert allowance(flow) == 5


def test_over_the_ceiling_predictive_is_progressive() -> None:
    flow = Flow("k1", PREDICTIVE, ringing=2, free=7, answered=Share(50, 200), abandoned=Share(9, 100))
    assert allowance(flow) == 5


def test_what_was_never_seen_is_taken_for_much() -> None:
    assert likely(Share(0, 0), Share(1, 2)) > 0.8
    assert 0.30 < likely(Share(300, 1000), Share(1, 2)) < 0.33


def test_a_process_takes_a_few_at_a_time_and_no_more_than_fit() -> None:
    assert pace(Load(0, 40)) == 10
    assert pace(Load(37, 40)) == 3
    assert pace(Load(0, 40, lines_free=2)) == 2
    assert pace(Load(41, 40)) == 0
