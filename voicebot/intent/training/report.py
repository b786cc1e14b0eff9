"""The page docs/understanding.md: per-class figures, calibration, confusions, clean text beside heard text, latency."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.domain.understanding import EmotionLabel, Understanding
from voicebot.intent.taxonomy import taxonomy
from voicebot.intent.training.corpus import Utterance
from voicebot.intent.training.share import Share

Pairs = Sequence[tuple[Utterance, Understanding]]
BINS = 10
_FEW = 15


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One intent or emotion: of what was said to be it, how much was; of what was it, how much was found."""

    id: str
    precision: Share
    recall: Share

    @property
    def f1(self) -> float:
        both = self.precision.total + self.recall.total
        return 2 * self.recall.hits / both if both else 0.0


def per_class(wanted: Sequence[str], said: Sequence[str]) -> list[ClassFigures]:
    """Figures of every class that occurs in `wanted`, by id."""
    hits = Counter(one for one, two in zip(wanted, said, strict=True) if one == two)
    true, claimed = Counter(wanted), Counter(said)
    return [
        ClassFigures(name, Share(hits[name], claimed[name]), Share(hits[name], true[name])) for name in sorted(true)
    ]


def confusions(pairs: Pairs, most: int = _FEW) -> list[tuple[str, str, int]]:
    """(meant, taken for, how often) of the commonest mistakes."""
    found = Counter((row.labels[0], said.top) for row, said in pairs if said.top not in row.labels)
    return [(meant, taken, count) for (meant, taken), count in found.most_common(most)]


def reliability(pairs: Pairs) -> list[tuple[float, Share]]:
    """Per tenth of the top probability: its mean, and the share that was right."""
    cells: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row, said in pairs:
        p = said.intents[0].p
        cells[min(int(p * BINS), BINS - 1)].append((p, said.top == row.labels[0]))
    return [
        (sum(p for p, _ in cell) / len(cell), Share(sum(right for _, right in cell), len(cell)))
        for _, cell in sorted(cells.items())
    ]


def page(figures: str, pairs: Pairs, heard: str) -> str:
    """The whole page in Markdown. `figures`, `heard`: tables that were made elsewhere."""
    tops = per_class([row.labels[0] for row, _ in pairs], [said.top for _, said in pairs])
    felt = [(row, said) for row, said in pairs if row.emotion]
    moods = per_class([str(row.emotion) for row, _ in felt], [str(said.emotion.label) for _, said in felt])
    return "\n\n".join((
        "# How well utterances are understood",
        "Made by `make eval-intent` on the development hand, which training never sees; it served to choose and to "
        "read errors, so it is no sealed test. Brackets: hits of total and the 95 % Wilson interval. "
        "What the model is: [its card](../models/intent.md).",
        "## In short", figures,
        "## Clean text beside what the recogniser heard", heard,
        "## Calibration", "![reliability](images/understanding-calibration.png)",
        _table(("top probability", "was right"), [(f"{p:.2f}", str(share)) for p, share in reliability(pairs)]),
        "## What is taken for what", "![confusions](images/understanding-confusions.png)",
        _table(("meant", "taken for", "times"), [(a, b, str(n)) for a, b, n in confusions(pairs)]),
        "## Emotions", _classes(moods, dict.fromkeys(EmotionLabel, "")),
        "## Intents", "![F1 of every intent](images/understanding-intents.png)",
        _classes(tops, {name: intent.zh for name, intent in taxonomy().items()}),
    )) + "\n"


def _classes(found: Sequence[ClassFigures], names: dict[str, str] | dict[EmotionLabel, str]) -> str:
    meaning = {str(name): words for name, words in names.items()}
    rows = [
        (f"{one.id} {meaning.get(one.id, '')}".strip(), str(one.precision), str(one.recall), f"{one.f1:.2f}")
        for one in found
    ]
    return _table(("", "precision", "recall", "F1"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def plot(folder: Path, pairs: Pairs) -> None:
    """Writes the three pictures of the page; needs matplotlib (extra `train`)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"font.size": 8, "svg.hashsalt": "voicebot"})
    for name, draw in (("calibration", _calibration), ("confusions", _confusions), ("intents", _intents)):
        figure = draw(pyplot, pairs)
        figure.savefig(folder / f"understanding-{name}.png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        pyplot.close(figure)


def _calibration(pyplot, pairs: Pairs):  # type: ignore[no-untyped-def]  # matplotlib's own types are not installed here
    figure, axes = pyplot.subplots(figsize=(4, 4))
    cells = reliability(pairs)
    right = [share.hits / share.total for _, share in cells]
    reach = [[max(0, r - s.interval[0]) for r, (_, s) in zip(right, cells, strict=True)],
             [max(0, s.interval[1] - r) for r, (_, s) in zip(right, cells, strict=True)]]
    axes.plot([0, 1], [0, 1], color="0.7", lw=1)
    axes.errorbar([p for p, _ in cells], right, yerr=reach, fmt="o-", capsize=3)
    axes.set(xlabel="top probability", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    return figure


def _confusions(pyplot, pairs: Pairs):  # type: ignore[no-untyped-def]
    found = confusions(pairs)[::-1]
    figure, axes = pyplot.subplots(figsize=(6, 0.28 * len(found) + 0.6))
    axes.barh([f"{meant} > {taken}" for meant, taken, _ in found], [count for *_, count in found], color="#a04030")
    axes.set(xlabel="utterances")
    return figure


def _intents(pyplot, pairs: Pairs):  # type: ignore[no-untyped-def]
    found = sorted(per_class([r.labels[0] for r, _ in pairs], [s.top for _, s in pairs]), key=lambda one: one.f1)
    figure, axes = pyplot.subplots(figsize=(6, 0.16 * len(found) + 0.6))
    axes.barh([one.id for one in found], [one.f1 for one in found], color="#306090")
    axes.set(xlabel="F1", xlim=(0, 1), ylim=(-0.6, len(found) - 0.4))
    axes.tick_params(axis="y", labelsize=6)
    return figure
