"""The seam to speech recognisers: streams take telephone sound, one `decode` per tick serves all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one utterance said.

    `confidence` is 0..1; times are seconds from the stream's first sample, None when nothing was said.
    """

    text: str
    confidence: float
    start_s: float | None
    end_s: float | None


class RecognizerStream(Protocol):
    """One caller's sound. Not for several threads at once."""

    def accept(self, pcm: bytes) -> None:
        """Takes s16le mono at the recogniser's sample rate, any length; cheap, decodes nothing."""

    def partial(self) -> str:
        """The best text so far of the current utterance."""

    def finish(self) -> Transcript:
        """Ends the utterance: decodes what is left as if silence followed, and begins a new utterance."""

    def reset(self) -> None:
        """Forgets the current utterance; time goes on."""

    def close(self) -> None:
        """Releases the stream; sound that still arrives is dropped."""


class Recognizer(Protocol):
    """A model that is loaded once and shared by all calls of a process."""

    @property
    def name(self) -> str:
        """What stands in the journal beside a transcript."""

    @property
    def sample_rate(self) -> int:
        """Hz of the sound that streams take."""

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        """A stream that listens a little harder for these words (names, cities)."""

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        """Advances all streams that have enough sound, in one batch; call it every tick."""


ENGINES = ("embedded",)


def load_recognizer(engine: str = "embedded", models: Path | None = None) -> Recognizer:
    """Loads a recogniser; `models` is the folder of its files.

    Raises ValueError for an engine that does not exist and FileNotFoundError for a model that is not there.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown recogniser {engine!r}: choose one of {', '.join(ENGINES)}")
    from voicebot.asr.embedded import EmbeddedRecognizer

    return EmbeddedRecognizer(models)
