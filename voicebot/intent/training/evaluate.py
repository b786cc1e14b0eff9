"""`make eval-intent`: figures of the shipped model on the development hand, written into the model card."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from voicebot.domain.understanding import Topic, Understanding
from voicebot.intent.taxonomy import DANGER, taxonomy
from voicebot.intent.training.corpus import Utterance, development_set
from voicebot.intent.understander import Understander

Understand = Callable[[str, Topic, datetime], Understanding]
_NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total` with the 95 % Wilson interval."""

    hits: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        if not self.total:
            return (0.0, 1.0)
        n, p = self.total, self.hits / self.total
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return (max(0.0, middle - reach), min(1.0, middle + reach))

    def __str__(self) -> str:
        low, high = self.interval
        share = self.hits / self.total if self.total else 0.0
        return f"{100 * share:.1f} % ({self.hits}/{self.total}; {100 * low:.1f}–{100 * high:.1f})"


@dataclass(frozen=True, slots=True)
class Figures:
    top: Share
    lenient: Share
    macro_f1: float
    emotion: Share
    danger_recall: Share
    danger_false: Share
    unknown_recall: Share
    vulnerable_recall: Share
    complaint_recall: Share
    calibration_error: float
    median_ms: float
    p99_ms: float


def figures(rows: Sequence[Utterance], understand: Understand) -> Figures:
    """Runs `understand` over `rows` as the call would."""
    heard, spent = [], []
    for row in rows:
        started = time.perf_counter()
        heard.append(understand(row.text, Topic(row.topic), _NOW))
        spent.append((time.perf_counter() - started) * 1000)
    pairs = list(zip(rows, heard, strict=True))
    harm = [(row, said) for row, said in pairs if set(row.labels) & DANGER]
    calm = [(row, said) for row, said in pairs if not set(row.labels) & DANGER]
    spent.sort()
    return Figures(
        top=Share(sum(said.top == row.labels[0] for row, said in pairs), len(pairs)),
        lenient=Share(sum(said.top in row.labels for row, said in pairs), len(pairs)),
        macro_f1=_macro_f1(pairs),
        emotion=Share(sum(str(said.emotion.label) == row.emotion for row, said in pairs), len(pairs)),
        danger_recall=Share(sum(said.danger for _, said in harm), len(harm)),
        danger_false=Share(sum(said.danger for _, said in calm), len(calm)),
        unknown_recall=_recall(pairs, {"unknown"}),
        vulnerable_recall=_recall(pairs, _group("L")), complaint_recall=_recall(pairs, _group("K")),
        calibration_error=_calibration_error(pairs),
        median_ms=round(spent[len(spent) // 2], 2), p99_ms=round(spent[int(len(spent) * 0.99)], 2),
    )


def _group(letter: str) -> set[str]:
    return {name for name, intent in taxonomy().items() if intent.group == letter}


def _recall(pairs: Sequence[tuple[Utterance, Understanding]], wanted: set[str]) -> Share:
    """How many rows whose first label is among `wanted` keep exactly that label among the accepted intents."""
    rows = [(row, said) for row, said in pairs if row.labels[0] in wanted]
    return Share(sum(said.has(row.labels[0]) for row, said in rows), len(rows))


def _macro_f1(pairs: Sequence[tuple[Utterance, Understanding]]) -> float:
    """Mean F1 of the top intent over all labels that occur first."""
    hit, said_n, true_n = Counter[str](), Counter[str](), Counter[str]()
    for row, said in pairs:
        said_n[said.top] += 1
        true_n[row.labels[0]] += 1
        hit[said.top] += said.top == row.labels[0]
    return sum(2 * hit[name] / (said_n[name] + true_n[name]) for name in true_n) / len(true_n)


def _calibration_error(pairs: Sequence[tuple[Utterance, Understanding]], bins: int = 10) -> float:
    """Expected calibration error of the top probability."""
    cells: dict[int, list[tuple[float, bool]]] = {}
    for row, said in pairs:
        p = said.intents[0].p
        cells.setdefault(min(int(p * bins), bins - 1), []).append((p, said.top == row.labels[0]))
    return sum(abs(sum(p for p, _ in cell) - sum(ok for _, ok in cell)) for cell in cells.values()) / len(pairs)


def table(found: Figures) -> str:
    """Markdown rows of `found`."""
    return "\n".join(
        f"| {name.replace('_', ' ')} | {value if isinstance(value, Share) else format(value, '.3f')} |"
        for name, value in ((name, getattr(found, name)) for name in Figures.__dataclass_fields__)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable figures")
    parser.add_argument("--errors", action="store_true", help="also list what went wrong")
    options = parser.parse_args()
    understander, rows = Understander(), development_set()
    found = figures(rows, understander.understand)
    print(json.dumps(asdict(found)) if options.json else "| development hand | |\n|---|---|\n" + table(found))
    if options.errors:
        for row in rows:
            said = understander.understand(row.text, Topic(row.topic), _NOW)
            if said.top != row.labels[0]:
                print(f"{row.topic}\t{row.text}\t{'+'.join(row.labels)}\t{said.top} {said.intents[0].p:.2f}")


if __name__ == "__main__":
    main()
