"""Script drawing: the flow of a call script as cards in columns, links between them and a rack of global signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.script_flow import Card, Chip, Flow, Line, Signal
from voicebot.console.script_layout import CARD_WIDTH, COLUMN_GAP, Box, Layout, lay_out
from voicebot.console.script_wording import condition, effect, sentence, trigger, width_of
from voicebot.console.words import Words

KIND_ICONS = {
    "ask": "ear", "say": "live", "branch": "path", "transfer": "headset", "hang_up": "hangup", "message": "bell",
    "record": "pen", "promise": "promise", "script": "cases",
}  # fmt: skip
_HEAD, _TEXT_ROW, _CHIP_ROW, _EDGE = 34, 20, 25, 12
_PER_ROW = 16.5
_MOST_LINES, _MOST_ROWS, _MOST_CHIPS = 4, 5, 9


@dataclass(frozen=True, slots=True)
class Shades:
    """What is laid over the flow: hits per card and per chip of `calls` calls, and changes against another version."""

    calls: int = 0
    cards: Mapping[str, int] = field(default_factory=dict)
    chips: Mapping[tuple[str, str], int] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def share(self, name: str) -> float:
        return min(1.0, self.cards.get(name, 0) / self.calls) if self.calls else 0.0

    def signal(self, name: str) -> int:
        """How often a global signal was heard, wherever the call stood."""
        return sum(count for (_, label), count in self.chips.items() if label == name)


NO_SHADES = Shades()


def drawn_flow(words: Words, flow: Flow, shades: Shades = NO_SHADES) -> Markup:
    """The whole flow; every card is a button `data-card`, every link a path with `data-from` and `data-to`."""
    heights = {name: _height(words, card) for name, card in flow.cards.items()}
    layout = lay_out(heights, {name: card.targets for name, card in flow.cards.items()}, flow.roots)
    links = tag(
        "svg",
        _tips(),
        *(link for card in flow.cards.values() for link in _links(words, card, layout)),
        cls="links",
        width=layout.width + 40,
        height=layout.height + 40,
        aria_hidden="true",
    )
    cards = [_card(words, card, layout.boxes[name], shades) for name, card in flow.cards.items()]
    size = f"width:{layout.width + 40}px;height:{layout.height + 40}px"
    return tag("div", links, *cards, cls="flow", style=size, role="group", aria_label=words("script.flow"))


def drawn_rack(words: Words, flow: Flow, shades: Shades = NO_SHADES) -> Markup:
    """The global signals beside the flow: those that leave it first, then those that answer in passing."""
    stops = [signal for signal in flow.signals if signal.target]
    asides = [signal for signal in flow.signals if not signal.target]
    parts: list[Markup] = []
    for title, signals in (("script.stops", stops), ("script.asides", asides)):
        if signals:
            parts += [tag("h3", words(title)), tag("ul", *(_signal(words, signal, shades) for signal in signals))]
    return tag("div", *parts, cls="rack", role="group", aria_label=words("script.rack"))


# -- a card


def _height(words: Words, card: Card) -> int:
    rows = sum(_rows(words, line) for line in card.lines[:_MOST_LINES]) + (len(card.lines) > _MOST_LINES)
    chips = min(len(card.chips), _MOST_CHIPS) + (len(card.chips) > _MOST_CHIPS)
    speech = rows * _TEXT_ROW + 12 if card.lines else 0
    return _HEAD + speech + (24 if card.effects else 0) + chips * _CHIP_ROW + 8


def _rows(words: Words, line: Line) -> int:
    return min(_MOST_ROWS, max(1, math.ceil(width_of(line.text) / _PER_ROW))) + (line.when is not None)


def _card(words: Words, card: Card, box: Box, shades: Shades) -> Markup:
    hits = shades.cards.get(card.id, 0)
    change, problem = shades.changes.get(card.id, ""), shades.problems.get(card.id, "")
    head = tag(
        "header",
        icon(KIND_ICONS.get(card.kind, "path")),
        tag("b", card.id),
        tag("span", words(f"script.change.{change}"), cls=f"mark {change}") if change else None,
        tag("span", icon("alert"), cls=f"mark {problem}", title=words(f"script.has.{problem}")) if problem else None,
        None if card.own else tag("span", words("script.inherited"), cls="mark"),
        tag("span", f"{hits:,}", cls="hits", title=words("script.hits", count=hits)) if shades.calls else None,
    )
    lines = [_line(words, line) for line in card.lines[:_MOST_LINES]]
    if len(card.lines) > _MOST_LINES:
        lines.append(tag("p", words("script.lines.more", count=len(card.lines) - _MOST_LINES), cls="when"))
    does = [effect(words, *_parted(text)) for text in card.effects]
    return tag(
        "article",
        head,
        tag("div", *lines, cls="speech") if lines else None,
        tag("p", " · ".join(does), cls="does", title=" · ".join(does)) if does else None,
        _chips(words, card, shades),
        cls=_classes(card, change, problem, bool(shades.calls)),
        style=f"left:{box.x}px;top:{box.y}px;width:{CARD_WIDTH}px;height:{box.height}px;--share:{shades.share(card.id):.3f}",
        tabindex="0",
        role="button",
        data_card=card.id,
        aria_label=f"{words(f'script.kind.{card.kind}')} {card.id}",
    )


def _classes(card: Card, change: str, problem: str, shaded: bool) -> str:
    own = "" if card.own else "taken"
    funnel = "funnel" if shaded else ""
    return " ".join(
        part for part in ("card", f"k-{card.kind}", own, change, problem and f"has-{problem}", funnel) if part
    )


def _line(words: Words, line: Line) -> Markup:
    when = condition(words, line.when) if line.when else ""
    return tag(
        "div",
        tag("p", words("script.if", when=when), cls="when", title=when) if when else None,
        tag("p", sentence(words, line.text), cls="must" if line.must_hear else "", title=line.text),
    )


def _chips(words: Words, card: Card, shades: Shades) -> Markup | None:
    shown = [_chip(words, card, chip, shades) for chip in card.chips[:_MOST_CHIPS]]
    if len(card.chips) > _MOST_CHIPS:
        shown.append(tag("li", words("script.chips.more", count=len(card.chips) - _MOST_CHIPS), cls="more"))
    return tag("ul", *shown, cls="ways") if shown else None


def _chip(words: Words, card: Card, chip: Chip, shades: Shades) -> Markup:
    text = chip_text(words, chip)
    hits = shades.chips.get((card.id, chip.label), 0)
    goes = tag("span", chip.target or words("script.again"), cls="to", data_goto=chip.target)
    count = tag("span", f"{hits:,}", cls="hits") if shades.calls else None
    title = f"{text} → {chip.target or words('script.again')}"
    return tag("li", tag("span", text, cls="way"), count, goes, title=title, data_chip=chip.label)


def chip_text(words: Words, chip: Chip) -> str:
    """What takes this way out, in words."""
    if chip.label in ("goto", "exhausted", "silence", "no agent"):
        return words(f"script.way.{chip.label.replace(' ', '_')}")
    return trigger(words, chip.hears, chip.when)


def _signal(words: Words, signal: Signal, shades: Shades) -> Markup:
    hits = shades.signal(signal.name)
    said = signal.lines[0].text if signal.lines else ""
    change = shades.changes.get(f"handlers.{signal.name}", "")
    return tag(
        "li",
        tag("b", signal.name),
        tag("span", f"{hits:,}", cls="hits") if shades.calls else None,
        tag("p", trigger(words, signal.hears, signal.when)),
        tag("p", sentence(words, said), cls="said") if said else None,
        tag("span", signal.target, cls="to", data_goto=signal.target) if signal.target else None,
        cls=f"signal {change} {'' if signal.own else 'taken'}".strip(),
        tabindex="0",
        role="button",
        data_signal=signal.name,
    )


def _parted(text: str) -> tuple[str, str]:
    verb, _, value = text.partition(": ")
    return verb, value


# -- links


def _links(words: Words, card: Card, layout: Layout) -> list[Markup]:
    """One link per chip; what leads to the next column is always drawn, the others only while a card is chosen."""
    box, drawn = layout.boxes[card.id], []
    near: set[str] = set()
    for index, chip in enumerate(card.chips[:_MOST_CHIPS]):
        target = layout.boxes.get(chip.target or "")
        if target is None or chip.target == card.id:
            continue
        start = box.y + box.height - 8 - (min(len(card.chips), _MOST_CHIPS) - index) * _CHIP_ROW + _CHIP_ROW // 2
        if len(card.chips) > _MOST_CHIPS:
            start -= _CHIP_ROW
        first = chip.target not in near
        near.add(chip.target or "")
        cls = "link" if target.column == box.column + 1 and first else "link far"
        path = _curve(box, start, target)
        drawn.append(tag("path", d=path, cls=cls, data_from=card.id, data_to=chip.target, marker_end="url(#flow-tip)"))
    return drawn


def _curve(box: Box, start: int, target: Box) -> str:
    end = target.y + _HEAD // 2
    if target.x > box.x:
        bend = COLUMN_GAP // 2
        return f"M{box.right} {start}C{box.right + bend} {start} {target.x - bend} {end} {target.x - 6} {end}"
    out = box.right + 24
    middle = (start + end) // 2
    back = target.x - 24
    return f"M{box.right} {start}C{out} {start} {out} {start} {out} {middle}S{back} {end} {target.x - 6} {end}"


def _tips() -> Markup:
    tip = tag("path", d="M0 0l7 3.5-7 3.5z")
    return tag(
        "defs",
        tag(
            "marker",
            tip,
            id="flow-tip",
            markerWidth=9,
            markerHeight=9,
            refX=5,
            refY=3.5,
            orient="auto",
            markerUnits="userSpaceOnUse",
        ),
    )
