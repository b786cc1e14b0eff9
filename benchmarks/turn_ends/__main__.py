"""Ends of turns on sound: how long after the last word, and how many callers are cut off who only drew breath.

    python -m benchmarks.turn_ends --count 60 --pauses 100 200 400 800 --json FILE

Callers' sentences that no training saw (voicebot/intent/training/data/dev-plain.jsonl.gz), a blank being where the
speaker of the sentence paused; each half by the voice, the pause between them as long as wanted. Through the ears of
the product, 20 ms a tick on the sound's own clock. A turn that begins at the pause anew was cut.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import voicebot.intent.training as training
from benchmarks.turns.figures import quantile
from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Utterance
from voicebot.tts.synthesizer import Synthesizer, load_synthesizer

SENTENCES = "data/dev-plain.jsonl.gz"
VOICES = ("m3", "f2", "m1", "f4")
LONGEST = 24
"""Characters of a sentence; longer ones are told and not answered."""
TOGETHER = 40
AFTER = 75
"""Ticks of silence at the end."""


@dataclass(slots=True)
class Said:
    """`parts`: s16le; `ends_ms`: when turns were over, on the sound's clock."""

    topic: Topic
    text: str
    parts: tuple[bytes, bytes]
    pause_ms: int
    ends_ms: list[int]

    @property
    def sound(self) -> bytes:
        return bytes(16 * 400) + self.parts[0] + bytes(16 * self.pause_ms) + self.parts[1]

    @property
    def was_cut(self) -> bool:
        return len(self.ends_ms) > 1

    @property
    def waited_ms(self) -> int:
        return self.ends_ms[-1] - len(self.sound) // 16


def sentences(count: int, seed: int) -> list[tuple[Topic, str, str]]:
    """Topic and the two halves of so many sentences."""
    rows = []
    with gzip.open(Path(training.__file__).parent / SENTENCES, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            first, _, rest = row["text"].partition(" ")
            rest = rest.replace(" ", "")
            if rest and len(first + rest) <= LONGEST and row["context"] in set(Topic):
                rows.append((Topic(row["context"]), first, rest))
    return random.Random(seed).sample(rows, count)


def spoken(voice: Synthesizer, text: str, speaker: str) -> bytes:
    """Without the silence around it."""
    sound = np.frombuffer(voice.synthesize(text, speaker), "<i2")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 250)
    return sound[loud[0] : loud[-1] + 1].tobytes()


def listen(hearing: Hearing, said: Sequence[Said]) -> None:
    """All of them at once, as one batch of the brain; fills in `ends_ms`."""
    by_call = dict(enumerate(said, 1))
    frames = {call: [*cut(one.sound), *[SILENCE] * AFTER] for call, one in by_call.items()}
    for call, one in by_call.items():
        ear = hearing.open(call)
        ear.picked_up()
        ear.expect_person()
        ear.topic = one.topic
    for tick in range(max(map(len, frames.values()))):
        batch = [(call, sound[tick].ljust(320, b"\0")) for call, sound in frames.items() if tick < len(sound)]
        for call, noticed in hearing.tick(tick, batch):
            if isinstance(noticed, Utterance) and noticed.text:
                by_call[call].ends_ms.append((tick + 1) * 20)
    for call in by_call:
        hearing.close(call)


def rows_of(said: Sequence[Said]) -> list[dict[str, Any]]:
    """One for each pause: the share that was cut, and the wait after those that were not."""
    rows = []
    for pause_ms in sorted({one.pause_ms for one in said}):
        ours = [one for one in said if one.pause_ms == pause_ms and one.ends_ms]
        waits = [one.waited_ms for one in ours if not one.was_cut]
        rows.append({
            "pause_ms": pause_ms, "sentences": len(ours), "cut": round(sum(o.was_cut for o in ours) / len(ours), 4),
            "p50_ms": quantile(waits, 0.5), "p95_ms": quantile(waits, 0.95),
        })  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turn_ends", description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--pauses", type=int, nargs="+", default=[100, 200, 400, 800], help="ms inside the sentence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    understander, voice = Understander(), load_synthesizer()

    def is_complete(text: str, topic: Topic) -> bool:
        return is_complete_answer(text, topic, understander)

    hearing = Hearing(load_recognizer(), VoiceActivity(), is_complete)
    said = []
    for number, (topic, first, rest) in enumerate(sentences(options.count, options.seed)):
        speaker = VOICES[number % len(VOICES)]
        parts = spoken(voice, first, speaker), spoken(voice, rest, speaker)
        said += [Said(topic, f"{first} {rest}", parts, pause_ms, []) for pause_ms in options.pauses]
    for at in range(0, len(said), TOGETHER):
        listen(hearing, said[at : at + TOGETHER])
    rows = rows_of(said)
    for row in rows:
        print("pause {pause_ms:4} ms: {sentences} sentences, {cut:.1%} cut; over after {p50_ms} ms, "
              "P95 {p95_ms} ms".format(**row))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
