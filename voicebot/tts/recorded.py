"""Recorded prompts: a person speaks the fixed words, synthesis what changes between them, at the same level."""

from __future__ import annotations

import hashlib
import re
import tomllib
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from voicebot import __version__
from voicebot.tts.synthesizer import RATE, Synthesizer, VoiceMissingError, level
from voicebot.tts.voices import VoiceSpec, parse_voice

PROMPTS = "prompts.toml"
_SLOT = re.compile(r"\{[^{}]*\}")
_MARKS = re.compile(r"(?:[\s，。？！；：、?!;]|(?<!\d)[,.:]|[,.:](?!\d))+")
"""What a text may have or not; never what stands inside a figure."""
_JOINT = 40
"""Samples over which two pieces fade into each other (5 ms)."""
_PAUSE = RATE * 60 // 1000
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One prompt: `pattern` finds it in a text, `files` hold its fixed pieces in order."""

    id: str
    pattern: re.Pattern[str]
    files: tuple[Path, ...]


class RecordedSynthesizer:
    """Plays recordings where it has them; everything else is spoken by `fallback`."""

    def __init__(
        self, name: str, prompts: Sequence[Recorded], fallback: Synthesizer, edition: str = ""
    ) -> None:
        self.name, self.edition = name, edition
        self._prompts, self._fallback = prompts, fallback
        self._sound: dict[tuple[Path, float], Floats] = {}

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        """See Synthesizer; voice and rate are for the spoken parts."""
        bare = _MARKS.sub("", text)
        for prompt in self._prompts:
            if match := prompt.pattern.fullmatch(bare):
                return self._spliced(prompt, match.groups(), voice, rate)
        return self._fallback.synthesize(text, voice, rate)

    def _spliced(
        self, prompt: Recorded, values: Sequence[str], voice: str | VoiceSpec | None, rate: int | None
    ) -> bytes:
        spec = parse_voice(voice, rate)
        recordings, spoken, pieces = iter(prompt.files), iter(values), list[Floats]()
        for part in _parts(prompt.pattern.pattern):
            if part == "fixed":
                pieces.append(self._load(next(recordings), spec.level_dbfs))
            else:
                pieces.append(_floats(self._fallback.synthesize(next(spoken), spec)))
        return (np.clip(_joined(pieces), -1, 1) * 32767).astype("<i2").tobytes()

    def _load(self, path: Path, dbfs: float) -> Floats:
        """A recording as loud as speech of that voice, however loud it was recorded."""
        if (path, dbfs) not in self._sound:
            self._sound[path, dbfs] = level(read_wav(path), dbfs)
        return self._sound[path, dbfs]


def load_recorded(folder: str, fallback: Synthesizer) -> RecordedSynthesizer:
    """The recordings of a folder with a prompts.toml:

    [prompts.ID] with `text` (slots in braces) and `files`, one per fixed piece in order. Raises VoiceMissingError,
    which names file and prompt.
    """
    place = Path(folder)
    try:
        told = tomllib.loads((place / PROMPTS).read_text("utf-8"))["prompts"]
        prompts = [_prompt(place, name, row["text"], row["files"]) for name, row in told.items()]
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, VoiceMissingError):
            raise
        raise VoiceMissingError(
            f"{place / PROMPTS}: no list of recordings ({error!r}); write [prompts.ID] with text and files"
        ) from error
    return RecordedSynthesizer(f"recorded:{place.name}", prompts, fallback, _edition(place, prompts))


def _edition(place: Path, prompts: Sequence[Recorded]) -> str:
    """Of every byte that is played, and of this release, which speaks what lies between."""
    files = [place / PROMPTS, *(path for prompt in prompts for path in prompt.files)]
    digest = hashlib.sha256(__version__.encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _prompt(place: Path, name: str, text: str, files: Sequence[str]) -> Recorded:
    fixed = [piece for piece in (_MARKS.sub("", part) for part in _SLOT.split(text)) if piece]
    paths = tuple(place / file for file in files)
    if len(fixed) != len(paths):
        raise VoiceMissingError(
            f"{place / PROMPTS}: prompt {name} has {len(fixed)} fixed pieces and {len(paths)} files; it needs one each"
        )
    for path in paths:
        read_wav(path)
    pattern = "".join(re.escape(part) if kind == "fixed" else "(.+?)" for kind, part in _split(text))
    return Recorded(name, re.compile(pattern), paths)


def _split(text: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    at = 0
    for slot in _SLOT.finditer(text):
        parts += [("fixed", _MARKS.sub("", text[at : slot.start()])), ("slot", slot.group())]
        at = slot.end()
    parts.append(("fixed", _MARKS.sub("", text[at:])))
    return [(kind, part) for kind, part in parts if part]


def _parts(pattern: str) -> list[str]:
    """fixed and slot in the order of a pattern."""
    pieces = re.split(r"(\(\.\+\?\))", pattern)
    return ["slot" if piece == "(.+?)" else "fixed" for piece in pieces if piece]


def read_wav(path: Path) -> Floats:
    """float32 mono at 8 kHz in [-1, 1]. Raises VoiceMissingError for what is no 16-bit PCM WAV."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, ValueError, RuntimeError, wave.Error) as error:  # damaged heads raise any of these
        raise VoiceMissingError(f"{path}: can't be read as WAV ({error}); record it again as 16-bit PCM") from error
    if width != 2 or not raw:
        raise VoiceMissingError(f"{path}: empty or not 16-bit PCM; record it again as 16-bit PCM WAV")
    mono = np.frombuffer(raw[: len(raw) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels).mean(axis=1)
    narrow = soxr.resample((mono / 32768).astype(np.float32), rate, RATE) if rate != RATE else mono / 32768
    return np.asarray(narrow, np.float32)


def _floats(pcm: bytes) -> Floats:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def _joined(pieces: Sequence[Floats]) -> Floats:
    """Pieces one after the other with a short pause, edges faded so that no joint clicks."""
    ramp = np.linspace(0, 1, _JOINT, dtype=np.float32)
    out: list[Floats] = []
    for piece in pieces:
        if len(piece) < 2 * _JOINT:
            continue
        soft = piece.copy()
        soft[:_JOINT] *= ramp
        soft[-_JOINT:] *= ramp[::-1]
        out += [soft, np.zeros(_PAUSE, np.float32)]
    return np.concatenate(out[:-1]) if out else np.zeros(0, np.float32)
