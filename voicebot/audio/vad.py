"""Voice activity of all calls at once: one model run per tick, hysteresis per call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from voicebot.audio.silero import SileroScorer
from voicebot.audio.webrtc import WebRtcScorer

Engine = Literal["silero", "webrtc"]


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """When a probability of voice becomes speaking, and when it ends."""

    enter: float = 0.5
    leave: float = 0.35
    start_ms: int = 90
    """Voice this long is speaking."""
    stop_ms: int = 300
    """No voice this long is the end of speaking."""


@dataclass(frozen=True, slots=True)
class VoiceChange:
    """Somebody began or ceased to speak. `at_ms`: when, in sound of this stream (not when it was noticed)."""

    speaking: bool
    at_ms: int


class Scorer(Protocol):
    """An engine that tells voice from other sound, for many streams in one go."""

    @property
    def window_ms(self) -> float:
        """How much sound one probability is about."""

    def open(self) -> Any:
        """The state of a new stream."""

    def score(self, frames: Sequence[tuple[Any, bytes]]) -> list[list[float]]:
        """Per frame of 20 ms: the probabilities of the windows that it completed (often none)."""


class VadStream:
    """One call's voice activity. Made by VoiceActivity.open; needs no closing."""

    def __init__(self, state: object, window_ms: float, hysteresis: Hysteresis) -> None:
        self.state: Final = state
        self.speech_prob = 0.0
        """Probability of voice in the last whole window (about 30 ms), 0..1."""
        self.speaking = False
        self._window_ms, self._hysteresis = window_ms, hysteresis
        self._heard_ms = 0.0
        self._against_ms = 0.0

    def judge(self, probability: float) -> VoiceChange | None:
        """Take the probability of one more window."""
        rule = self._hysteresis
        self.speech_prob = probability
        self._heard_ms += self._window_ms
        against = probability < rule.leave if self.speaking else probability >= rule.enter
        self._against_ms = self._against_ms + self._window_ms if against else 0.0
        if self._against_ms < (rule.stop_ms if self.speaking else rule.start_ms):
            return None
        began_ms = self._heard_ms - self._against_ms
        self.speaking, self._against_ms = not self.speaking, 0.0
        return VoiceChange(self.speaking, round(began_ms))


class VoiceActivity:
    """Voice activity of all calls of a process.

    Silero is right in noise and costs a model run per tick, however many calls; webrtc costs next to nothing and
    takes loud noise for voice.
    """

    def __init__(self, engine: Engine = "silero", hysteresis: Hysteresis | None = None) -> None:
        """Raises ModelMissingError if the model of the engine is not installed."""
        self._scorer: Scorer = SileroScorer() if engine == "silero" else WebRtcScorer()
        self._hysteresis = hysteresis or Hysteresis()

    def open(self) -> VadStream:
        """A stream for one call."""
        return VadStream(self._scorer.open(), self._scorer.window_ms, self._hysteresis)

    def process(self, frames: Sequence[tuple[VadStream, bytes]]) -> list[tuple[VadStream, VoiceChange]]:
        """Take one tick: 20 ms (320 bytes) of each call. Returns the changes that it brought."""
        scores = self._scorer.score([(stream.state, pcm) for stream, pcm in frames])
        changes = []
        for (stream, _), windows in zip(frames, scores, strict=True):
            for probability in windows:
                if change := stream.judge(probability):
                    changes.append((stream, change))
        return changes
