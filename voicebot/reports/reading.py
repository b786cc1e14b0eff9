"""Reading: a ratio in the words and digits of people, the same on screen, in the spreadsheet and on paper."""

from __future__ import annotations

from voicebot.reports.figures import Figure, Unit
from voicebot.reports.ratio import Ratio


def shown(figure: Figure, ratio: Ratio) -> str:
    """`12.5%`, `3.1`, `1:05`; a dash where there is nothing to divide by."""
    value = ratio.value
    if value is None:
        return "—"
    match figure.unit:
        case Unit.SHARE:
            return percent(value)
        case Unit.PER_10000:
            return f"{value * 10_000:.1f}"
        case Unit.MS:
            return length(value)
        case Unit.FEN:
            return f"{value / 100:,.2f}"
        case _:
            return f"{value:.2f}"


def percent(value: float) -> str:
    return f"{value * 100:.1f}%"


def length(ms: float) -> str:
    """Minutes and seconds from a minute on, else seconds and milliseconds."""
    if ms >= 60_000:
        minutes, seconds = divmod(round(ms / 1000), 60)
        return f"{minutes}:{seconds:02d}"
    return f"{ms / 1000:.2f} s"


def bounds(figure: Figure, ratio: Ratio) -> str:
    """The 95 % interval; empty where there is none."""
    interval = ratio.interval() if figure.counts else None
    if interval is None:
        return ""
    if figure.unit is Unit.PER_10000:
        return f"{interval[0] * 10_000:.1f} – {interval[1] * 10_000:.1f}"
    return f"{percent(interval[0])} – {percent(interval[1])}"
