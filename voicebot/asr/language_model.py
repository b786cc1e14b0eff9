"""A character 4-gram and a reading lexicon: which characters may sound like this, and which of them people would say.

File: gzipped text. `readings` lines are `char<TAB>syllable:cost ...` (cost = -100 ln P(syllable | char)); after a blank
line, `context<TAB>backoff<TAB>charcost ...` with costs in tenths of a nat; `^` begins and `$` ends a sentence.
"""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

BEGIN, END = "^", "$"
ORDER = 4
_UNKNOWN = -14.0
Readings = dict[str, dict[str, float]]  # character -> syllable -> ln P
Following = tuple[float, dict[str, float]]  # back-off weight, character -> ln P


class LanguageModel:
    """Back-off log probabilities (natural) of characters in context, and the lexicon by toneless syllable."""

    def __init__(self, lines: Mapping[str, str], readings: Readings) -> None:
        """`lines` hold a context's back-off and followers as written in the file; they are parsed when needed."""
        self._lines = lines
        self._parsed: dict[str, Following] = {}
        self._unigrams = self._followers("")[1]
        self._lexicon = _by_sound(readings)

    @classmethod
    def load(cls, path: Path) -> "LanguageModel":
        """Reads a model file. Raises FileNotFoundError, or ValueError when it is not a model file."""
        try:
            lexicon, grams = gzip.decompress(path.read_bytes()).decode().split("\n\n", 1)
            lines = (line.partition("\t") for line in grams.splitlines())
            return cls({context: rest for context, _, rest in lines}, _read_readings(lexicon))
        except (gzip.BadGzipFile, EOFError, KeyError, UnicodeDecodeError, ValueError) as error:
            raise ValueError(f"{path} is not a language model: build it with make train-asr ({error})") from error

    def sounding(self, base: str) -> Mapping[str, Mapping[str, float]]:
        """Characters that may sound like a toneless syllable: `huan` -> {还: {"2": ln P(huan2 | 还)}, ...}."""
        return self._lexicon.get(base, {})

    def context(self, history: str) -> list[Following]:
        """The distributions that apply after a history, longest first, each with the back-off weight to the next."""
        starts = range(max(0, len(history) - ORDER + 1), len(history) + 1)
        return [self._followers(history[start:]) for start in starts if history[start:] in self._lines]

    def score(self, char: str, chain: list[Following]) -> float:
        """ln P(char | history) given `context(history)`."""
        weight = 0.0
        for backoff, following in chain:
            found = following.get(char)
            if found is not None:
                return weight + found
            weight += backoff
        return weight + _UNKNOWN

    def score_all(self, chars: Iterable[str], chain: list[Following]) -> list[float]:
        """`score` of many characters after the same history."""
        out = []
        for char in chars:
            weight = 0.0
            for backoff, following in chain:
                found = following.get(char)
                if found is not None:
                    out.append(weight + found)
                    break
                weight += backoff
            else:
                out.append(weight + _UNKNOWN)
        return out

    def _followers(self, context: str) -> Following:
        found = self._parsed.get(context)
        if found is None:
            found = self._parsed[context] = _read_followers(self._lines[context])
        return found

    def knows(self, char: str) -> bool:
        return char in self._unigrams

    def characters(self) -> Iterator[str]:
        """Everything that may follow anything, the end of a sentence too."""
        return iter(self._unigrams)


def _by_sound(readings: Readings) -> dict[str, dict[str, dict[str, float]]]:
    lexicon: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for char, sounds in readings.items():
        for syllable, cost in sounds.items():
            lexicon[syllable[:-1]].setdefault(char, {})[syllable[-1]] = cost
    return dict(lexicon)


def _read_readings(text: str) -> Readings:
    out: Readings = {}
    for line in text.splitlines():
        char, sounds = line.split("\t")
        out[char] = {s: -int(cost) / 100 for s, _, cost in (x.partition(":") for x in sounds.split(" "))}
    return out


def _read_followers(line: str) -> Following:
    backoff, _, following = line.partition("\t")
    return -int(backoff) / 10, {x[0]: -int(x[1:]) / 10 for x in following.split(" ")}


def write(path: Path, grams: Mapping[str, Following], readings: Readings) -> None:
    """Writes a model file; the same content gives the same bytes."""
    lexicon = [
        f"{c}\t{' '.join(f'{s}:{round(-100 * p)}' for s, p in sorted(sounds.items()))}"
        for c, sounds in sorted(readings.items())
    ]
    lines = [
        f"{context}\t{round(-10 * backoff)}\t{' '.join(f'{c}{round(-10 * p)}' for c, p in sorted(following.items()))}"
        for context, (backoff, following) in sorted(grams.items())
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(("\n".join(lexicon) + "\n\n" + "\n".join(lines) + "\n").encode(), 9, mtime=0))
