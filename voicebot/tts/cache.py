"""Prompts that were said before are not synthesised again: bounded memory, and a folder for the impersonal ones."""

import contextlib
import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from voicebot.telemetry.cpu_clock import CLOCK
from voicebot.tts.synthesizer import FromFiles, Synthesizer
from voicebot.tts.voices import VoiceSpec, parse_voice

log = structlog.get_logger(__name__)

_SUFFIX = ".s16le"
_PART_LIVES_S = 600


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """`hits` came from memory, `disk_hits` from the folder, `misses` were synthesised while somebody waited.

    `ahead` were synthesised before they were asked for; `held_bytes` is in memory.
    """

    hits: int
    disk_hits: int
    misses: int
    held_bytes: int
    ahead: int = 0


class PromptCache:
    """A synthesizer that remembers by voice, text and rate. Thread-safe; the longest unused prompt goes first.

    Only what `warm` was given reaches `folder`: sentences of call scripts, the same for everybody. Names, sums and
    dates are kept in memory alone. A folder that can't be used costs nobody a sentence.
    """

    def __init__(self, synthesizer: Synthesizer, *, max_bytes: int = 32 << 20, folder: Path | None = None) -> None:
        self._synthesizer, self._max_bytes, self._folder = synthesizer, max_bytes, folder
        self._edition = synthesizer.edition if isinstance(synthesizer, FromFiles) else ""
        self._lock = threading.Lock()
        self._told = False
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._static: frozenset[str] = frozenset()
        self._bytes = self._hits = self._disk_hits = self._misses = self._ahead = 0
        if folder:
            with self._without_folder():
                folder.mkdir(parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        return self._synthesizer.name

    @property
    def figures(self) -> CacheFigures:
        with self._lock:
            return CacheFigures(self._hits, self._disk_hits, self._misses, self._bytes, self._ahead)

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        """s16le mono 8 kHz, see Synthesizer."""
        spec = parse_voice(voice, rate)
        key = self._key(text, spec)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                self._hits += 1
                return self._held[key]
        pcm, was_spoken = self._got(key, text, spec)
        with self._lock:
            self._misses += was_spoken
            self._disk_hits += not was_spoken
        return pcm

    def at_hand(self, text: str, voice: str | VoiceSpec | None = None) -> bytes | None:
        """The sound of `text` where it is in memory; takes no time, so no thread need be asked. It counts as a hit."""
        key = self._key(text, parse_voice(voice))
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            self._hits += 1
            return self._held[key]

    def prepare(self, text: str, voice: str | VoiceSpec | None = None) -> None:
        """Synthesises what may be asked for soon, unless it is at hand; raises like `synthesize`."""
        spec = parse_voice(voice)
        _, was_spoken = self._got(self._key(text, spec), text, spec)
        with self._lock:
            self._ahead += was_spoken

    def warm(self, texts: Iterable[str], voice: str | VoiceSpec | None = None) -> None:
        """Synthesises prompts before they are needed; the folder holds them, beside what was given before, and no
        others."""
        spec = parse_voice(voice)
        known = {self._key(text, spec): text for text in texts}
        self._static |= known.keys()
        self._clear_folder()
        unspoken: list[Exception] = []
        for key, text in known.items():
            try:
                self._got(key, text, spec)
            except Exception as error:  # it is tried again when it is needed; the others are got ready
                unspoken.append(error)
        if unspoken:
            log.error("prompts could not be spoken ahead", prompts=len(unspoken), error=repr(unspoken[0]))

    def _got(self, key: str, text: str, spec: VoiceSpec) -> tuple[bytes, bool]:
        """A prompt that memory may lack, from now on in it; and whether it had to be spoken."""
        with self._lock:
            if key in self._held:
                return self._held[key], False
        pcm = self._from_folder(key)
        spoken = pcm is None
        if pcm is None:
            with CLOCK.part("voice"):
                pcm = self._synthesizer.synthesize(text, spec)
            self._to_folder(key, pcm)
        self._hold(key, pcm)
        return pcm, spoken

    def _key(self, text: str, spec: VoiceSpec) -> str:
        return hashlib.sha256(f"{self.name}\0{self._edition}\0{spec.key}\0{text}".encode()).hexdigest()

    def _hold(self, key: str, pcm: bytes) -> None:
        with self._lock:
            if len(pcm) > self._max_bytes or key in self._held:
                return
            self._held[key] = pcm
            self._bytes += len(pcm)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._held.popitem(last=False)[1])

    def _from_folder(self, key: str) -> bytes | None:
        if not self._folder or key not in self._static:
            return None
        with self._without_folder(), contextlib.suppress(FileNotFoundError):
            return (self._folder / (key + _SUFFIX)).read_bytes()
        return None

    def _to_folder(self, key: str, pcm: bytes) -> None:
        """Writes beside and renames: another process never reads half a prompt."""
        if self._folder and key in self._static:
            part = self._folder / f"{key}.{os.getpid()}-{threading.get_ident()}.part"
            with self._without_folder():
                part.write_bytes(pcm)
                part.replace(self._folder / (key + _SUFFIX))

    def _clear_folder(self) -> None:
        """Drop what no script says any more. Another process that starts at the same time clears the same."""
        if not self._folder:
            return
        with self._without_folder():
            for file in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    is_old_part = file.suffix == ".part" and time.time() - file.stat().st_mtime > _PART_LIVES_S
                    if is_old_part or (file.suffix == _SUFFIX and file.stem not in self._static):
                        file.unlink()

    @contextlib.contextmanager
    def _without_folder(self) -> Iterator[None]:
        """A full disk or a folder that was taken away: prompts are kept in memory alone."""
        try:
            yield
        except OSError as error:
            if not self._told:
                log.error("prompts can't be kept in their folder", folder=str(self._folder), error=str(error))
            self._told = True
