"""LineCrew: what a line does with the fleet's orders, and what it ends when it was given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from voicebot.telemetry.process_figures import LineFigures
from voicebot.worker.crew import GIVEN_UP, LineCrew, MemberRoom


class Session:
    """A call of the line."""

    def __init__(self, call_id: str, direction: str, answered: bool) -> None:
        self.facts = SimpleNamespace(call_id=call_id, direction=direction)
        self.answered = answered
        self.hung_up = False
        self.noted: list[object] = []
        self.recorder = SimpleNamespace(append=lambda kind, data: self.noted.append(data["text"]))

    async def hang_up(self) -> None:
        self.hung_up = True


class Runner:
    def __init__(self, *sessions: Session) -> None:
        self.sessions = dict(enumerate(sessions))
        self.running, self.may_dial, self.draining = len(sessions), True, False


def crew(runner: Runner) -> LineCrew:
    relays = SimpleNamespace(running=2)
    figures = LineFigures((("+Inf", 1),), 0.0, True, 0.0, 0, overloads=4)
    return LineCrew(cast(Any, runner), cast(Any, relays), lambda: figures, 40)


async def test_only_what_rings_is_ended_when_others_settled_our_calls() -> None:
    """Somebody who talks is not cut off, and a caller who waits for an answer gets one."""
    rings, talks, caller = (
        Session("a", "outbound", False), Session("b", "outbound", True), Session("c", "inbound", False),
    )  # fmt: skip
    one = crew(Runner(rings, talks, caller))
    one.given_up()
    await asyncio.sleep(0)
    assert (rings.hung_up, talks.hung_up, caller.hung_up) == (True, False, False)
    assert one.running() == ["a", "b", "c"]
    assert talks.noted == [GIVEN_UP], "the recording does not tell that the call was booked as lost"


def test_a_sign_of_life_counts_relayed_calls_and_carries_all_figures() -> None:
    beat = crew(Runner(Session("a", "inbound", True))).beat(-7)
    assert (beat.calls, beat.most, beat.may_dial, beat.skew_ms) == (3, 40, True, -7)
    assert beat.figures["overloads"] == 4


def test_a_drain_is_ordered_and_taken_back_but_not_while_the_line_stops() -> None:
    runner = Runner()
    one = crew(runner)
    one.drain(True)
    assert runner.draining
    one.drain(False)
    assert not runner.draining
    runner.draining = one.stopping = True
    one.drain(False)
    assert runner.draining, "the process ends: no call may come"


def test_a_call_is_begun_only_in_good_standing_and_answered_in_any() -> None:
    ample = SimpleNamespace(may_dial=True, may_answer=True)
    assert MemberRoom(ample, lambda: True).may_dial and not MemberRoom(ample, lambda: False).may_dial
    assert MemberRoom(ample, lambda: False).may_answer
    assert not MemberRoom(SimpleNamespace(may_dial=False, may_answer=True), lambda: True).may_dial
