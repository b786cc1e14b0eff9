"""Prompts that were said before are not synthesised again: bounded memory, and a folder that outlives the process."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from voicebot.tts.synthesizer import Synthesizer
from voicebot.tts.voices import VoiceSpec, parse_voice

_SUFFIX = ".s16le"


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """`hits` came from memory, `disk_hits` from the folder, `misses` were synthesised; `held_bytes` is in memory."""

    hits: int
    disk_hits: int
    misses: int
    held_bytes: int


class PromptCache:
    """A synthesizer that remembers by voice, text and rate. Thread-safe; the longest unused prompt goes first."""

    def __init__(self, synthesizer: Synthesizer, *, max_bytes: int = 32 << 20, folder: Path | None = None) -> None:
        self._synthesizer, self._max_bytes, self._folder = synthesizer, max_bytes, folder
        self._lock = threading.Lock()
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = self._hits = self._disk_hits = self._misses = 0
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        return self._synthesizer.name

    @property
    def figures(self) -> CacheFigures:
        with self._lock:
            return CacheFigures(self._hits, self._disk_hits, self._misses, self._bytes)

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        """s16le mono 8 kHz, see Synthesizer."""
        spec = parse_voice(voice, rate)
        key = hashlib.sha256(f"{self.name}\0{spec.key}\0{text}".encode()).hexdigest()
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                self._hits += 1
                return self._held[key]
        pcm = self._from_folder(key)
        if pcm is None:
            pcm = self._synthesizer.synthesize(text, spec)
            self._to_folder(key, pcm)
            with self._lock:
                self._misses += 1
        else:
            with self._lock:
                self._disk_hits += 1
        self._hold(key, pcm)
        return pcm

    def warm(self, texts: Iterable[str], voice: str | VoiceSpec | None = None) -> None:
        """Synthesises prompts before they are needed."""
        for text in texts:
            self.synthesize(text, voice)

    def _hold(self, key: str, pcm: bytes) -> None:
        with self._lock:
            if len(pcm) > self._max_bytes or key in self._held:
                return
            self._held[key] = pcm
            self._bytes += len(pcm)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._held.popitem(last=False)[1])

    def _from_folder(self, key: str) -> bytes | None:
        if not self._folder:
            return None
        try:
            return (self._folder / (key + _SUFFIX)).read_bytes()
        except FileNotFoundError:
            return None

    def _to_folder(self, key: str, pcm: bytes) -> None:
        """Writes beside and renames: another process never reads half a prompt."""
        if self._folder:
            part = self._folder / f"{key}.{threading.get_ident()}.part"
            part.write_bytes(pcm)
            part.replace(self._folder / (key + _SUFFIX))
