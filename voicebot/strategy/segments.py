"""Segments: stages, amount bands and named filters read from YAML; mistakes are named by file, line and key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from voicebot.domain.campaign import Segment, Span, TraitFilter
from voicebot.domain.money import parse_yuan
from voicebot.domain.outcome import Disposition
from voicebot.domain.segment import AmountBand, Ladder, NamedSegment, Stage
from voicebot.strategy.policy_text import Section, read

MOST_DAYS = 36_500
MOST_YUAN = 1e9
NEVER = "never"
"""In `last_outcome`: nobody was rung yet."""


def parse_ladder(source: str, file: str = "stages.yaml") -> Ladder:
    """Stages and amount bands: the lowest first, each beginning where the one before ends. PolicyError."""
    top = read(source, file)
    top.only("title", "stages", "amounts")
    stages = [_stage(part) for part in top.sections("stages", "id, title and the last day of each", "stage")]
    bands = [_band(part) for part in top.sections("amounts", "id, title and the amount below which it lies", "band")]
    firsts = [None, *(None if last is None else last + 1 for _, _, last in stages)]
    floors = [None, *(None if last is None else last + 1 for _, _, last in bands)]
    _check_ends(top, "stages", [(name, last) for name, _, last in stages])
    _check_ends(top, "amounts", [(name, last) for name, _, last in bands])
    return Ladder(
        tuple(Stage(name, title, first, last) for (name, title, last), first in zip(stages, firsts, strict=False)),
        tuple(AmountBand(name, title, first, last) for (name, title, last), first in zip(bands, floors, strict=False)),
    )


def parse_segment(source: str, file: str, ladder: Ladder, tiers: Sequence[str]) -> NamedSegment:
    """One segment; its id is the file's name. PolicyError."""
    top = read(source, file)
    top.only(
        "title", "stage", "amount_band", "tier", "overdue_days", "amount_yuan", "creditor", "product", "tries",
        "last_outcome", "traits", "cases", "hours",
    )  # fmt: skip
    days = top.span("overdue_days", -MOST_DAYS, MOST_DAYS) or (None, None)
    fen = _yuan_span(top, "amount_yuan") or (None, None)
    stages, bands = {stage.id: stage for stage in ladder.stages}, {band.id: band for band in ladder.amounts}
    chosen, banded = top.names("stage", tuple(stages)), top.names("amount_band", tuple(bands))
    outcomes = top.names("last_outcome", (NEVER, *(item.value for item in Disposition)))
    segment = Segment(
        min_overdue_days=days[0],
        max_overdue_days=days[1],
        min_amount_fen=fen[0],
        max_amount_fen=fen[1],
        case_ids=top.names("cases"),
        creditor_ids=top.names("creditor"),
        products=top.names("product"),
        overdue=None if chosen is None else tuple(stages[name].span for name in chosen),
        amounts=None if banded is None else tuple(bands[name].span for name in banded),
        tiers=top.names("tier", tiers),
        tries=top.span("tries", 0, 10_000),
        last_outcomes=None if outcomes is None else tuple("" if name == NEVER else name for name in outcomes),
        traits=tuple(_traits(top)),
    )
    name = file.removesuffix(".yaml")
    return NamedSegment(name, top.text("title", "give it a title for people", 60), segment, top.hours("hours"))


def _stage(part: Section) -> tuple[str, str, int | None]:
    part.only("id", "title", "to")
    last = part.whole("to", -MOST_DAYS, MOST_DAYS)
    return part.name("id", "call the stage something like M1"), part.text("title", "say what it is"), last


def _band(part: Section) -> tuple[str, str, int | None]:
    part.only("id", "title", "below")
    below = part.whole("below", 1, int(MOST_YUAN))
    last = None if below is None else below * 100 - 1
    return part.name("id", "call the band something like small"), part.text("title", "say what it is"), last


def _check_ends(top: Section, key: str, ends: Sequence[tuple[str, int | None]]) -> None:
    names = [name for name, _ in ends]
    if len(set(names)) != len(names):
        top.fail(key, "two of them have the same id")
    if ends[-1][1] is not None:
        top.fail(key, f"the last one ({ends[-1][0]}) must be open at its end, or something belongs nowhere")
    for (name, last), (following, end) in pairwise(ends):
        if last is None or (end is not None and end <= last):
            top.fail(key, f"{following} must end after {name} does")


def _yuan_span(top: Section, key: str) -> Span | None:
    span = top.span(key, 0, MOST_YUAN, whole=False)
    if span is None:
        return None
    try:
        low, high = (None if end is None else parse_yuan(f"{end}") for end in span)
    except ValueError:
        top.fail(key, "amounts in yuan with at most two digits after the point")
    return low, high


def _traits(top: Section) -> Iterable[TraitFilter]:
    if "traits" not in top:
        return
    inner = top.inner("traits")
    for key in inner.keys:
        if not isinstance(key, str) or not key:
            inner.fail(key, "a trait is called by its name")
        wanted = inner.raw(key)
        if isinstance(wanted, bool):
            yield TraitFilter(key, values=(wanted,))
        elif isinstance(wanted, list) and any(isinstance(end, int | float) for end in wanted):
            yield TraitFilter(key, span=inner.span(key, -1e12, 1e12, whole=False))
        else:
            yield TraitFilter(key, values=inner.names(key) or inner.fail(key, "give bounds or a list of values"))
