"""`python -m benchmarks.hearing`: share of a core that hearing takes per call, by the CPU clock of its process.

Each call goes round and round: the bot speaks, a pause, the caller answers, the bot thinks. The calls are spread over
the round as independent ones are. Sound goes in as in the brain, one tick of all calls at a time, as fast as it can.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voicebot.asr.recognizer import Recognizer, RecognizerStream, load_recognizer
from voicebot.audio.frames import FRAME_BYTES, SILENCE, cut
from voicebot.audio.vad import VadStream, VoiceActivity, VoiceChange
from voicebot.domain.talk import OWN_SIDE
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.tts.synthesizer import load_synthesizer

BOT: Final = "涉及您的个人信息，请说一下身份证后四位，或者出生的月和日。"
ANSWERS: Final = ("我是，您说", "四三二一", "我明天就还了你放心", "对，没问题", "最近手头有点紧，能不能缓几天")
PAUSE_TICKS: Final = 35
THINKS_TICKS: Final = 20


@dataclass(frozen=True, slots=True)
class Round:
    """Tick by tick what the caller sends and what the bot says, and how long each speaks."""

    caller: tuple[bytes, ...]
    bot: tuple[bytes, ...]


class Clocked:
    """Adds up the CPU time of one part of hearing."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    def of(self, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.process_time()
        try:
            return work(*arguments)
        finally:
            self.spent_s += time.process_time() - began


class ClockedRecognizer:
    """The recogniser, with its time taken."""

    def __init__(self, recognizer: Recognizer, clock: Clocked) -> None:
        self._recognizer, self._clock = recognizer, clock
        self.name, self.sample_rate = recognizer.name, recognizer.sample_rate

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return self._recognizer.open(hotwords)

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        self._clock.of(self._recognizer.decode, streams)


class ClockedActivity(VoiceActivity):
    """Voice activity, with its time taken."""

    def __init__(self, clock: Clocked) -> None:
        super().__init__()
        self._clock = clock

    def process(self, frames: Sequence[tuple[VadStream, bytes]]) -> list[tuple[VadStream, VoiceChange]]:
        changes: list[tuple[VadStream, VoiceChange]] = self._clock.of(super().process, frames)
        return changes


def rounds() -> list[Round]:
    """One for each answer; the fill of the last frame of speech is silence."""
    voice = load_synthesizer()
    bot = cut(voice.synthesize(BOT))
    made = []
    for answer, speaker in zip(ANSWERS, itertools.cycle(("m3", "f2", "m1", "f4")), strict=False):
        said = [pcm.ljust(FRAME_BYTES, b"\0") for pcm in cut(voice.synthesize(answer, speaker))]
        caller = [SILENCE] * (len(bot) + PAUSE_TICKS) + said + [SILENCE] * THINKS_TICKS
        own = [pcm.ljust(FRAME_BYTES, b"\0") for pcm in bot] + [SILENCE] * (len(caller) - len(bot))
        made.append(Round(tuple(caller), tuple(own)))
    return made


def measure(calls: int, seconds: float) -> dict[str, Any]:
    """Percent of a core per call: all of hearing, and of it the recogniser's batch and voice activity."""
    understander, recogniser, activity, hearing_clock = Understander(), Clocked(), Clocked(), Clocked()

    def is_complete(text: str, topic: Topic) -> bool:
        return is_complete_answer(text, topic, understander)

    hearing = Hearing(ClockedRecognizer(load_recognizer(), recogniser), ClockedActivity(activity), is_complete)
    plays = rounds()
    speaking = dict.fromkeys(range(1, calls + 1), False)
    for call in speaking:
        ear = hearing.open(call)
        ear.picked_up()
        ear.expect_person()
        ear.bot_speaks = lambda call=call: speaking[call]  # type: ignore[misc]
    heard = 0
    ticks = round(seconds * 50)
    for tick in range(ticks):
        frames: list[tuple[int, bytes]] = []
        for call in speaking:
            play = plays[call % len(plays)]
            at = (tick + call * 997) % len(play.caller)
            own = play.bot[at]
            speaking[call] = own is not SILENCE
            frames += [(call, play.caller[at]), (call | OWN_SIDE, own)] if speaking[call] else [(call, play.caller[at])]
        heard += sum(type(one).__name__ == "Utterance" for _, one in hearing_clock.of(hearing.tick, tick, frames))
    call_s = calls * ticks * 0.02
    return {
        "calls": calls, "turns": heard, "hearing_percent": hearing_clock.spent_s / call_s * 100,
        "recogniser_percent": recogniser.spent_s / call_s * 100, "activity_percent": activity.spent_s / call_s * 100,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 25, 50])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each call")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = [measure(calls, options.seconds) for calls in options.calls]
    print("percent of a core per call: all of hearing = voice activity + recogniser's batch + the rest")
    for row in rows:
        print(f"{row['calls']:3} calls {row['turns']:4} turns  {row['hearing_percent']:.2f} = "
              f"{row['activity_percent']:.2f} + {row['recogniser_percent']:.2f} + "
              f"{row['hearing_percent'] - row['activity_percent'] - row['recogniser_percent']:.2f}")
    if options.json:
        with open(options.json, "w") as out:
            json.dump(rows, out, indent=2)


if __name__ == "__main__":
    main()
