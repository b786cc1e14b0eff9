"""Playout: the utterances waiting to be sent, and the account of how much of each was heard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from voicebot.audio.frames import FRAME_BYTES

_BYTES_PER_MS = FRAME_BYTES // 20


@dataclass(slots=True)
class Utterance:
    """One utterance: sound grows at the end while it is sent from the front. `from_ms`: where in the recording its
    first sound is."""

    id: str
    text: str
    node: str
    interruptible: bool
    answers_tick: int | None
    sound: bytearray = field(default_factory=bytearray)
    sent: int = 0
    complete: bool = False
    started_tick: int | None = None
    from_ms: int | None = None

    def as_fact(self) -> dict[str, object]:
        """What the journal calls it by."""
        return {"utterance_id": self.id, "text": self.text, "node": self.node}


@dataclass(frozen=True, slots=True)
class Finished:
    """An utterance is over. Times in milliseconds of sound that left the line."""

    utterance: Utterance
    heard_ms: int
    total_ms: int
    interrupted: bool
    heard_samples: int = 0

    def as_fact(self) -> dict[str, object]:
        """The data of SAID."""
        told = {"heard_ms": self.heard_ms, "total_ms": self.total_ms, "interrupted": self.interrupted}
        exact = {"heard_samples": self.heard_samples, "from_ms": self.utterance.from_ms}
        return self.utterance.as_fact() | told | exact


@dataclass(frozen=True, slots=True)
class Began:
    """The first sound of an utterance left the line in `tick`."""

    utterance: Utterance
    tick: int


class Playout:
    """A queue of utterances, drained by 20 ms at a time. Its changes are read with `changes()` after each step."""

    def __init__(self) -> None:
        self._queue: deque[Utterance] = deque()
        self._changes: list[Began | Finished] = []

    @property
    def idle(self) -> bool:
        return not self._queue

    def add(self, utterance: Utterance) -> None:
        self._queue.append(utterance)

    def sound(self, utterance_id: str, pcm: bytes, last: bool) -> bool:
        """Append sound; False when the utterance is unknown (already flushed), which is no error."""
        for utterance in self._queue:
            if utterance.id == utterance_id:
                utterance.sound += pcm
                utterance.complete = utterance.complete or last
                return True
        return False

    def next(self, tick: int) -> bytes | None:
        """The 320 bytes of this tick, padded at an utterance's end; None when there is nothing to say."""
        while self._queue:
            head = self._queue[0]
            piece = bytes(head.sound[head.sent : head.sent + FRAME_BYTES])
            if len(piece) < FRAME_BYTES and not head.complete:
                return None  # its sound is still on the way
            if not piece:
                self._finish(head, interrupted=False)
                continue
            if head.started_tick is None:
                head.started_tick = tick
                self._changes.append(Began(head, tick))
            head.sent += len(piece)
            if head.complete and head.sent >= len(head.sound):
                self._finish(head, interrupted=False)
            return piece.ljust(FRAME_BYTES, b"\0")
        return None

    def flush(self) -> None:
        """Drop everything that was not sent; each utterance is reported as interrupted."""
        while self._queue:
            self._finish(self._queue[0], interrupted=True)

    def changes(self) -> list[Began | Finished]:
        """What happened since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def _finish(self, utterance: Utterance, *, interrupted: bool) -> None:
        self._queue.popleft()
        heard = min(utterance.sent, len(utterance.sound))
        total = len(utterance.sound) // _BYTES_PER_MS
        self._changes.append(Finished(utterance, heard // _BYTES_PER_MS, total, interrupted, heard // 2))
