"""Segment, as data: stages by days of arrears, bands of amounts, and named filters over cases built on them."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.domain.campaign import Hours, Segment, Span


@dataclass(frozen=True, slots=True)
class Stage:
    """Days of arrears from `first` to `last`, both included; None: without end on that side."""

    id: str
    title: str
    first: int | None
    last: int | None

    @property
    def span(self) -> Span:
        return self.first, self.last


@dataclass(frozen=True, slots=True)
class AmountBand:
    """Amounts in fen from `first` to `last`, both included; None: without end."""

    id: str
    title: str
    first: int | None
    last: int | None

    @property
    def span(self) -> Span:
        return self.first, self.last


@dataclass(frozen=True, slots=True)
class Ladder:
    """The stages and bands of an installation, each without gap or overlap, lowest first."""

    stages: tuple[Stage, ...]
    amounts: tuple[AmountBand, ...]

    def stage_of(self, overdue_days: int) -> Stage:
        return next(stage for stage in self.stages if stage.last is None or overdue_days <= stage.last)

    def band_of(self, amount_fen: int) -> AmountBand:
        return next(band for band in self.amounts if band.last is None or amount_fen <= band.last)


@dataclass(frozen=True, slots=True)
class NamedSegment:
    """A segment that people know by name; a campaign made of it rings in `hours` unless it says otherwise."""

    id: str
    title: str
    segment: Segment
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a segment's cases, and what they owe together, lie in one part of it."""

    id: str
    cases: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """A segment in figures: all of it, and parted by stage, amount band, tier and creditor."""

    cases: int
    amount_fen: int
    debtors: int
    by_stage: tuple[Share, ...]
    by_amount: tuple[Share, ...]
    by_tier: tuple[Share, ...]
    by_creditor: tuple[Share, ...]
