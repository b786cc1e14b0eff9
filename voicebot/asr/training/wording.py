"""Counts what people say and writes models/embedded-lm.gz: character n-grams and readings."""

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from voicebot.asr.embedded import WORDING_NAME
from voicebot.asr.language_model import BEGIN, END, ORDER, Following, Readings, write
from voicebot.asr.training import texts
from voicebot.asr.training.tokens import characters, readings
from voicebot.config import models_dir, scripts_dir
from voicebot.mandarin.pinyin import read

TEMPLATE_DRAWS = 90_000
_SAYING_WEIGHT, _PROMPT_WEIGHT = 3.0, 3.0
_VARIETY = 8.0  # how many sightings one more kind of follower outweighs
_SENTENCE_SHARE = 0.25  # weight of jieba's word list against the sentences
_CUTOFF = {3: 0.9, 4: 1.9}
Counts = list[Counter[str]]
Grams = dict[str, Following]


def weighted_texts(seed: int, scripts: Path, draws: int = TEMPLATE_DRAWS) -> list[tuple[str, float]]:
    """Every sentence the model should expect, with its weight."""
    rng = random.Random(seed)
    out = [(texts.templates().say(rng), 1.0) for _ in range(draws)]
    out += [(saying, _SAYING_WEIGHT) for saying in _some(texts.sayings(), draws)]
    return out + [(prompt, _PROMPT_WEIGHT) for prompt in texts.script_prompts(scripts)]


def _some(found: Sequence[str], draws: int) -> Sequence[str]:
    """All of them; a trial run, which draws less, makes do with its first ones."""
    return found if draws >= TEMPLATE_DRAWS else found[:draws]


def count(sentences: Iterable[tuple[str, float]]) -> Counts:
    """Counts n-grams of 1..ORDER characters; a pause ends nothing, because recognised text has none."""
    counts: Counts = [Counter() for _ in range(ORDER + 1)]
    for text, weight in sentences:
        padded = BEGIN + text.replace("，", "").replace("。", "") + END
        for order in range(1, ORDER + 1):
            for end in range(max(order, 2), len(padded) + 1):
                counts[order][padded[end - order : end]] += weight  # type: ignore[assignment]
    return counts


def add_words(counts: Counts, draws: int = TEMPLATE_DRAWS) -> None:
    """Word-internal statistics of the dictionary, so that other topics are not hopeless."""
    words, weights, _ = texts.common_words()
    words = list(_some(words, draws))
    weights = weights[: len(words)]
    scale = _SENTENCE_SHARE * sum(counts[1].values()) / sum(w * len(x) for x, w in zip(words, weights, strict=True))
    for word, weight in zip(words, weights, strict=True):
        for order in range(1, min(3, len(word)) + 1):
            for end in range(order, len(word) + 1):
                counts[order][word[end - order : end]] += weight * scale  # type: ignore[assignment]


def grams(counts: Counts, inventory: Sequence[str]) -> Grams:
    """Witten-Bell interpolation: the more often and the less variedly a context was seen, the more it is believed."""
    known = {*inventory, END}
    unigrams = {c: counts[1][c] + 0.05 for c in sorted(known)}
    total = sum(unigrams.values())
    out: Grams = {"": (0.0, {c: math.log(n / total) for c, n in unigrams.items()})}
    for order in range(2, ORDER + 1):
        contexts: dict[str, dict[str, float]] = defaultdict(dict)
        for gram, n in sorted(counts[order].items()):
            if set(gram) <= known | {BEGIN}:
                contexts[gram[:-1]][gram[-1]] = n
        for context, following in contexts.items():
            found = _interpolated(context, following, out, _CUTOFF.get(order, 0.4))
            if found[1]:
                out[context] = found
    return out


def _interpolated(context: str, following: dict[str, float], shorter: Grams, cutoff: float) -> Following:
    """Followers rarer than the cutoff are not stored; their mass goes to the shorter context."""
    seen = sum(following.values())
    belief = seen / (seen + _VARIETY * len(following))
    kept = {c: n for c, n in following.items() if n >= cutoff}
    backoff = 1 - belief * sum(kept.values()) / seen
    below = {c: math.exp(_backed_off(c, context[1:], shorter)) for c in kept}
    return math.log(backoff), {c: math.log(belief * n / seen + backoff * below[c]) for c, n in kept.items()}


def _backed_off(char: str, context: str, grams: Grams) -> float:
    weight = 0.0
    for start in range(len(context) + 1):
        found = grams.get(context[start:])
        if found:
            if char in found[1]:
                return weight + found[1][char]
            weight += found[0]
    return -14.0


def spoken_readings(sentences: Iterable[str], inventory: Sequence[str]) -> Readings:
    """log P(syllable | character): counted where we read sentences aloud, dictionaries for the rest."""
    heard: dict[str, Counter[str]] = defaultdict(Counter)
    for text in sentences:
        for word in read(text):
            for char, syllable in zip(word.hanzi, word.syllables, strict=True):
                heard[char][syllable] += 1
    out: Readings = {}
    for char in inventory:
        counts = {s: 0.5 / (k + 1) ** 2 for k, s in enumerate(readings(char)[:4])}
        for syllable, n in heard[char].items():
            counts[syllable] = counts.get(syllable, 0.0) + n
        for syllable in [s for s in counts if s[-1] == "3"]:
            counts[syllable[:-1] + "2"] = counts.get(syllable[:-1] + "2", 0.0) + 0.25 * counts[syllable]
        total = sum(counts.values())
        out[char] = {s: max(math.log(n / total), -5.0) for s, n in counts.items() if n > 0}
    return {char: sounds for char, sounds in out.items() if sounds}


def build(path: Path, seed: int, scripts: Path, draws: int = TEMPLATE_DRAWS) -> None:
    sentences = weighted_texts(seed, scripts, draws)
    inventory = characters()
    counts = count(sentences)
    add_words(counts, draws)
    rng = random.Random(seed)
    aloud = [
        *_some(texts.sayings(), draws),
        *(t for t, _ in rng.sample(sentences, min(20_000, len(sentences)))),
        *_some(texts.common_words()[0][:20_000], draws),
    ]
    write(path, grams(counts, inventory), spoken_readings(aloud, inventory))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Build the language model of the embedded recogniser")
    parser.add_argument("--out", type=Path, default=models_dir() / WORDING_NAME)
    parser.add_argument("--scripts", type=Path, default=scripts_dir())
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--draws", type=int, default=TEMPLATE_DRAWS, help="sentences drawn from the templates")
    given: Any = parser.parse_args(argv)
    build(given.out, given.seed, given.scripts, given.draws)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
