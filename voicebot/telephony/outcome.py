"""What a carrier's final answer means: SIP status and Q.850 cause to disposition, retry and blame, by a table of data.

The table with its sources: data/answers.toml, shown in docs/reference/answers.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from voicebot.domain.outcome import Disposition

Code = TypeVar("Code", int, str)


class Retry(StrEnum):
    """When it makes sense to ring the number again."""

    NEVER = "never"
    NEXT_DAY = "next_day"
    LATER = "later"
    SOON = "soon"
    OTHER_TRUNK = "other_trunk"
    FIX = "fix"


class Blame(StrEnum):
    """Whose doing it was that nobody talked."""

    CALLEE = "callee"
    NETWORK = "network"
    TRUNK = "trunk"
    US = "us"


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: what a code, or the cue of an announcement, means."""

    code: int | str
    name: str
    disposition: Disposition
    retry: Retry
    blame: Blame
    source: str


@dataclass(frozen=True, slots=True)
class Answers:
    """All rows. `weak`: causes that say less than the SIP status beside them; `announcements` by cue."""

    sip: Mapping[int, Answer]
    q850: Mapping[int, Answer]
    announcements: Mapping[str, Answer]
    weak: frozenset[int]
    ends_of_classes: tuple[int, ...]

    def status(self, status: int) -> Answer:
        """An unknown status is read as the x00 of its class (RFC 3261 8.1.3.2)."""
        return self.sip.get(status) or self.sip[min(max(status // 100, 3), 6) * 100]

    def cause(self, cause: int) -> Answer:
        """An unknown cause is read as the "unspecified" one at the end of its class."""
        last = next((end for end in self.ends_of_classes if cause <= end), self.ends_of_classes[-1])
        return self.q850.get(cause) or self.q850[last]


NOTHING_CAME = Answer(
    0, "No final answer", Disposition.FAILED, Retry.OTHER_TRUNK, Blame.TRUNK, "ours: transport error or silence"
)


GENERIC = frozenset({480, 487, 500, 503})
"""Statuses behind which a Reason may say what really happened."""


@cache
def answers() -> Answers:
    """The table, read once."""
    table = tomllib.loads(files("voicebot.telephony").joinpath("data/answers.toml").read_text(encoding="utf-8"))
    ends = tuple(sorted(table["classes"]["q850"].values()))
    announcements = _rows(table["announcements"], str)
    return Answers(_rows(table["sip"], int), _rows(table["q850"], int), announcements, frozenset(table["weak"]), ends)


def _rows(rows: list[list[object]], kind: Callable[[Any], Code]) -> dict[Code, Answer]:
    made: dict[Code, Answer] = {}
    for first, name, disposition, retry, blame, source in rows:
        code = kind(first)
        assert code not in made, code
        made[code] = Answer(
            code, str(name), Disposition(str(disposition)), Retry(str(retry)), Blame(str(blame)), str(source)
        )
    return made


def announced(cue: str) -> Answer:
    """What an announcement means; one that nobody knows yet means that the callee can't be reached."""
    return answers().announcements.get(cue) or answers().announcements["out_of_service"]


def answer_of(status: int | None, q850: int | None = None, sip_cause: int | None = None) -> Answer:
    """The meaning of a call that nobody answered.

    `q850` and `sip_cause` come from Reason (RFC 3326). The Q.850 cause beats the status where it says more; the SIP
    cause beats a status that only passes on that somebody else gave up (RFC 3326 section 2).
    """
    table = answers()
    if q850 is not None and 1 <= q850 <= 127 and (q850 not in table.weak or not status):
        return table.cause(q850)
    if sip_cause is not None and 300 <= sip_cause <= 699 and (status in GENERIC or not status):
        return table.status(sip_cause)
    return table.status(status) if status is not None and 300 <= status <= 699 else NOTHING_CAME


def disposition_of(status: int | None, q850: int | None = None, sip_cause: int | None = None) -> Disposition:
    """The disposition of a call that nobody answered."""
    return answer_of(status, q850, sip_cause).disposition
