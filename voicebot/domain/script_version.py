"""ScriptVersion: one text of a call script on its way from draft to the air and off it again."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

SHIPPED = "shipped"
"""Who wrote, reviewed and published the versions that come with the product."""


class VersionState(StrEnum):
    DRAFT = "draft"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ScriptVersion:
    """`source` is the YAML as written; `frozen` what calls load: the same with the versions it rests on named.

    `sha256` is that of `frozen` once there is one, else of `source`; every call carries it.
    """

    script: str
    number: int
    source: str
    sha256: str
    state: VersionState
    written_by: str
    written_at: dt.datetime
    note: str = ""
    frozen: str = ""
    reviewed_by: str | None = None
    reviewed_at: dt.datetime | None = None
    published_by: str | None = None
    published_at: dt.datetime | None = None
    retired_at: dt.datetime | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A published version and the part of the calls (0 to 1) that it gets."""

    number: int
    share: float


@dataclass(frozen=True, slots=True)
class OnAir:
    """A version that calls may get, with its part of them."""

    version: ScriptVersion
    share: float


@dataclass(frozen=True, slots=True)
class Split:
    """A/B: published versions with their parts of the calls; `hold_out` of all calls stay on the lowest number."""

    script: str
    parts: tuple[Share, ...]
    hold_out: float
    since: dt.datetime

    def shares(self) -> tuple[Share, ...]:
        """The parts with the hold-out worked in; they add up to 1."""
        oldest = min(part.number for part in self.parts)
        rest = 1.0 - self.hold_out
        return tuple(Share(p.number, p.share * rest + (self.hold_out if p.number == oldest else 0)) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Play:
    """A chat that became a test: `events` as they were given, `expected` what the script answered."""

    script: str
    name: str
    events: Sequence[Mapping[str, object]]
    expected: Sequence[Mapping[str, object]]
    made_by: str
    made_at: dt.datetime
    id: int = 0


@dataclass(frozen=True, slots=True)
class ScriptFigures:
    """What real calls made of a script. Rates are parts of `verified` calls (promises) and of `calls` (hand-offs).

    `nodes` counts the calls that came to a node, `branches` those that took `(node, branch label)`.
    """

    calls: int = 0
    verified: int = 0
    promises: int = 0
    handoffs: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)
    branches: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def promise_rate(self) -> float:
        return self.promises / self.verified if self.verified else 0.0

    @property
    def handoff_rate(self) -> float:
        return self.handoffs / self.calls if self.calls else 0.0


def chosen(shares: Sequence[Share], key: str) -> int:
    """Which version the calls of `key` (a case id) get: always the same while the shares stay. ValueError for none.

    Lower numbers come first, so that growing the share of the newest moves nobody back and forth.
    """
    if not shares:
        raise ValueError("no version is published")
    point = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    ordered = sorted(shares, key=lambda share: share.number)
    total = sum(share.share for share in ordered) or 1.0
    for share in ordered:
        point -= share.share / total
        if point < 0:
            return share.number
    return ordered[-1].number


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
