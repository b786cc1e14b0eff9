"""Script path: the nodes a call went through, drawn as a line with its stops and its ways back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from voicebot.console.markup import Child, tag
from voicebot.console.shell import empty
from voicebot.console.story import Step
from voicebot.console.words import Words

_WIDTH, _NODE_WIDTH, _NODE_HEIGHT, _GAP = 300, 196, 30, 40
_LEFT = 8
_CHARACTERS = 26
_HEARD = re.compile(r"heard ([a-z_]+)")


def drawn_path(words: Words, steps: Sequence[Step]) -> Markup:
    """An SVG of the path; one box per node in order of its first visit, arrows for every move between two."""
    steps = [step for step in steps if step.branch != "start"] or list(steps)
    nodes = visited(steps)
    if not nodes:
        return empty("path", words("call.path.none"), small=True)
    row = {name: index for index, name in enumerate(nodes)}
    moves = Counter((step.from_node, step.to_node) for step in steps if step.from_node and step.to_node)
    labels = {(step.from_node, step.to_node): _reason(words, step) for step in steps}
    drawn: list[Child] = [_marker()]
    lane = 0
    for (start, end), times in moves.items():
        label = labels[start, end]
        if row[end] == row[start] + 1:
            drawn.append(_straight(row[start], label, times))
        else:
            drawn.append(_around(row[start], row[end], lane, label, times))
            lane += 1
    drawn += [_node(name, index, last=name == steps[-1].to_node) for name, index in row.items()]
    height = len(nodes) * _NODE_HEIGHT + (len(nodes) - 1) * _GAP + 4
    return tag("svg", *drawn, viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_label=words("call.path"))


def _reason(words: Words, step: Step) -> str:
    """What moved the call on: the meaning that was heard, else the branch that was taken."""
    heard = _HEARD.search(step.why)
    if heard:
        return words.intent(heard.group(1))
    return "" if step.branch in ("goto", "next") else words.intent(step.branch)


def visited(steps: Sequence[Step]) -> list[str]:
    """The nodes in order of first visit."""
    return list(dict.fromkeys(node for step in steps for node in (step.from_node, step.to_node) if node))


def _top(index: int) -> int:
    return 2 + index * (_NODE_HEIGHT + _GAP)


def _node(name: str, index: int, last: bool) -> Markup:
    box = tag(
        "rect",
        x=_LEFT,
        y=_top(index),
        width=_NODE_WIDTH,
        height=_NODE_HEIGHT,
        rx=8,
        cls="node end" if last else "node",
    )
    text = tag("text", _cut(name, _CHARACTERS), x=_LEFT + 12, y=_top(index) + 19.5)
    return tag("g", tag("title", name), box, text)


def _straight(index: int, label: str, times: int) -> Markup:
    middle, top = _LEFT + 22, _top(index) + _NODE_HEIGHT
    line = tag("path", d=f"M{middle} {top}v{_GAP - 3}", cls="edge", marker_end="url(#tip)")
    return tag("g", line, _branch(label, times, middle + 10, top + _GAP / 2 + 3))


def _around(start: int, end: int, lane: int, label: str, times: int) -> Markup:
    """An arc on the right side; further ways run further out so that they stay apart."""
    edge = _LEFT + _NODE_WIDTH
    out = edge + 18 + (lane % 5) * 14
    shift = 4 if start == end else 0
    top, bottom = _top(start) + _NODE_HEIGHT / 2 - shift, _top(end) + _NODE_HEIGHT / 2 + shift
    line = tag("path", d=f"M{edge} {top}C{out + 10} {top} {out + 10} {bottom} {edge + 3} {bottom}", cls="edge")
    tip = tag("path", d=f"M{edge + 7} {bottom - 3.5}l-6 3.5 6 3.5z", cls="tip")
    count = tag("text", f"×{times}", x=out + 4, y=(top + bottom) / 2 + 4, cls="branch") if times > 1 else None
    return tag("g", tag("title", label), line, tip, count)


def _branch(label: str, times: int, x: float, y: float) -> Markup:
    text = _cut(label, 34) + (f" ×{times}" if times > 1 else "")
    return tag("text", tag("title", label), text, x=x, y=y, cls="branch")


def _marker() -> Markup:
    tip = tag("path", d="M0 0l7 3.5-7 3.5z", cls="tip")
    return tag("defs", tag("marker", tip, id="tip", markerWidth=7, markerHeight=7, refX=5, refY=3.5, orient="auto"))


def _cut(text: str, characters: int) -> str:
    """Shorten to a width in narrow characters; a Chinese one counts as two."""
    width = 0
    for index, character in enumerate(text):
        width += 2 if ord(character) > 0x2E80 else 1
        if width > characters:
            return text[:index] + "…"
    return text
