"""A telephone on loudspeaker: the bot hears itself, and neither interrupts itself nor takes it for an answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.telephony.leg import Answered

from .people import Debtor
from .stage import Stage
from .test_reminder_calls import PROMISES, sealed

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


class Loudspeaker(Debtor):
    """A debtor whose telephone gives back what it plays, `level_db` quieter and `delay` frames later."""

    level_db = -20.0
    delay = 2

    def lips(self) -> bytes:
        at = len(self.heard) - 320 * self.delay
        own = np.frombuffer(super().lips(), "<i2").astype(np.float64)
        if at < 0:
            return own.astype("<i2").tobytes()
        back = np.frombuffer(bytes(self.heard[at : at + 320]).ljust(320, b"\0"), "<i2")
        return (own + back * 10 ** (self.level_db / 20)).clip(-32768, 32767).astype("<i2").tobytes()


async def rung(stage: Stage, debtor: Debtor) -> None:
    leg = await stage.ring(debtor)
    leg.tell(Answered())
    await stage.play()


@pytest.mark.parametrize(("level_db", "delay"), [(-20.0, 2), (-12.0, 6)])
def test_the_bot_does_not_answer_itself(perform: Perform, debtor: MakeDebtor, level_db: float, delay: int) -> None:
    callee = Loudspeaker(debtor().voice, answers=PROMISES)
    callee.level_db, callee.delay = level_db, delay
    stage = perform(lambda stage: rung(stage, callee))
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    assert not any(fact.data["interrupted"] for fact in stage.of(FactKind.SAID)), stage.story()
    heard = [str(fact.data["text"]) for fact in stage.of(FactKind.HEARD)]
    assert len(heard) == len(PROMISES) - 2, f"echo was taken for answers: {heard}"
    sealed(stage)


def test_a_caller_on_loudspeaker_can_still_interrupt(perform: Perform, debtor: MakeDebtor) -> None:
    callee = Loudspeaker(debtor().voice, answers=PROMISES, barges_in=("后四位", 1500, "等一下我现在没有空"))
    callee.level_db, callee.delay = -12.0, 6
    stage = perform(lambda stage: rung(stage, callee))
    stopped = [fact for fact in stage.of(FactKind.SAID) if fact.data["interrupted"]]
    assert stopped, stage.story()
    assert "后四位" in str(stopped[0].data["text"])
    sealed(stage)
