"""Sound of a call, hashed second by second together with its gaps and the journal's head."""

from __future__ import annotations

import hashlib

import numpy as np

from voicebot.evidence.format import SECOND, link
from voicebot.evidence.spelling import canonical


def interleave(left: bytes, right: bytes) -> bytes:
    """Two channels of s16le, the same length, as one stereo stream."""
    stereo = np.empty((len(left) // 2, 2), "<i2")
    stereo[:, 0] = np.frombuffer(left, "<i2")
    stereo[:, 1] = np.frombuffer(right, "<i2")
    return stereo.tobytes()


class AudioChain:
    """Spells seconds as rows of chain.jsonl; starts from the hash of the call's header."""

    def __init__(self, head: bytes, seconds: int = 0) -> None:
        self.head = head
        self.seconds = seconds

    def append(
        self,
        left: bytes,
        right: bytes,
        *,
        ticks: int,
        gaps: int,
        lines: int,
        journal: bytes,
        third: tuple[bytes, int] | None = None,
    ) -> bytes:
        """The row of the next second, newline included. Bit k of `gaps`: the callee's tick k was lost.

        `lines` and `journal` are length and head of the journal at the end of the second. `third`: sound of whoever
        was consulted in this second, and its gaps.
        """
        row: dict[str, object] = {
            "second": self.seconds,
            "ticks": ticks,
            "left": hashlib.sha256(left).hexdigest(),
            "right": hashlib.sha256(right).hexdigest(),
            "gap": f"{gaps:013x}",
            "lines": lines,
            "journal": journal.hex(),
        }
        if third is not None:
            row |= {"third": hashlib.sha256(third[0]).hexdigest(), "third_gap": f"{third[1]:013x}"}
        self.head = link(SECOND, self.head, row)
        self.seconds += 1
        return canonical({**row, "hash": self.head.hex()}) + b"\n"
