"""Who answered, in whole calls: machines that give themselves away, and what the call came to because of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from voicebot.audio.frames import RATE
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.telephony.leg import Answered, EarlyMedia, KeyPressed, Ringing

from .people import Debtor
from .stage import Stage
from .test_reminder_calls import PROMISES, assert_nothing_disclosed_before_identity, sealed

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


def tone(hertz: float, seconds: float) -> bytes:
    at = np.arange(int(RATE * seconds)) / RATE
    return (6000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * int(RATE * seconds))


RINGBACK = tone(450, 1) + silence(4)
BUSY = (tone(450, 0.35) + silence(0.35)) * 8


async def plays(stage: Stage, callee: Debtor, sound: bytes, *, answered: bool) -> None:
    """The other end plays `sound` before or after the answer."""
    leg = await stage.ring(callee)
    leg.tell(Ringing(183))
    if answered:
        leg.tell(Answered())
    else:
        leg.tell(EarlyMedia())
    callee.play(silence(0.5) + sound)
    await stage.play()


def who(stage: Stage) -> list[tuple[object, object]]:
    return [(fact.data["kind"], fact.data["cue"]) for fact in stage.of(FactKind.ANSWERED_BY)]


@pytest.mark.parametrize(
    ("text", "cue", "disposition"),
    [
        ("对不起，您拨打的电话已关机，请稍后再拨。", "power_off", Disposition.UNREACHABLE),
        ("您好，您拨打的用户正在通话中，请稍后再拨。", "busy", Disposition.BUSY),
    ],
)
@pytest.mark.parametrize("answered", [False, True])
def test_an_announcement_ends_the_call_as_what_it_says(
    perform: Perform, debtor: MakeDebtor, text: str, cue: str, disposition: Disposition, answered: bool
) -> None:
    callee = debtor()
    sound = callee.voice.synthesize(text, "f2") + silence(5)
    stage = perform(lambda stage: plays(stage, callee, sound, answered=answered))
    assert who(stage)[-1] == ("announcement", cue), stage.story()
    assert stage.outcome is not None and stage.outcome.disposition is disposition
    assert stage.outcome.answered is answered
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


@pytest.mark.parametrize(
    ("sound", "kind", "disposition"),
    [(BUSY, "tone", Disposition.BUSY), (tone(2100, 3), "fax", Disposition.UNREACHABLE)],
    ids=["busy", "fax"],
)
def test_tones_and_faxes_end_an_answered_call(
    perform: Perform, debtor: MakeDebtor, sound: bytes, kind: str, disposition: Disposition
) -> None:
    callee = debtor()
    stage = perform(lambda stage: plays(stage, callee, sound + silence(9), answered=True))
    assert [told for told, _ in who(stage)] == [kind], stage.story()
    assert stage.outcome is not None and stage.outcome.disposition is disposition
    assert not stage.of(FactKind.UNDERSTOOD)
    sealed(stage)


def test_a_phone_assistant_is_a_third_party(perform: Perform, debtor: MakeDebtor) -> None:
    callee = debtor()
    sound = callee.voice.synthesize("您好，我是机主的智能助理，请问您有什么事？", "f2") + silence(20)
    stage = perform(lambda stage: plays(stage, callee, sound, answered=True))
    assert ("assistant", "assistant") in who(stage), stage.story()
    assert stage.outcome is not None and stage.outcome.disposition is Disposition.VOICEMAIL
    assert "回电" in stage.said()[-1]
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


def test_however_long_it_rang_time_counts_from_the_answer(perform: Perform, debtor: MakeDebtor) -> None:
    """Ringback for 40 s, then a person: neither their patience nor the watch for machines began with the ringing."""

    async def rings_long(stage: Stage) -> None:
        callee = debtor(answers=PROMISES)
        leg = await stage.ring(callee)
        leg.tell(Ringing(183))
        leg.tell(EarlyMedia())
        callee.play(RINGBACK * 8)
        await stage.pass_time(40)
        assert not stage.of(FactKind.SAYING) and not stage.of(FactKind.HEARD)
        leg.tell(Answered())
        callee.say("喂")
        await stage.play()

    stage = perform(rings_long)
    assert [fact.data for fact in stage.of(FactKind.EARLY_MEDIA)] == [{}, {"sound": "ringback"}]
    assert [kind for kind, _ in who(stage)] == ["person"], stage.story()
    first = stage.of(FactKind.SAID)[0].data["from_ms"]
    assert isinstance(first, int) and first - stage.of(FactKind.ANSWERED)[0].ms <= 300
    assert stage.outcome is not None and stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    sealed(stage)


def test_whoever_says_nothing_is_asked_again_in_other_words_and_offered_a_callback(
    perform: Perform, debtor: MakeDebtor
) -> None:
    callee = debtor(answers={key: texts for key, texts in PROMISES.items() if key in ("open", "verify")})

    async def falls_silent(stage: Stage) -> None:
        leg = await stage.ring(callee)
        leg.tell(Answered())
        await stage.play()

    stage = perform(falls_silent)
    silences = [fact for fact in stage.of(FactKind.DECIDED) if fact.data["branch"] == "silence"]
    after = [str(fact.data["text"]) for fact in stage.of(FactKind.SAYING) if fact.seq > silences[0].seq]
    assert len(silences) >= 3 and len(set(after[:2])) == 2, stage.story()
    assert "回电" in "".join(after[-2:]) or "联系" in "".join(after[-2:]), after
    assert "再见" in after[-1]
    sealed(stage)


def test_zero_fetches_a_person_even_while_the_bot_speaks(perform: Perform, debtor: MakeDebtor) -> None:
    async def presses(stage: Stage) -> None:
        leg = await stage.ring(debtor(answers={"open": ["我是，您说"], "verify": ["四三二一"]}))
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.VERIFIED)))
        await stage.pass_time(1)
        leg.tell(KeyPressed("0"))
        await stage.play()

    stage = perform(presses, agents=1)
    assert stage.of(FactKind.JOINED), stage.story()
    assert stage.of(FactKind.TRANSFER_STARTED)[0].ms - stage.of(FactKind.DTMF)[0].ms < 8000
    sealed(stage)
