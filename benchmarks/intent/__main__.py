"""Milliseconds per utterance of the shipped model, of its linear part alone (the baseline) and of a classifier of
BERT-base size with random weights, in one run on the same sentences: `python -m benchmarks.intent` (extra `train`)."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.intent.baseline import Linear
from voicebot.domain.understanding import Topic
from voicebot.intent.classifier import Classifier
from voicebot.intent.hf_classifier import HuggingFaceClassifier
from voicebot.intent.taxonomy import taxonomy
from voicebot.intent.training.corpus import Utterance, development_set
from voicebot.intent.understander import Understander

SEED = 5
_WARM = 5
_BIG_SAMPLE = 40
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall-clock milliseconds per utterance, torch on one thread; `megabytes` of the model on disk."""

    name: str
    utterances: int
    median_ms: float
    p99_ms: float
    megabytes: float


def timed(name: str, run: Callable[[str, str], object], rows: Sequence[Utterance], megabytes: float) -> Latency:
    """`run` over `rows`, the first few twice so that nothing is loaded while the clock runs."""
    for row in rows[:_WARM]:
        run(row.text, row.topic)
    spent = []
    for row in rows:
        started = time.perf_counter()
        run(row.text, row.topic)
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    middle, late = spent[len(spent) // 2], spent[min(len(spent) - 1, int(len(spent) * 0.99))]
    return Latency(name, len(rows), round(middle, 2), round(late, 2), round(megabytes, 1))


def bert_base(folder: Path) -> HuggingFaceClassifier:
    """A classifier over our intents as large as bert-base-chinese (12 layers of 768), random, loaded from disk."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    characters = sorted({char for row in development_set() for char in row.text if not char.isspace()})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    labels = dict(enumerate(taxonomy()))
    config = BertConfig(vocab_size=21_128, id2label=labels, label2id={name: index for index, name in labels.items()})
    BertForSequenceClassification(config).save_pretrained(folder)
    return HuggingFaceClassifier(folder)


def size(folder: Path, pattern: str) -> float:
    """Megabytes of the files that match."""
    return sum(path.stat().st_size for path in folder.glob(pattern)) / 1e6


def measure(count: int) -> list[Latency]:
    """All models on a sample of the development hand; the big one on fewer sentences."""
    from voicebot.config import models_dir

    rows = random.Random(SEED).sample(development_set(), count)
    understander = Understander(models_dir())
    ours = understander.classifier
    assert isinstance(ours, Classifier), "the shipped folder holds our own kind"
    baseline = Linear(models_dir())
    found = [
        timed("shipped, with rules and slots", lambda t, c: understander.understand(t, Topic(c), NOW), rows,
              size(models_dir(), "intent.onnx")),
        timed("shipped, classifier alone", ours.classify, rows, size(models_dir(), "intent.onnx")),
        timed("its graph alone (onnxruntime)", baseline.graph, rows, size(models_dir(), "intent.onnx")),
        timed("linear baseline, numpy", baseline.logits, rows, baseline.megabytes),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big = bert_base(folder)
        weight = size(folder, "*.safetensors")
        found.append(timed("BERT-base size, random weights", big.classify, rows[:_BIG_SAMPLE], weight))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    found = measure(options.rows)
    print(f"{'':34}{'utterances':>11}{'median ms':>11}{'p99 ms':>9}{'MB':>8}")
    for one in found:
        print(f"{one.name:34}{one.utterances:>11}{one.median_ms:>11.2f}{one.p99_ms:>9.2f}{one.megabytes:>8.1f}")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
