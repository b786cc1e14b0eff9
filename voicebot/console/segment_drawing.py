"""Segments drawn: what they hold, parted as bars; the scorecard and its back-test; the form that shares cases out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from voicebot.console.campaign_data import SegmentRow
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.shell import empty, panel
from voicebot.console.words import Words
from voicebot.domain.segment import Ladder, Portrait, Share
from voicebot.store.assignments import Holder
from voicebot.strategy.backtest import Backtest
from voicebot.strategy.scorecard import Scorecard
from voicebot.strategy.sharing import ROBOT, By


def segment_cards(words: Words, rows: Sequence[SegmentRow], whole: tuple[int, int], chosen: str | None) -> Markup:
    """Every segment with its share of all open cases; the first is all of them."""
    everything = _card(words, "/segments", words("segments.all"), whole, whole, None, chosen is None)
    cards = [
        _card(words, f"/segments/{row.named.id}", row.named.title, (row.cases, row.amount_fen), whole,
              _hours(words, row), row.named.id == chosen)
        for row in rows
    ]  # fmt: skip
    return tag("div", everything, *cards, cls="segment-grid")


def _card(
    words: Words, href: str, title: str, held: tuple[int, int], whole: tuple[int, int], below: str | None, chosen: bool
) -> Markup:
    cases, fen = held
    width = 100 * cases / whole[0] if whole[0] else 0
    return tag(
        "a",
        tag("b", title),
        tag("span", words("segments.cases", count=f"{cases:,}"), cls="big"),
        tag("span", words.money(fen), cls="muted num"),
        tag("span", tag("i", style=f"width:{width:.1f}%"), cls="share"),
        tag("small", below or "\u00a0", cls="muted"),
        href=href,
        cls="panel segment-card",
        aria_current="page" if chosen else None,
    )


def _hours(words: Words, row: SegmentRow) -> str | None:
    hours = row.named.hours
    return words("segments.hours", first=f"{hours[0]:%H:%M}", last=f"{hours[1]:%H:%M}") if hours else None


def portrait_panels(words: Words, portrait: Portrait, ladder: Ladder) -> Markup:
    """The four ways of parting a segment."""
    stages = {stage.id: f"{stage.id} {stage.title}" for stage in ladder.stages}
    bands = {band.id: band.title for band in ladder.amounts}
    tiers = {part.id: words(f"tier.{part.id}") for part in portrait.by_tier}
    drawn: tuple[tuple[str, Sequence[Share], Mapping[str, str]], ...] = (
        ("segments.by_stage", portrait.by_stage, stages),
        ("segments.by_amount", portrait.by_amount, bands),
        ("segments.by_tier", portrait.by_tier, tiers),
        ("segments.by_creditor", portrait.by_creditor[:8], {}),
    )
    return tag(
        "div", *(panel("chart", words(name), bars(words, parts, names)) for name, parts, names in drawn), cls="four"
    )


def bars(words: Words, parts: Sequence[Share], names: Mapping[str, str]) -> Markup:
    """One bar for each part, as long as its cases; the amount beside it."""
    if not any(part.cases for part in parts):
        return empty("chart", words("segments.cases", count=0), small=True)
    most = max(part.cases for part in parts)
    fields = [
        (
            tag("span", names.get(part.id, part.id)),
            tag("div", tag("i", style=f"width:{100 * part.cases / most:.1f}%"), cls=f"track {part.id}"),
            tag("span", f"{part.cases:,} · {words.money(part.amount_fen)}", cls="num"),
        )
        for part in parts
    ]
    return tag("div", *fields, cls="bars")


def card_panel(words: Words, card: Scorecard) -> Markup:
    """The weights, all of them."""
    floors = [
        tag("span", words("card.from", tier=words(f"tier.{tier}"), floor=floor), cls="chip")
        for tier, floor in card.floors
    ]
    rows = []
    for factor in card.factors:
        points = [_bin(low, below, values, gained) for low, below, values, gained in _bins(factor.bins)]
        rows.append(tag("tr", tag("td", factor.words.replace("{value}", "…"), tag("span", factor.fact, cls="sub num")),
                        tag("td", tag("div", *points, cls="chips"))))  # fmt: skip
    heads = tag("tr", tag("th", words("card.fact")), tag("th", words("card.points")))
    table = tag("table", tag("thead", heads), tag("tbody", *rows), cls="rows")
    lead = tag("div", tag("span", words("card.base", base=card.base), cls="chip"), *floors, cls="chips in")
    return panel(
        "chart", words("card.title"), lead, tag("div", table, cls="scroll"), hint=words("card.lead"), inset=False
    )


def _bins(bins: Sequence[object]) -> list[tuple[float, float, tuple[object, ...], int]]:
    return [(one.first, one.below, one.values, one.points) for one in bins]  # type: ignore[attr-defined]


def _bin(low: float, below: float, values: tuple[object, ...], points: int) -> Markup:
    if values:
        where = "、".join(map(str, values))
    elif low == float("-inf"):
        where = f"< {below:g}"
    elif below == float("inf"):
        where = f"≥ {low:g}"
    else:
        where = f"{low:g}–{below:g}"
    return tag("span", f"{where}: {points:+d}", cls="chip bad" if points > 0 else "chip good" if points < 0 else "chip")


def backtest_panel(words: Words, tested: Backtest) -> Markup:
    """AUC, KS and the lift table."""
    if tested.auc is None or tested.ks is None:
        return panel("chart", words("card.backtest"), empty("chart", words("card.backtest.none"), small=True))
    figures = tag(
        "div",
        *(
            tag("div", tag("span", name), tag("b", value))
            for name, value in (
                ("AUC", f"{tested.auc:.3f}"),
                ("KS", f"{tested.ks:.3f}"),
                (words("card.cases"), f"{tested.cases:,}"),
                (words("card.unpaid"), f"{tested.unpaid:,}"),
            )
        ),
        cls="counts in",
    )
    names = ("card.tenth", "card.cases", "card.unpaid", "card.rate", "card.lift", "card.caught")
    rows = [
        tag("tr", *(tag("td", value, cls="num right") for value in
            (part.name, part.cases, part.unpaid, f"{part.rate:.0%}", f"{part.lift:.2f}", f"{part.caught:.0%}")))
        for part in tested.tenths
    ]  # fmt: skip
    heads = tag("tr", *(tag("th", words(name), cls="right") for name in names))
    table = tag("table", tag("thead", heads), tag("tbody", *rows), cls="rows")
    return panel("chart", words("card.backtest"), figures, tag("div", table, cls="scroll"), inset=False)


def sharing_form(words: Words, segment_id: str, people: Sequence[Holder]) -> Markup:
    """Who gets how much of the segment."""
    if not people:
        return panel("hand", words("share.title"), empty("people", words("share.none"), small=True))
    kinds = [tag("option", words(f"share.{kind.value}"), value=kind.value) for kind in (By.BALANCE, By.SHARE)]
    skills = sorted({skill for one in people for skill in one.skills})
    options = [tag("option", words("share.skill.any"), value=""), *(tag("option", one, value=one) for one in skills)]
    shares = [(one.agent_id, one.name, words("share.has", count=one.has)) for one in people]
    fields = [
        tag("label", tag("span", words("share.by")), tag("select", *kinds, name="by", cls="select")),
        tag("label", tag("span", words("share.cap")), _entry("cap", "20")),
        tag("label", tag("span", words("share.skill")), tag("select", *options, name="skill", cls="select")),
        *(tag("label", tag("span", words("share.of", name=name), " ", tag("small", has, cls="muted")),
              _entry(f"share.{agent}", "1")) for agent, name, has in shares),
        tag("label", tag("span", words("share.of", name=words("mode.robot"))), _entry(f"share.{ROBOT}", "")),
        tag("button", icon("hand"), words("share.go"), cls="btn primary", type="submit"),
    ]  # fmt: skip
    form = tag("form", *fields, cls="share-form", data_share=f"/api/segments/{segment_id}/share-out",
               data_done=words("share.done"))  # fmt: skip
    return panel("hand", words("share.title"), form, hint=words("share.lead"))


def _entry(name: str, value: str) -> Markup:
    return tag("input", type="number", name=name, min=0, step=1, value=value or None, cls="input", aria_label=name)
