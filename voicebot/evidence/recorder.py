"""Recorder: sound and journal of one call, chained as they happen, never waiting for the disk."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.audio_chain import AudioChain, interleave
from voicebot.evidence.bundle import seal_folder
from voicebot.evidence.disk import CallFiles
from voicebot.evidence.format import (
    CONSULT,
    FORMAT,
    HEADER,
    TICK_BYTES,
    TICK_MS,
    TICKS_PER_SECOND,
    link,
    wav_header,
)
from voicebot.evidence.journal import JournalChain, plain
from voicebot.evidence.signer import Signer
from voicebot.evidence.spelling import canonical
from voicebot.evidence.surroundings import clock_state
from voicebot.telemetry.cpu_clock import CLOCK

Subscriber = Callable[[Fact], None]
_log = logging.getLogger(__name__)


class RecordingClosed(Exception):
    """The call was sealed; nothing can be added to its journal."""


class Recorder:
    """One call's recording. `tick` and `append` are for the real-time loop (microseconds); `seal` blocks.

    `environment` describes what the call ran on and by which rules (software, script and rule hashes, host,
    trunk); `papers` what was known before it: permission, messages, an earlier promise. Both are bound into both
    chains. FileExistsError: this call id was recorded before.
    """

    def __init__(
        self,
        folder: Path,
        call_id: str,
        *,
        clock: Clock,
        environment: Mapping[str, object],
        papers: Mapping[str, object] | None = None,
    ) -> None:
        self.folder, self.call_id, self._clock = folder, call_id, clock
        folder.mkdir(parents=True, exist_ok=True)
        header: dict[str, object] = {
            "format": FORMAT,
            "call_id": call_id,
            "started_at": self._now(),
            "environment": plain(environment),
            "papers": plain(papers or {}),
        }
        start = link(HEADER, bytes(32), header)
        try:
            self._files = CallFiles(folder, canonical({**header, "hash": start.hex()}) + b"\n", wav_header(0))
        except FileExistsError:
            raise
        except OSError:  # no room for so much as the header: nothing began
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._journal = JournalChain(start)
        self._audio = AudioChain(start)
        self._left, self._right, self._gaps = bytearray(), bytearray(), 0
        self._third: dict[int, bytes] = {}
        self._ticks = self._lost = 0
        self._subscribers: list[Subscriber] = []
        self._closed = False
        self._open = threading.Lock()  # `seal` runs in another thread than `tick` and `append`

    @property
    def ms(self) -> int:
        """Milliseconds of sound recorded so far."""
        return self._ticks * TICK_MS

    @property
    def failure(self) -> OSError | None:
        """What stopped the writing (disk full …), or None. A call whose recording failed must be ended."""
        return self._files.failure

    def subscribe(self, callback: Subscriber) -> None:
        """Call `callback` with every later fact, in the thread of `append`; it must return at once."""
        self._subscribers.append(callback)

    def tick(self, bot: bytes, caller: bytes, gap: bool, consulted: bytes | None = None) -> None:
        """Record 20 ms: our side and the callee, 320 bytes of s16le at 8 kHz each.

        `gap`: the callee's 20 ms were lost or late and `caller` is a concealment. `consulted`: what was said on the
        leg of somebody who is asked meanwhile. Ignored once closed.
        """
        if len(bot) != TICK_BYTES or len(caller) != TICK_BYTES or len(consulted or bot) != TICK_BYTES:
            raise ValueError(f"a tick is {TICK_BYTES} bytes a side, not {len(bot)} and {len(caller)}")
        with self._open:
            if self._closed:
                return
            if gap:
                self._gaps |= 1 << self._ticks % TICKS_PER_SECOND
                self._lost += 1
            if consulted is not None:
                self._third[self._ticks % TICKS_PER_SECOND] = consulted
            self._left += bot
            self._right += caller
            self._ticks += 1
            if self._ticks % TICKS_PER_SECOND == 0:
                self._hand_over_second()

    def append(self, kind: FactKind, data: Mapping[str, object]) -> Fact:
        """Add a fact to the journal and tell the subscribers.

        HEARING facts are for the live view: told with seq -1, not kept. RecordingClosed after `seal` began.
        """
        with self._open:
            if self._closed:
                raise RecordingClosed(f"call {self.call_id} is sealed; {kind} comes too late")
            if kind is FactKind.HEARING:
                fact = Fact(-1, self._now(), self.ms, kind, dict(data))
            else:
                with CLOCK.part("recorder"):
                    fact, line = self._journal.append(kind, data, self._clock.now(), self.ms)
                    self._files.write_fact(line)
        self._tell(fact)
        return fact

    def seal(self, signer: Signer) -> Path:
        """Close the recording and return its signed zip; the second call returns the same zip. Blocks.

        OSError: the recording is incomplete or the zip cannot be written (operator: disk); the files stay
        and `recover` can seal what is verifiable.
        """
        with self._open:
            if not self._closed:
                self._closed = True
                self._hand_over_second()
        try:
            self._files.finish()
            if self._files.failure is not None:
                raise self._files.failure
            with CLOCK.part("recorder"):
                write_wav_headers(self.folder)
                return seal_folder(self.folder, signer, self._clock.now(), closing=self._closing())
        finally:
            self._files.close()

    def discard(self) -> None:
        """Nothing came of the call: nobody was dialled. The recording is removed."""
        with self._open:
            self._closed = True
        try:
            self._files.finish()
        finally:
            self._files.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _closing(self) -> dict[str, object]:
        return {"clock": clock_state(), "recorded_ms": self.ms, "lost_ticks": self._lost}

    def _now(self) -> str:
        return self._clock.now().astimezone(dt.UTC).isoformat(timespec="milliseconds")

    def _hand_over_second(self) -> None:
        left, right, gaps, third = bytes(self._left), bytes(self._right), self._gaps, self._third
        self._left, self._right, self._gaps, self._third = bytearray(), bytearray(), 0, {}
        lines, head = self._journal.lines, self._journal.head

        def second() -> tuple[bytes, bytes, bytes]:
            ticks = len(left) // TICK_BYTES
            consulted = _third_channel(third, ticks) if third else None
            row = self._audio.append(
                left, right, ticks=ticks, gaps=gaps, lines=lines, journal=head, third=consulted
            )
            return interleave(left, right), row, consulted[0] if consulted else b""

        self._files.write_second(second)

    def _tell(self, fact: Fact) -> None:
        for callback in self._subscribers:
            try:
                callback(fact)
            except Exception:
                _log.exception("a subscriber of call %s failed on %s", self.call_id, fact.kind)


def _third_channel(heard: Mapping[int, bytes], ticks: int) -> tuple[bytes, int]:
    """A second of the consulted leg; ticks without sound are silence and marked as gaps."""
    sound = b"".join(heard.get(tick, bytes(TICK_BYTES)) for tick in range(ticks))
    return sound, sum(1 << tick for tick in range(ticks) if tick not in heard)


def write_wav_headers(folder: Path) -> None:
    """Put the true lengths into the headers of the finished sound files."""
    for name, channels in (("audio.wav", 2), (CONSULT, 1)):
        path = folder / name
        if path.exists():
            size = path.stat().st_size
            with path.open("r+b") as file:
                file.write(wav_header(size - 44, channels))
