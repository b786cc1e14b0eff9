"""The seam to speech recognisers: streams take telephone sound, one `decode` per tick serves all of them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from voicebot.config import pulled_models_dir


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one utterance said.

    `confidence` is 0..1; times are seconds from the stream's first sample, None when nothing was said. `stand_in`: why
    another recogniser had to read it; empty when the stream's own did.
    """

    text: str
    confidence: float
    start_s: float | None
    end_s: float | None
    stand_in: str = ""


class RecognizerStream(Protocol):
    """One caller's sound. Not for several threads at once."""

    def accept(self, pcm: bytes) -> None:
        """Takes s16le mono at the recogniser's sample rate, any length; cheap, decodes nothing."""

    def partial(self) -> str:
        """The best text so far of the current utterance."""

    def finish(self) -> "Transcript | Future[Transcript]":
        """Ends the utterance: decodes what is left as if silence followed, and begins a new utterance.

        Engines that need longer than a tick, or another machine, give a Future.
        """

    def reset(self) -> None:
        """Forgets the current utterance; time goes on."""

    def close(self) -> None:
        """Releases the stream; sound that still arrives is dropped."""


@runtime_checkable
class InSteps(Protocol):
    """A stream that decodes in steps: while it is `eager` in the smallest, which cost more and tell words sooner."""

    eager: bool


@dataclass(frozen=True, slots=True)
class Syllable:
    """`at_ms`: when in the utterance; `there`: the probability that one is here at all; `sounds`: what it may have
    been, toneless (`huan`), each with its probability, the likeliest first."""

    at_ms: int
    there: float
    sounds: Mapping[str, float]


@runtime_checkable
class Spelling(Protocol):
    """A stream that tells what it heard before it has made words of it."""

    def syllables(self) -> Sequence[Syllable]:
        """Those of the current utterance, doubtful ones and the running one among them."""


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


ENGINES = ("embedded", "sherpa", "whisper", "remote")


def load_recognizer(engine: str = "embedded", models: Path | None = None) -> Recognizer:
    """Loads a recogniser: `embedded`, `sherpa:MODEL`, `whisper:MODEL` or `remote:ws://HOST:PORT`.

    MODEL is a folder, or a name below `models` (by default where `voicebot models pull` puts them). Raises ValueError
    for an engine that does not exist and FileNotFoundError, with the remedy, for a model or package that is not here.
    """
    kind, _, which = engine.partition(":")
    if kind not in ENGINES:
        raise ValueError(f"unknown recogniser {engine!r}: choose one of {', '.join(ENGINES)}")
    if kind == "sherpa":
        from voicebot.asr.sherpa import load_sherpa

        return load_sherpa(which, models or pulled_models_dir())
    if kind == "whisper":
        from voicebot.asr.whisper_model import load_whisper

        return load_whisper(which, models or pulled_models_dir())
    if kind == "remote":
        from voicebot.asr.remote import load_remote

        return load_remote(which)
    from voicebot.asr.embedded import EmbeddedRecognizer

    return EmbeddedRecognizer(models)
