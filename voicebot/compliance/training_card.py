"""The card of the wording model: what it learnt from, what it measured on hands it had not seen, what it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from voicebot.compliance import training
from voicebot.compliance.weighing import WEIGHTS
from voicebot.compliance.wording_model import WordingModel

_HEAD = "| | violating | told | named | precision (sentences) | precision (categories) | lawful blocked |"
_ABOUT = """# Wording model of the speech gate (gate.npz)

A linear classifier over n-grams of characters and of toneless sounds, {features} features, eight-bit weights. It
reads every sentence beside the patterns of voicebot/compliance/data/wording.json. What it suspects, what patterns
match and what the case record denies is weighed in voicebot/compliance/weighing.py: a pattern adds {pattern} to the log
chance of its category, a fact {fact}, a disclosure {disclosure}; patterns count for nothing where the model is more
than {overrule:.0%} sure that the sentence is lawful. Whether figures, dates, lawsuits, reports, visits and offers are
true, and what a listener may know, it never overrules.

Made by `python -m voicebot.compliance.training`; the same data give the same file. Threshold {threshold}: a sentence
is suspected when it is more likely unlawful than not.

## Sentences

{total}

{hands}

`corpus` is a hand-written corpus of violating and compliant speech that the patterns were written against; `taxonomy`
the examples of the rule book; `scripts` the lines of the shipped call scripts; all others were written for this model,
by one writer in several voices: f, g, i, k and m mostly in the subtle and formal voice that earlier versions
missed.
All sentences are made up, none were spoken by real agents. Most carry one label (a second one that also applies counts
as wrong), so figures on truly strange wording may be lower.

## Measured

Told: a violation of some category was found; named: of the right one. "Rules" are the patterns and the record without
the model. For hand b the model learnt from everything but b and the following; for e, h and n from everything but these
three, which the shipped file never saw either. How untouched they are:

- patterns were set with b in view;
- e was written before anything was changed on its account; its mistakes were read before the weights were set;
- h, half of it pairs of one sentence that the record bears out and does not, was written last but its few mistakes
  were read and mended too (figures and disclosure, not wording);
- n was written last of all; after it only one figure of duration was mended;
- before they were trained on, f, g, i and j were measured with the version before: of their violating sentences 93 %,
  87 %, 90 % and 92 % were told (81 %, 77 %, 77 % and 82 % named), of their lawful ones 4 %, 9 %, 10 % and 7 % blocked.
  That is what wording of a kind it has not met costs.

Patterns alone tell a third to a good half of new wording.

"""


def card(rows: Sequence[training.Sentence], threshold: float, features: int, models: Mapping[str, WordingModel]) -> str:
    """The card as Markdown; `models` by the hand they are measured on."""
    count = Counter((row.hand, bool(row.violations)) for row in rows)
    hands = sorted({hand for hand, _ in count})
    lines = [f"- {hand}: {count[hand, True]} violating, {count[hand, False]} lawful" for hand in hands]
    bad, good = (sum(count[hand, bad] for hand in hands) for bad in (True, False))
    total = f"{bad} violating and {good} lawful."
    text = _ABOUT.format(
        overrule=WEIGHTS.lawful_after_all, pattern=WEIGHTS.pattern, fact=WEIGHTS.fact, disclosure=WEIGHTS.disclosure,
        features=features, threshold=threshold, total=total, hands="\n".join(lines),
    )  # fmt: skip
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
