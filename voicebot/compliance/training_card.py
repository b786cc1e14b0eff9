"""The card of the wording model: what it learnt from, what it measured on hands it had not seen, what it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from voicebot.compliance import training
from voicebot.compliance.gate import LAWFUL_AFTER_ALL
from voicebot.compliance.wording_model import WordingModel

_HEAD = "| | violating | told | named | precision (sentences) | precision (categories) | lawful blocked |"
_ABOUT = """# Wording model of the speech gate (gate.npz)

A linear classifier over n-grams of characters and of toneless sounds, {features} features, eight-bit weights. It
reads every sentence beside the patterns of voicebot/compliance/data/wording.json: it adds a violation, settles which
category a pattern meant, and overrules a pattern where it is more than {overrule:.0%} sure that the sentence is
lawful. Whether figures, dates, lawsuits, reports, visits and offers are true, and what a listener may know, it never
overrules.

Made by `python -m voicebot.compliance.training`; the same data give the same file. Threshold {threshold}: the
highest at which the gate still tells 95 % of the violating sentences of hand b.

## Sentences

{hands}

`corpus` is a hand-written corpus of violating and compliant speech that the patterns were written against; `taxonomy`
the examples of the rule book; `scripts` the lines of the shipped call scripts; a to d were written for this model.
All sentences are made up, none were spoken by real agents. Hands a to d come from one writer in several voices,
with one label per sentence (a second one that also applies counts as wrong), so figures on truly strange wording may
be lower.

## Measured

Told: a violation of some category was found; named: of the right one. "Rules" are the patterns and the record without
the model. For hand b the model learnt from everything but b, c and d; for c and d from everything but these two. The
file that ships is the latter. None of the three is untouched:

- threshold and patterns were set with b in view;
- patterns and hand a were mended after the wrongly blocked sentences of b and c had been read. Before that, 9 of the 60
  lawful sentences of c were blocked (15 %), 5 of them by patterns alone, and 98.6 % of its violating ones were told;
- the last hundred sentences of hand a were written after d, and some echo it. Before that, 34 of the 36 violating
  sentences of d were told (94 %, 81 % named) and 4 of its 36 lawful ones blocked (11 %): the one measurement that
  nothing had been fitted to, and a small one.

Patterns alone tell a third to a good half of new wording.

"""


def card(rows: Sequence[training.Sentence], threshold: float, features: int, models: Mapping[str, WordingModel]) -> str:
    """The card as Markdown; `models` by the hand they are measured on."""
    count = Counter((row.hand, bool(row.violations)) for row in rows)
    hands = sorted({hand for hand, _ in count})
    lines = [f"- {hand}: {count[hand, True]} violating, {count[hand, False]} lawful" for hand in hands]
    text = _ABOUT.format(overrule=LAWFUL_AFTER_ALL, features=features, threshold=threshold, hands="\n".join(lines))
    for hand, model in models.items():
        text += _measured(hand, [row for row in rows if row.hand == hand], model)
    return text


def _measured(hand: str, rows: Sequence[training.Sentence], model: WordingModel) -> str:
    told = training.with_model(model)
    lines = [f"### Hand {hand}", "", _HEAD, "|---|---|---|---|---|---|---|"]
    lines += [f"| rules | {training.tally(rows, training.by_rules).row()} |"]
    lines += [f"| rules and model | {training.tally(rows, told).row()} |", ""]
    lines += ["| category | violating | rules: told | named | with model: told | named |", "|---|---|---|---|---|---|"]
    for label in training.LABELS[1:]:
        some = [row for row in rows if label in row.violations]
        if some:
            one, two = training.tally(some, training.by_rules), training.tally(some, told)
            lines.append(f"| {label} | {len(some)} | {one.told} | {one.named} | {two.told} | {two.named} |")
    return "\n".join([*lines, "", ""])
