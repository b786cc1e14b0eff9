"""Facts as lines of a hash-chained journal, and back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set

from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.format import FACT, link
from voicebot.evidence.spelling import LARGEST, canonical


def plain(value: object) -> object:
    """`value` as JSON can hold it: no lone surrogates, no NaN, dates as ISO 8601, strange things as text.

    Whole numbers that not every reader can hold (RFC 7493) become text too.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int):
        return int(value) if abs(value) <= LARGEST else str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return _plain_composite(value)


def _float(value: float) -> object:
    """A whole number is written as one, and read back as one."""
    if not math.isfinite(value):
        return None
    if not value.is_integer():
        return float(value)
    return int(value) if abs(value) <= LARGEST else repr(float(value))


def _plain_composite(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(str(name))): plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(item) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    return plain(str(value))


class JournalChain:
    """Spells facts as lines, each hashed onto the one before; starts from the hash of the call's header."""

    def __init__(self, head: bytes, lines: int = 0) -> None:
        self.head = head
        self.lines = lines

    def append(
        self, kind: FactKind, data: Mapping[str, object], at: dt.datetime, ms: int
    ) -> tuple[Fact, bytes]:
        """The next fact and its line, newline included."""
        told = plain(data)
        assert isinstance(told, dict)
        stamp = at.astimezone(dt.UTC).isoformat(timespec="milliseconds")
        fact = Fact(self.lines, stamp, ms, kind, told)
        row: dict[str, object] = {"seq": fact.seq, "at": stamp, "ms": ms, "kind": str(kind), "data": told}
        self.head = link(FACT, self.head, row)
        self.lines += 1
        return fact, canonical({**row, "hash": self.head.hex()}) + b"\n"


def read_facts(data: bytes) -> Iterator[Fact]:
    """Facts of a journal file; a torn last line is left out. ValueError names a line that is no fact."""
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            row = json.loads(line)
            yield Fact(row["seq"], row["at"], row["ms"], FactKind(row["kind"]), row["data"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number} of the journal is not a fact: {error}") from error
