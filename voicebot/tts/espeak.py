"""espeak-ng, loaded at run time: pinyin in, 22.05 kHz PCM and word times out.

espeak-ng is GPL-3 and stays behind this seam: it is found through `espeakng_loader`, never linked or shipped here.
The library keeps global state and crashes when two threads enter it, so one lock covers voice, settings and synthesis.
"""

import ctypes as c
import importlib
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicebot.mandarin.pinyin import Word
from voicebot.tts.voices import VoiceSpec

_SYNCHRONOUS, _BUFFER_MS = 2, 60
_UTF8, _PHONEMES = 1, 0x100
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7
_EVENT_WORD = 1
_LOWEST_HZ = 40.0
# espeak-ng 1.52 reads the pinyin finals -iong as English: they are passed as phonemes.
_IONG = {"xiong": "S;'y{}N", "qiong": "tS;h'u{}N", "jiong": "tS;'y{}N"}
_TONES = {"1": "55", "2": "35", "3": "214", "4": "51", "5": "11"}
# Syllables that espeak-ng cannot spell in pinyin, and the nearest ones that it can.
_UNSPEAKABLE = {
    "hng5": "heng1",
    "hm5": "heng1",
    "n2": "en2",
    "n3": "en3",
    "n4": "en4",
    "ng2": "en2",
    "ng3": "en3",
    "ng4": "en4",
    "m2": "mu2",
    "m4": "mu4",
    "r5": "er5",
}


class EspeakError(RuntimeError):
    """espeak-ng is missing or refused a request; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Speech:
    """`pcm` int16 mono at `rate` Hz; `starts_ms[i]` is when the i-th sounded token of the request begins."""

    pcm: NDArray[np.int16]
    rate: int
    starts_ms: tuple[int, ...]


class _EventId(c.Union):
    _fields_ = [("number", c.c_int), ("name", c.c_char_p), ("string", c.c_char * 8)]


class _Event(c.Structure):
    _fields_ = [
        ("type", c.c_int),
        ("unique_identifier", c.c_uint),
        ("text_position", c.c_int),
        ("length", c.c_int),
        ("audio_position", c.c_int),
        ("sample", c.c_int),
        ("user_data", c.c_void_p),
        ("id", _EventId),
    ]


_Callback = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(_Event))


class Espeak:
    """The one engine of this process; use `engine()`. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        found = _found()
        self._lib = c.CDLL(found.get_library_path())
        self._lib.espeak_Synth.argtypes = [
            c.c_char_p,
            c.c_size_t,
            c.c_uint,
            c.c_int,
            c.c_uint,
            c.c_uint,
            c.c_void_p,
            c.c_void_p,
        ]
        data = found.get_data_path().encode()
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data, 0)
        if self.rate <= 0:
            raise EspeakError(f"espeak-ng finds no data at {data.decode()}: reinstall the package espeakng-loader")
        self._heard = _Callback(self._on_sound)
        self._lib.espeak_SetSynthCallback(self._heard)
        self._chunks: list[NDArray[np.int16]] = []
        self._starts: list[int] = []
        self._voice: VoiceSpec | None = None
        self._word_gap = 0

    def speak(self, words: Sequence[Word], voice: VoiceSpec, *, joined: bool = True, word_gap: int = 0) -> Speech:
        """Speaks words; `joined` runs the syllables of a word together. Raises EspeakError for an unknown variant."""
        request = spell(words, joined).encode() + b"\0"
        with self._lock:
            self._use(voice, word_gap)
            self._chunks, self._starts = [], []
            status = self._lib.espeak_Synth(request, len(request), 0, 1, 0, _UTF8 | _PHONEMES, None, None)
            chunks, starts = self._chunks, tuple(self._starts)
        if status:
            raise EspeakError(f"espeak-ng refused to speak (status {status})")
        pcm = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        return Speech(pcm, self.rate, starts)

    def _use(self, voice: VoiceSpec, word_gap: int) -> None:
        if voice == self._voice and word_gap == self._word_gap:
            return
        self._voice = None
        if self._lib.espeak_SetVoiceByName(f"cmn-latn-pinyin+{voice.variant}".encode()):
            raise EspeakError(f"espeak-ng has no Mandarin voice or no variant {voice.variant!r}")
        settings = {
            _RATE: voice.rate,
            _PITCH: voice.pitch,
            _RANGE: safe_range(voice),
            _VOLUME: 100,
            _WORD_GAP: word_gap,
        }
        for parameter, value in settings.items():
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._voice, self._word_gap = voice, word_gap

    def _on_sound(self, wav: "c._Pointer[c.c_short]", count: int, events: "c._Pointer[_Event]") -> int:
        i = 0
        while events and events[i].type:
            if events[i].type == _EVENT_WORD:
                self._starts.append(events[i].audio_position)
            i += 1
        if wav and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wav, (count,)).copy())
        return 0


def safe_range(voice: VoiceSpec) -> int:
    """The tone range, narrowed where it would press the voice below 40 Hz.

    espeak-ng 1.52 has room for 400 harmonics and writes past it, fatally, for pitches below about 26 Hz. The
    lowest pitch follows SetPitch2 of its source: deep variants with a wide range reach that.
    """
    low, high = _variant_pitch(voice.variant)
    base_hz = (low - 9) * 2 ** (voice.pitch / 50 - 1)
    step_hz = (high - low) * 108 * 18 / 4096
    if step_hz <= 0:
        return voice.range
    return max(0, min(voice.range, int(50 * (1 + (base_hz - _LOWEST_HZ) / step_hz))))


@cache
def _variant_pitch(variant: str) -> tuple[int, int]:
    """The `pitch LOW HIGH` line of a variant's file; espeak-ng's own default without one."""
    text = Path(_found().get_data_path(), "voices", "!v", variant).read_text("utf-8", "replace")
    found = re.search(r"^\s*pitch\s+(\d+)\s+(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (80, 118)


def _found() -> Any:
    """The package that brings the library: an extra, for who speaks with another voice needs none of it."""
    try:
        return importlib.import_module("espeakng_loader")
    except ImportError as error:
        raise EspeakError(
            "the embedded voice needs the package espeakng-loader: pip install 'voicebot[espeak]'"
        ) from error


@cache
def engine() -> Espeak:
    """The process-wide engine, made on first use (about 20 ms)."""
    return Espeak()


def spell(words: Sequence[Word], joined: bool) -> str:
    """The text for voice `cmn-latn-pinyin`: `huan2kuan3, hao3` or, not joined, `huan2 kuan3, hao3`."""
    return " ".join(" ".join(tokens) + word.pause for word in words for tokens in [tokens_of(word, joined)])


def tokens_of(word: Word, joined: bool) -> list[str]:
    """What espeak-ng will count as separate words (one start event each)."""
    spoken = [_UNSPEAKABLE.get(s, s) for s in word.syllables]
    if joined and not any(s[:-1] in _IONG for s in spoken):
        return ["".join(spoken)]
    return [f"[[{_IONG[s[:-1]].format(_TONES[s[-1]])}]]" if s[:-1] in _IONG else s for s in spoken]


def can_speak(syllable: str) -> bool:
    """Whether espeak-ng can say exactly this tonal syllable."""
    return syllable not in _UNSPEAKABLE
