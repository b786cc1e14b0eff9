"""Whole calls over SIP on a bad network, on virtual time: what is lost is sent again, the call comes out the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sip.call import Call
from sip.testing import SimNetwork
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.evidence.verify import verify_bundle

from .people import Debtor
from .sip_line import NetworkLine, Takes
from .stage import CASE, Stage
from .test_reminder_calls import PROMISES, assert_nothing_disclosed_before_identity

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


async def picks_up(call: Call) -> None:
    call.ring()
    await asyncio.sleep(1.0)
    await call.answer()


def over(network: SimNetwork, takes: Takes) -> Callable[..., NetworkLine]:
    return lambda rung: NetworkLine(rung, network, takes)


async def whole_call(stage: Stage, debtor: Debtor) -> None:
    await stage.ring(debtor)
    await stage.play()


@pytest.mark.parametrize(("loss", "jitter_s", "seed"), [(0.0, 0.0, 1), (0.2, 0.05, 2), (0.25, 0.1, 3)])
def test_a_promise_survives_a_bad_network(
    perform: Perform, debtor: MakeDebtor, loss: float, jitter_s: float, seed: int
) -> None:
    network = SimNetwork(loss=loss, jitter_s=jitter_s, seed=seed)
    line = over(network, picks_up)
    stage = perform(lambda stage: whole_call(stage, debtor(answers=PROMISES)), line=line)
    assert stage.outcome is not None and stage.outcome.promise is not None
    assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    assert stage.outcome.promise.amount_fen == CASE.amount_fen
    assert stage.bundle is not None and verify_bundle(stage.bundle).valid
    assert_nothing_disclosed_before_identity(stage)


def test_a_busy_callee_is_busy_through_loss(perform: Perform, debtor: MakeDebtor) -> None:
    network = SimNetwork(loss=0.25, jitter_s=0.05, seed=4)
    line = over(network, lambda call: call.reject(486))
    stage = perform(lambda stage: whole_call(stage, debtor()), line=line)
    assert stage.outcome is not None and not stage.outcome.answered
    assert stage.outcome.disposition is Disposition.BUSY


def test_nobody_answers_and_the_ringing_is_given_up(perform: Perform, debtor: MakeDebtor) -> None:
    line = over(SimNetwork(seed=5), lambda call: call.ring())
    stage = perform(lambda stage: whole_call(stage, debtor()), line=line)
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.NO_ANSWER
    assert stage.of(FactKind.RINGING)


def test_a_callee_who_hangs_up_in_the_opening_is_noticed_through_loss(perform: Perform, debtor: MakeDebtor) -> None:
    async def hangs_up(call: Call) -> None:
        await call.answer()
        await asyncio.sleep(3.0)
        await call.hangup()

    line = over(SimNetwork(loss=0.2, seed=6), hangs_up)
    stage = perform(lambda stage: whole_call(stage, debtor()), line=line)
    (ended,) = stage.of(FactKind.ENDED)
    assert ended.data["by"] == "remote"
    (opening, *_) = stage.of(FactKind.SAID)
    assert opening.data["interrupted"]
    assert stage.bundle is not None and verify_bundle(stage.bundle).valid
