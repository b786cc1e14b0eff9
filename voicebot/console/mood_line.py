"""Mood line: the debtor's emotion over the call, as a small drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from voicebot.console.chips import emotion_class
from voicebot.console.markup import tag
from voicebot.console.words import Words

_HEIGHTS: Mapping[str, float] = {
    "cooperative": 10,
    "neutral": 24,
    "confused": 32,
    "anxious": 38,
    "sad": 42,
    "sarcastic": 46,
    "angry": 54,
}
_WIDTH, _HEIGHT, _MOST = 760, 64, 30


def mood_line(words: Words, moods: Sequence[tuple[int, str]]) -> Markup:
    """Calm above, anger below; the last moods that were heard, evenly spaced, the newest on the right."""
    shown = list(moods)[-_MOST:]
    if not shown:
        return tag("p", words("desk.moods.none"), cls="faint mood-none")
    step = (_WIDTH - 24) / max(1, _MOST - 1)
    points = [(12 + index * step, _HEIGHTS.get(label, 24)) for index, (_, label) in enumerate(shown)]
    line = tag("path", d=_path(points), cls="mood-path")
    dots = [
        tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=5 if index == len(points) - 1 else 3, cls=emotion_class(label))
        for index, ((x, y), (_, label)) in enumerate(zip(points, shown, strict=True))
    ]
    calm = tag("line", x1=0, y1=24, x2=_WIDTH, y2=24, cls="mood-calm")
    told = words("desk.moods") + ": " + ", ".join(words(label) for _, label in shown[-5:])
    return tag(
        "svg",
        calm,
        line,
        *dots,
        cls="mood",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveAspectRatio="xMinYMid meet",
        role="img",
        aria_label=told,
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A smooth curve: each step leaves and arrives level."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)
