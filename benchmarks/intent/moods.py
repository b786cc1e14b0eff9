"""How often the sound of a turn tells the mood it was spoken in: `python -m benchmarks.intent.moods`.

Each synthetic caller first says a few sentences as usual, then others louder, higher, faster, or soft, flat, slow with
pauses, through a telephone line. The voices act as the text books say people do; people are less clear. Needs espeak.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot.asr.features import RATE
from voicebot.asr.training import augment
from voicebot.audio.voice_figures import VoiceFigures, measure
from voicebot.intent.training.corpus import Utterance, training_set
from voicebot.intent.voice_emotion import Manner, judge, pace_of
from voicebot.mandarin.pinyin import read
from voicebot.tts.espeak import engine
from voicebot.tts.voices import HELD_OUT, SEEN, VoiceSpec

SEED = 3
_LEARNING = 4
"""Sentences that a caller says as usual before the mood changes."""


@dataclass(frozen=True, slots=True)
class Acted:
    """How a mood changes the usual voice: factors of rate and range, steps of pitch (0-99), dB, a pause in seconds."""

    rate: float = 1.0
    pitch: int = 0
    range: float = 1.0
    level: float = 0.0
    pause: float = 0.0
    overlap: float = 0.0


MOODS = {
    "usual": Acted(),
    "angry": Acted(rate=1.25, pitch=14, range=1.3, level=8, overlap=0.3),
    "anxious": Acted(rate=1.25, pitch=12, level=1),
    "sad": Acted(rate=0.78, pitch=-5, range=0.45, level=-6, pause=1.1),
}


def spoken(text: str, voice: VoiceSpec, acted: Acted, noise: np.random.Generator) -> VoiceFigures:
    """Figures of `text` said by `voice` in a mood, over 300-3400 Hz and A-law."""
    told = replace(
        voice, rate=min(300, round(voice.rate * acted.rate)), pitch=max(0, min(99, voice.pitch + acted.pitch)),
        range=max(0, min(99, round(voice.range * acted.range))),
    )
    half = max(1, len(text) // 2)
    parts = [text[:half], text[half:]] if acted.pause and len(text) > 3 else [text]
    silence = np.zeros(int(acted.pause * RATE), np.float32)
    sound = np.concatenate([piece for part in parts for piece in (_said(part, told), silence)][: 2 * len(parts) - 1])
    sound = sound * np.float32(10 ** ((voice.level_dbfs + acted.level + noise.normal(0, 1.5)) / 20) / _rms(sound))
    lined = augment.g711(augment.band_limit(sound, 300, 3400), "a")
    return measure((np.clip(lined, -1, 1) * 32767).astype("<i2").tobytes(), acted.overlap)


def _said(text: str, voice: VoiceSpec) -> NDArray[np.float32]:
    speech = engine().speak(read(text), voice)
    return np.asarray(soxr.resample(speech.pcm.astype(np.float32) / 32768, speech.rate, RATE), dtype=np.float32)


def _rms(sound: NDArray[np.float32]) -> float:
    loud = np.abs(sound) > 0.02 * float(np.abs(sound).max(initial=1e-6))
    return float(np.sqrt(np.mean(sound[loud] ** 2))) or 1e-6


def heard(callers: int, seed: int = SEED) -> dict[str, Counter[str]]:
    """For each acted mood, how often which label was given ("none": the sound told nothing)."""
    chance, noise = random.Random(seed), np.random.default_rng(seed)
    texts = [row.text for row in training_set() if _sayable(row)]
    found: dict[str, Counter[str]] = {mood: Counter() for mood in MOODS}
    for _ in range(callers):
        variant = chance.choice([*SEEN, *HELD_OUT])
        voice = VoiceSpec(variant, chance.randint(150, 200), chance.randint(35, 60), chance.randint(45, 75), -26.0)
        manner = Manner()
        for text in chance.sample(texts, _LEARNING):
            usual = spoken(text, voice, MOODS["usual"], noise)
            manner = manner.with_turn(usual, pace_of(text, usual.voiced_ms))
        for mood, acted in MOODS.items():
            text = chance.choice(texts)
            label = judge(spoken(text, voice, acted, noise), text, manner).label
            found[mood][str(label) if label else "none"] += 1
    return found


def _sayable(row: Utterance) -> bool:
    return 8 <= len(row.text) <= 20 and all("\u4e00" <= char <= "\u9fff" or char == " " for char in row.text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=100)
    found = heard(parser.parse_args().callers)
    labels = sorted({label for counts in found.values() for label in counts})
    print(f"{'acted':10}" + "".join(f"{label:>10}" for label in labels))
    for mood, counts in found.items():
        print(f"{mood:10}" + "".join(f"{counts[label]:>10}" for label in labels))


if __name__ == "__main__":
    main()
