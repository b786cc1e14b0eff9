"""Stage: how late a bill is, and how firmly one may speak about it then."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """M0 until the day itself, S1 to S3 within the first month, M1 for all of it, then months."""

    M0 = "M0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    M1 = "M1"
    M2 = "M2"
    M3 = "M3"
    M4 = "M4"


class Tone(IntEnum):
    """From soft to firm; firmness is clarity of facts and dates, never pressure."""

    GENTLE = 0
    PLAIN = 1
    FIRM = 2
    FORMAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


FIRMEST: Mapping[Stage, Tone] = MappingProxyType(
    {
        Stage.M0: Tone.GENTLE,
        Stage.S1: Tone.GENTLE,
        Stage.S2: Tone.PLAIN,
        Stage.S3: Tone.FIRM,
        Stage.M1: Tone.FIRM,
        Stage.M2: Tone.FIRM,
        Stage.M3: Tone.FORMAL,
        Stage.M4: Tone.FORMAL,
    }
)
"""The firmest tone a script of this stage may take."""

TOO_FIRM: Mapping[Stage, tuple[str, ...]] = MappingProxyType(
    {
        Stage.M0: ("逾期", "催", "后果", "征信", "法律", "律师", "起诉", "诉讼", "法院"),
        Stage.S1: ("后果", "征信", "法律", "律师", "起诉", "诉讼", "法院"),
        Stage.S2: ("后果", "征信", "法律", "律师", "起诉", "诉讼", "法院"),
        Stage.S3: ("征信", "律师", "起诉", "诉讼", "法院"),
        Stage.M1: ("征信", "律师", "起诉", "诉讼", "法院"),
        Stage.M2: ("律师", "起诉", "诉讼", "法院", "恶意"),
        Stage.M3: ("恶意",),
        Stage.M4: ("恶意",),
    }
)
"""Words that a script of this stage does not bring up by itself."""

LATE_FROM = ((90, Stage.M4), (60, Stage.M3), (30, Stage.M2), (16, Stage.S3), (4, Stage.S2), (1, Stage.S1))
"""From which day on a bill is in which stage, the latest first; before the first of them it is M0."""


def stage_of(overdue_days: int) -> Stage:
    """The stage of a bill by its days overdue (16 to 29 days are S3, which is the late half of M1)."""
    return next((stage for days, stage in LATE_FROM if overdue_days >= days), Stage.M0)
