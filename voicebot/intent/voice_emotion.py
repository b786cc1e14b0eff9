"""Emotion from sound: how a turn's pitch, level, pace and pauses stand against the caller's own first seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import exp, log2

from voicebot.audio.voice_figures import VoiceFigures
from voicebot.domain.understanding import Emotion, EmotionLabel

OWN_MS = 10_000
"""Voiced sound after which the caller's own manner counts as known; before that it is learned and judged gently."""
_FIRST_MS = 600
"""Less voiced sound than this is no manner of speaking yet."""
_JUMP = 9.0
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Manner:
    """What is usual for this caller: running means over `voiced_ms` of speech. Pitch in Hz, level in dBFS, pace in
    syllables per second of voiced sound."""

    voiced_ms: int = 0
    pitch_hz: float = 0.0
    spread: float = 0.0
    level_db: float = 0.0
    pace: float = 0.0

    def with_turn(self, turn: VoiceFigures, pace: float) -> Manner:
        """The manner after one more turn; it freezes once `OWN_MS` of voiced sound have been heard."""
        if self.voiced_ms >= OWN_MS or turn.pitch_hz is None or turn.voiced_ms < _FIRST_MS // 2:
            return self
        share = turn.voiced_ms / (self.voiced_ms + turn.voiced_ms)
        return Manner(
            self.voiced_ms + turn.voiced_ms,
            _between(self.pitch_hz, turn.pitch_hz, share),
            _between(self.spread, turn.spread, share),
            _between(self.level_db, turn.level_db, share),
            _between(self.pace, pace, share),
        )


@dataclass(frozen=True, slots=True)
class VoiceMood:
    """`arousal` 0 (flat) .. 1 (beside oneself), 0.5 is this caller's own usual. `label` None: the sound tells nothing.
    `p`: how sure that label is. `cues`: the differences that were heard, for a reviewer, strongest first."""

    arousal: float = 0.5
    label: EmotionLabel | None = None
    p: float = 0.0
    cues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Against:
    """One turn against the manner: semitones, decibels, and relative changes (0.15 is 15 % more)."""

    pitch: float
    spread: float
    level: float
    pace: float
    pauses: float
    overlap: float


def pace_of(text: str, voiced_ms: int) -> float:
    """Syllables per second of voiced sound; a Chinese character is a syllable. 0 for nothing."""
    return 1000 * len(_HAN.findall(text)) / voiced_ms if voiced_ms else 0.0


def judge(turn: VoiceFigures, text: str, manner: Manner) -> VoiceMood:
    """The mood that the sound of `turn` suggests, whose words are `text`, for a caller of that `manner`.

    Only changes within the call count: telephones, dialects and ages differ more than moods do, and automatic gain
    takes much of the level. Until the manner is known the answer is careful.
    """
    if turn.pitch_hz is None or manner.voiced_ms < _FIRST_MS or turn.voiced_ms < _FIRST_MS // 2:
        return VoiceMood()
    against = _against(turn, pace_of(text, turn.voiced_ms), manner)
    known = min(1.0, manner.voiced_ms / (OWN_MS / 2))
    push = known * (
        0.45 * _clip(against.pitch / 4) + 0.3 * _clip(against.level / 6) + 0.3 * _clip(against.pace / 0.3)
        + 0.15 * _clip(against.spread / 0.5) + 0.2 * against.overlap - 0.25 * _clip(against.pauses)
    )
    arousal = 1 / (1 + exp(-2.5 * push))
    label, p = _label(against, arousal)
    return VoiceMood(round(arousal, 3), label, round(p * known, 3), _cues(against))


_RISK = (
    EmotionLabel.COOPERATIVE, EmotionLabel.NEUTRAL, EmotionLabel.SARCASTIC, EmotionLabel.CONFUSED, EmotionLabel.ANXIOUS,
    EmotionLabel.ANGRY, EmotionLabel.SAD,
)
"""From the least to the most in need of care; dejection comes last because danger hides behind it."""


def fused(words: Emotion, voice: VoiceMood) -> Emotion:
    """What words and voice say together: surer where they agree, the riskier where not (没事 in tears is sad)."""
    if voice == VoiceMood():
        return words
    cues = (*words.cues, *voice.cues)
    if voice.label is None:
        return Emotion(words.label, words.p, voice.arousal, cues)
    if voice.label is words.label:
        return Emotion(words.label, 1 - (1 - words.p) * (1 - voice.p), voice.arousal, cues)
    riskier = _RISK.index(voice.label) > _RISK.index(words.label)
    label, p = (voice.label, voice.p) if riskier else (words.label, words.p)
    return Emotion(label, p, voice.arousal, cues)


def _against(turn: VoiceFigures, pace: float, manner: Manner) -> _Against:
    return _Against(
        pitch=_folded(12 * log2((turn.pitch_hz or manner.pitch_hz) / manner.pitch_hz)),
        spread=(turn.spread - manner.spread) / max(manner.spread, 1.0),
        level=turn.level_db - manner.level_db,
        pace=pace / manner.pace - 1 if manner.pace and pace else 0.0,
        pauses=min(turn.longest_pause_ms / 1000, 2.0) if turn.longest_pause_ms >= 700 else 0.0,
        overlap=turn.overlap,
    )


def _folded(semitones: float) -> float:
    """A jump of most of an octave is the measurement's: it took a multiple of the period for the period."""
    return (semitones + 6) % 12 - 6 if abs(semitones) > _JUMP else semitones


def _label(against: _Against, arousal: float) -> tuple[EmotionLabel | None, float]:
    """Loud, high and fast is anger; high and fast without more force is anxiety; low, flat, slow with pauses is
    dejection. Anything less clear is no label."""
    forceful = against.level >= 6 or against.overlap >= 0.5 or (against.level >= 4 and against.pitch >= 1)
    if arousal >= 0.7 and forceful and against.pitch >= -0.5:
        return EmotionLabel.ANGRY, arousal
    if arousal >= 0.66 and against.pitch >= 0.8 and against.pace >= 0.1:
        return EmotionLabel.ANXIOUS, arousal
    low = (against.level <= -3) + (against.spread <= -0.3) + (against.pace <= -0.15) + (against.pauses > 0)
    if (low >= 3 and against.pitch <= 0.5) or low == 4:
        return EmotionLabel.SAD, 0.5 + 0.1 * low
    return None, 0.0


def _cues(against: _Against) -> tuple[str, ...]:
    heard = [
        (abs(against.pitch) / 2, f"pitch {against.pitch:+.1f} semitones", abs(against.pitch) >= 1.5),
        (abs(against.level) / 4, f"level {against.level:+.0f} dB", abs(against.level) >= 3),
        (abs(against.pace) / 0.15, f"pace {100 * against.pace:+.0f} %", abs(against.pace) >= 0.15),
        (abs(against.spread) / 0.4, f"pitch range {100 * against.spread:+.0f} %", abs(against.spread) >= 0.4),
        (against.pauses, f"pause {against.pauses:.1f} s", against.pauses > 0),
        (2 * against.overlap, f"speaks over us {100 * against.overlap:.0f} %", against.overlap >= 0.3),
    ]
    return tuple(words for _, words, striking in sorted(heard, reverse=True) if striking)


def _between(old: float, new: float, share: float) -> float:
    return old + share * (new - old)


def _clip(x: float) -> float:
    return max(-1.0, min(1.0, x))
