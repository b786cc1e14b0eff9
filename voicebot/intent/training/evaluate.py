"""`make eval-intent`: figures of the shipped model on the development hand, for its card and docs/understanding.md."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from voicebot.config import models_dir
from voicebot.domain.understanding import Topic, Understanding
from voicebot.intent.network import READERS
from voicebot.intent.taxonomy import DANGER, taxonomy
from voicebot.intent.training import report
from voicebot.intent.training.corpus import Utterance, development_set, heard_set
from voicebot.intent.training.share import Share
from voicebot.intent.understander import Understander

Understand = Callable[[str, Topic, datetime], Understanding]
NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


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
    second_recall: Share
    calibration_error: float
    median_ms: float
    p99_ms: float


def figures(rows: Sequence[Utterance], understand: Understand) -> Figures:
    """Runs `understand` over `rows` as the call would."""
    heard, spent = [], []
    for row in rows:
        started = time.thread_time()
        heard.append(understand(row.text, Topic(row.topic), NOW))
        spent.append((time.thread_time() - started) * 1000)
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
        second_recall=_second_recall(pairs),
        calibration_error=_calibration_error(pairs),
        median_ms=round(spent[len(spent) // 2], 2), p99_ms=round(spent[int(len(spent) * 0.99)], 2),
    )


def _group(letter: str) -> set[str]:
    return {name for name, intent in taxonomy().items() if intent.group == letter}


def _recall(pairs: Sequence[tuple[Utterance, Understanding]], wanted: set[str]) -> Share:
    """How many rows whose first label is among `wanted` keep exactly that label among the accepted intents."""
    rows = [(row, said) for row, said in pairs if row.labels[0] in wanted]
    return Share(sum(said.has(row.labels[0]) for row, said in rows), len(rows))


def _second_recall(pairs: Sequence[tuple[Utterance, Understanding]]) -> Share:
    """How many second labels are among the accepted intents."""
    wanted = [(row.labels[1], said) for row, said in pairs if len(row.labels) > 1]
    return Share(sum(said.has(label) for label, said in wanted), len(wanted))


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


_ROWS = (
    ("top intent is the first label", "top"),
    ("top intent is one of the labels", "lenient"),
    ("macro-F1 of the top intent", "macro_f1"),
    ("emotion", "emotion"),
    ("danger to self raised", "danger_recall"),
    ("danger raised without cause", "danger_false"),
    ("vulnerability (group L) found", "vulnerable_recall"),
    ("complaint, do-not-call, abuse (group K) found", "complaint_recall"),
    ("`unknown` found", "unknown_recall"),
    ("second label found", "second_recall"),
    ("calibration error of the top probability", "calibration_error"),
    ("milliseconds of CPU, median", "median_ms"),
    ("milliseconds of CPU, 99th percentile", "p99_ms"),
)


def table(columns: dict[str, Figures]) -> str:
    """Markdown: a column for each model, shares with their 95 % Wilson intervals."""
    head = f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}\n"
    return head + "\n".join(
        f"| {title} | {' | '.join(_cell(getattr(found, name)) for found in columns.values())} |"
        for title, name in _ROWS
    )


def _cell(value: Share | float) -> str:
    return str(value) if isinstance(value, Share) else f"{value:.3f}"


def compared(understander: Understander, rows: Sequence[Utterance]) -> dict[str, Figures]:
    """The shipped mixture, and each of its readers alone (same rules around them); the linear one is the baseline."""
    shipped = understander.classifier.calibration
    columns = {"shipped": figures(rows, understander.understand)}
    for index, name in enumerate(READERS):
        alone = tuple(float(index == other) for other in range(len(READERS)))
        understander.classifier.calibration = replace(shipped, shares=alone, emotion_shares=alone)
        columns[f"{name} alone"] = figures(rows, understander.understand)
    understander.classifier.calibration = shipped
    return columns


def beside_heard(understander: Understander) -> str:
    """Table of the same sentences as they were meant and as the recogniser heard them on a telephone line."""
    rows = heard_set()
    if not rows:
        return "No sample yet: `python -m benchmarks.intent.heard` makes one."
    meant = figures([replace(row, text=clean) for row, clean in rows], understander.understand)
    heard = figures([row for row, _ in rows], understander.understand)
    return (
        f"{len(rows)} sentences of the development hand, spoken by the synthetic voices, sent through 300–3400 Hz "
        "and A-law, and recognised by the embedded recogniser (`python -m benchmarks.intent.heard`). It was trained "
        "on such voices: people are harder.\n\n" + table({"as meant": meant, "as heard": heard})
    )


def write_page(understander: Understander, rows: Sequence[Utterance], text: str) -> None:
    """docs/understanding.md and its pictures, in a checkout; nothing where there are no docs."""
    docs = Path(__file__).parents[3] / "docs"
    if not docs.is_dir():
        return
    pairs = [(row, understander.understand(row.text, Topic(row.topic), NOW)) for row in rows]
    (docs / "understanding.md").write_text(report.page(text, pairs, beside_heard(understander)), encoding="utf-8")
    report.plot(docs / "images", pairs)


def write_card(text: str, card: Path) -> None:
    """Replaces what stands between the marks in the model card."""
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    before, rest = card.read_text(encoding="utf-8").split(begin)
    card.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="list what went wrong instead")
    options = parser.parse_args()
    understander, rows = Understander(), development_set()
    if options.errors:
        for row in rows:
            said = understander.understand(row.text, Topic(row.topic), NOW)
            if said.top != row.labels[0]:
                print(f"{row.topic}\t{row.text}\t{'+'.join(row.labels)}\t{said.top} {said.intents[0].p:.2f}")
        return
    text = table(compared(understander, rows))
    write_card(text, models_dir() / "intent.md")
    write_page(understander, rows, text)
    print(text)


if __name__ == "__main__":
    main()
