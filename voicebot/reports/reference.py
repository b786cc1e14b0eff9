"""Reference: the registry of figures as a document, so that what is measured can be looked up."""

from __future__ import annotations

from itertools import groupby

from voicebot.reports.figures import FIGURES, Unit

GROUPS = {
    "reach": "Reaching people",
    "promise": "Promises",
    "money": "Money",
    "effort": "Effort and comfort",
    "quality": "Quality",
    "agents": "People",
}
_UNITS = {
    Unit.SHARE: "%",
    Unit.PER_10000: "per 10 000",
    Unit.MS: "ms each",
    Unit.FEN: "fen each",
    Unit.TIMES: "times",
}
_TABLE = "| figure | | unit | what is divided by what | better |\n|---|---|---|---|---|"
_HEAD = """# Figures

![The page of figures](../images/console-reports.png)

Generated: `python -m voicebot.reports.reference > docs/reference/figures.md`; a test holds the two together.

Numerators and denominators are sums of whole numbers and are kept as such (`voicebot/domain/tally.py` names them,
`voicebot/reports/counting.py` reads them out of one call's journal). A quotient is made last, when it is shown. Shares
of things that were counted carry Wilson's 95 % interval; a strategy beside what it held out carries Newcombe's. There
is no comparison without a hold-out.

A call counts on the civil day in Shanghai on which it began, under the stage that its bill had on that day, the region
and age of its debtor, its script, its campaign's strategy and the person who took part. It is counted once it was
looked at after its end, and anew when a reviewer judges one of its findings. `voicebot reports rebuild` makes all sums
anew from the journals; they come out the same (`tests/voicebot/reports/test_rollup.py`).
"""


def reference() -> str:
    """docs/reference/figures.md."""
    parts = [_HEAD]
    for group, figures in groupby(FIGURES.values(), lambda figure: figure.group):
        parts.append(f"## {GROUPS[group]}\n\n{_TABLE}")
        for figure in figures:
            better = {True: "more", False: "less", None: ""}[figure.higher]
            cells = (f"`{figure.id}`", f"{figure.zh} · {figure.en}", _UNITS[figure.unit], figure.definition, better)
            parts.append(f"| {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    print(reference(), end="")
