"""What the recogniser learns to hear: templates with slots, hand-written sayings, announcements, random words."""

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jieba

from voicebot.asr.training import slots
from voicebot.mandarin.aloud import spoken

_HANZI_ONLY = re.compile(r"[\u4e00-\u9fff，。]+")
_CLAUSE = re.compile(r"[。！？!?；;\n]+")
_LONGEST = 26


def _data(name: str) -> str:
    raw = resources.files("voicebot.asr.training").joinpath("data", name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()


@dataclass(frozen=True, slots=True)
class Templates:
    """Weighted sections of templates; `say` draws one and fills it."""

    sections: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)

    def say(self, rng: random.Random) -> str:
        section = rng.choices(list(self.weights), list(self.weights.values()))[0]
        return slots.fill(rng.choice(self.sections[section]), rng)

    def every(self) -> list[str]:
        return [template for section in self.sections.values() for template in section]


@cache
def templates() -> Templates:
    """The templates of data/templates.txt."""
    out, section = Templates(), ""
    for line in _data("templates.txt").splitlines():
        if line.startswith("=="):
            *name, weight = line[2:].split()
            section = " ".join(name)
            out.sections[section], out.weights[section] = [], int(weight)
        elif line and not line.startswith("#"):
            out.sections[section].append(line)
    return out


@cache
def sayings() -> list[str]:
    """Hand-written sentences as spoken: hanzi with ， where the speaker paused; long ones cut at their stops.

    What the simulated debtors answer belongs to them.
    """
    return _clauses("\n".join([_data("sayings.txt.gz"), *_simulated_answers()]))


def _simulated_answers() -> Iterator[str]:
    """The answers of every persona of the simulator and of the demo, `{"answers": {topic: [texts]}}` each."""
    package = Path(str(resources.files("voicebot")))
    for file in sorted((package / "dialog" / "personas").glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            yield from _answers(json.loads(line))
    for persona in json.loads((package / "demo" / "personas.json").read_text("utf-8")):
        yield from _answers(persona)


def _answers(persona: dict[str, Any]) -> Iterator[str]:
    for said in persona.get("answers", {}).values():
        yield from said


@cache
def unseen_sayings() -> list[str]:
    """Sentences of another hand, for evaluation only: neither voices nor language model ever see them."""
    return _clauses(_data("unseen.txt.gz"))


@cache
def script_prompts(folder: Path) -> list[str]:
    """What the shipped call scripts say, slots filled with stand-ins; empty when there are no scripts."""
    found: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        text = re.sub(r"\{[^}]*\}", "，", path.read_text("utf-8"))
        found += re.findall(r"[\u4e00-\u9fff][\u4e00-\u9fff，、。！？0-9]{3,}", text)
    return _clauses("\n".join(dict.fromkeys(found)))


def _clauses(text: str) -> list[str]:
    out = []
    for line in text.splitlines():
        hanzi = spoken(line.strip().replace(" ", "，"))
        for clause in _CLAUSE.split(hanzi):
            out += _short(clause.strip("，"))
    return list(dict.fromkeys(c for c in out if _HANZI_ONLY.fullmatch(c)))


def _short(clause: str) -> list[str]:
    """Cuts at commas so that nothing is longer than one breath."""
    pieces: list[str] = []
    for part in clause.split("，"):
        if pieces and len(pieces[-1]) + len(part) <= _LONGEST:
            pieces[-1] += "，" + part
        elif part:
            pieces.append(part)
    return [p for p in pieces if len(p) <= _LONGEST + 8]


@cache
def common_words() -> tuple[list[str], list[float], Counter[str]]:
    """jieba's words of frequent characters, their draw weights, and character counts."""
    counts: Counter[str] = Counter()
    words = []
    for line in Path(jieba.__file__).with_name("dict.txt").read_text("utf-8").splitlines():
        word, frequency, *_ = line.split()
        if _HANZI_ONLY.fullmatch(word):
            words.append((word, int(frequency)))
            for char in word:
                counts[char] += int(frequency)
    top = {char for char, _ in counts.most_common(2200)}
    kept = [(w, f) for w, f in words if f >= 20 and len(w) <= 4 and set(w) <= top]
    return [w for w, _ in kept], [f**0.6 for _, f in kept], counts


@cache
def _cumulative() -> list[float]:
    total, out = 0.0, []
    for weight in common_words()[1]:
        total += weight
        out.append(total)
    return out


def random_words(rng: random.Random) -> str:
    """One to five random words: keeps the acoustics from leaning on the wording."""
    return "".join(rng.choices(common_words()[0], cum_weights=_cumulative(), k=rng.choice([1, 2, 2, 3, 3, 4, 5])))


def pause_at_random(text: str, rng: random.Random) -> str:
    """Keeps about half of the commas: people pause where they like."""
    return "".join(c for c in text if c != "，" or rng.random() < 0.5)


def draw(rng: random.Random) -> str:
    """One training utterance: 38 % templates, 47 % sayings, 15 % random words."""
    kind = rng.random()
    if kind < 0.38:
        return templates().say(rng)
    if kind < 0.85:
        return pause_at_random(rng.choice(sayings()), rng)
    return random_words(rng)
