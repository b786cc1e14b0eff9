"""A person has taken over: the brain writes down both sides, warns of unlawful words, and never speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.config import scripts_dir
from voicebot.domain.case import CallFacts
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import AGENT_SIDE, Gone, HandedOver, MachineFound, Note, Opened, PickedUp, Play, Played
from voicebot.pipeline.hearing import Hearing
from voicebot.tts.synthesizer import Synthesizer
from voicebot.worker.brain import Brain
from voicebot.worker.ticks import Message, Tick

from .stage import CASE, Models
from .virtual_time import START, VirtualClock, VirtualLoop

CALL = 7


class Talk:
    """A call in which an agent talks already; `say` is one side saying something while the other is silent."""

    def __init__(self, loop: VirtualLoop, models: Models, voice: Synthesizer) -> None:
        hearing = Hearing(models.recognizer, VoiceActivity(), models.is_complete)
        self._brain = Brain(hearing, models.understander, models.prompts, VirtualClock(loop), scripts_dir())
        self._loop, self._voice, self._number = loop, voice, 0
        self.out: list[Message] = []

    async def dialled_by_agent(self) -> None:
        self._brain.take(Opened(CALL, CallFacts("c-1", START, CASE), "reminder", answered=True, silent=True))
        self._brain.take(PickedUp(CALL))
        await self._tick(SILENCE, SILENCE)

    async def hand_over(self) -> None:
        self._brain.take(Opened(CALL, CallFacts("c-1", START, CASE), "reminder", answered=True))
        await self._tick(SILENCE, None)
        await self._tick(SILENCE, None)
        for order in self.out:
            if isinstance(order, Play):  # the line stops what the bot was saying
                self._brain.take(Played(CALL, order.utterance_id, 0, 1000, interrupted=True))
        self.out.clear()
        self._brain.take(HandedOver(CALL, joined=True))

    async def agent_says(self, text: str) -> None:
        await self._say(text, lambda pcm: (SILENCE, pcm))

    async def rung_by_callee(self) -> None:
        facts = CallFacts("c-1", START, CASE, direction="inbound")
        self._brain.take(Opened(CALL, facts, "inbound", answered=True))
        await self._tick(SILENCE, None)

    async def callee_beeps(self) -> None:
        samples = (np.sin(2 * np.pi * 1000 * np.arange(8000 * 0.4) / 8000) * 8000).astype("<i2")
        for frame in [*cut(samples.tobytes()), *[SILENCE] * 80]:
            await self._tick(frame, SILENCE)

    async def callee_says(self, text: str) -> None:
        await self._say(text, lambda pcm: (pcm, SILENCE))

    @property
    def machines(self) -> int:
        return sum(isinstance(one, MachineFound) for one in self.out)

    def notes(self, kind: FactKind) -> list[dict[str, object]]:
        return [one.data for one in self.out if isinstance(one, Note) and one.kind is kind]

    async def close(self) -> None:
        self._brain.take(Gone(CALL))
        await self._brain.forget_all()

    async def _say(self, text: str, sides: Callable[[bytes], tuple[bytes, bytes]]) -> None:
        for frame in [*cut(self._voice.synthesize(text, "m3")), *[SILENCE] * 80]:
            await self._tick(*sides(frame))

    async def _tick(self, callee: bytes, agent: bytes | None) -> None:
        self._loop.advance(0.02)
        self._number += 1
        frames = ((CALL, callee),) if agent is None else ((CALL, callee), (CALL | AGENT_SIDE, agent))
        self._brain.take(Tick(self._number, frames))
        await self._loop.settle()
        self.out += self._brain.outgoing()


def talk(
    models: Models, voice: Synthesizer, play: Callable[[Talk], object], begin: Callable[[Talk], object] = Talk.hand_over
) -> Talk:
    async def whole() -> Talk:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        one = Talk(loop, models, voice)
        await begin(one)  # type: ignore[misc]
        try:
            await play(one)  # type: ignore[misc]
        finally:
            await one.close()
        return one

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole())


def test_the_agent_is_written_down_and_the_bot_keeps_silent(models: Models, voice: Synthesizer) -> None:
    async def play(one: Talk) -> None:
        await one.agent_says("您好，我是客服。")
        await one.callee_says("我明天还钱。")

    one = talk(models, voice, play)
    (said,) = one.notes(FactKind.AGENT_HEARD)
    assert "客服" in str(said["text"])
    assert 0 < int(str(said["start_ms"])) < int(str(said["end_ms"])) < 3000
    assert [fact["text"] for fact in one.notes(FactKind.HEARD)], "the callee is still written down"
    assert one.notes(FactKind.UNDERSTOOD), "and still understood"
    assert not any(isinstance(message, Play) for message in one.out)


def test_a_threat_of_the_agent_is_an_alert(models: Models, voice: Synthesizer) -> None:
    async def play(one: Talk) -> None:
        await one.agent_says("不还钱就要坐牢。")

    alerts = talk(models, voice, play).notes(FactKind.GATE_ALERT)
    assert any("F04" in alert["rules"] for alert in alerts)  # type: ignore[operator]


def test_a_threat_is_an_alert_while_the_agent_talks_on(models: Models, voice: Synthesizer) -> None:
    """Within 1.5 s of its last sound, long before the sentence ends."""
    threat, more = "你再不还钱就要坐牢", "我跟你说这个事情你自己好好想一想到底应该怎么处理我们都在等你的消息呢"
    spoken = [voice.synthesize(text, "m3").strip(b"\0") for text in (threat, more)]
    said = b"".join(pcm[: len(pcm) // 2 * 2] for pcm in spoken)
    told_at: list[int] = []

    async def play(one: Talk) -> None:
        for number, frame in enumerate(cut(said)):
            await one._tick(SILENCE, frame)
            if one.notes(FactKind.GATE_ALERT) and not told_at:
                told_at.append(number * 20)
        for _ in range(80):
            await one._tick(SILENCE, SILENCE)

    one = talk(models, voice, play)
    ended_ms, whole_ms = len(spoken[0]) // 16, len(said) // 16
    assert told_at and told_at[0] <= ended_ms + 1500, (told_at, ended_ms, one.notes(FactKind.AGENT_HEARD))
    assert whole_ms > ended_ms + 3000, "the sentence ended too soon to show anything"
    alerts = one.notes(FactKind.GATE_ALERT)
    assert sum("F04" in alert["rules"] for alert in alerts) == 1, "the same threat alarms twice"  # type: ignore[operator]
    assert [alert.get("again") for alert in alerts] == [None, *[True] * (len(alerts) - 1)]
    (first, *_), (heard, *_) = alerts, one.notes(FactKind.AGENT_HEARD)
    assert abs(int(str(first["start_ms"])) - int(str(heard["start_ms"]))) <= 500
    assert int(str(first["end_ms"])) <= ended_ms + 1500


def test_harmless_words_raise_no_alert_on_the_way(models: Models, voice: Synthesizer) -> None:
    async def play(one: Talk) -> None:
        await one.agent_says("您放心，这件事不会影响您的家人，我们也不会上门，您按时处理就可以了。")

    assert talk(models, voice, play).notes(FactKind.GATE_ALERT) == []


def test_what_the_callee_says_becomes_a_hint_and_danger_calls_a_supervisor(
    models: Models, voice: Synthesizer
) -> None:
    async def play(one: Talk) -> None:
        await one.callee_says("我不想活了。")

    one = talk(models, voice, play)
    assert [hint["kind"] for hint in one.notes(FactKind.HINT)] == ["danger"]
    assert not any(isinstance(message, Play) for message in one.out)


def test_a_call_that_an_agent_dialled_is_listened_to_from_the_beginning(models: Models, voice: Synthesizer) -> None:
    async def play(one: Talk) -> None:
        await one.agent_says("您好，我是客服。")
        await one.callee_says("我没有钱。")

    one = talk(models, voice, play, Talk.dialled_by_agent)
    assert one.notes(FactKind.AGENT_HEARD)
    assert one.notes(FactKind.UNDERSTOOD)
    assert not any(isinstance(message, Play) for message in one.out)


def test_a_beep_makes_no_machine_of_who_called_us_or_was_handed_over(models: Models, voice: Synthesizer) -> None:
    async def play(one: Talk) -> None:
        await one.callee_beeps()

    assert talk(models, voice, play, Talk.rung_by_callee).machines == 0
    assert talk(models, voice, play, Talk.dialled_by_agent).machines == 0
