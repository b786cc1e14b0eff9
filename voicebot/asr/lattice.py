"""From frame scores to characters: CTC spikes become slots of alternatives, a beam with the language model reads them.

Tones are summed out to find the spikes (they are the weak part of telephone speech) and come back as evidence for a
character's reading with half weight.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicebot.asr.language_model import BEGIN, END, LanguageModel
from voicebot.asr.recognizer import Syllable

TONE_WEIGHT, LM_WEIGHT, CHAR_BONUS = 0.5, 0.6, 3.0
_WEAK, _STRONG = 0.12, 0.5  # a syllable below WEAK is not considered; one above STRONG is certainly there
_BEAM, _CANDIDATES = 16, 40
_HOPELESS = 8.0  # so far behind the best path no other is followed
_HOT_START, _HOT_GO_ON, _HOT_BONUS = -6.0, -2.0, 1.0
Floats = NDArray[np.float32]
Readings = Mapping[str, Mapping[str, Mapping[str, float]]]  # toneless syllable -> character -> tone -> ln P


@dataclass(frozen=True, slots=True)
class Slot:
    """One syllable position: (toneless syllable, ln P, ln P of each tone) best first; ln P that nothing is here."""

    frame: int
    sounds: tuple[tuple[str, float, Mapping[str, float]], ...]
    nothing: float

    def syllable(self, frame_ms: float) -> Syllable:
        """What it tells of; `frame_ms`: how long a frame is."""
        there = 1 - math.exp(self.nothing)
        return Syllable(round(self.frame * frame_ms), there, {base: math.exp(heard) for base, heard, _ in self.sounds})


class Syllables:
    """The output tokens, sorted so that the tones of a syllable stand together; token 0 is the blank."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        bases = [token[:-1] for token in tokens[1:]]
        firsts = [i for i, base in enumerate(bases, 1) if i == 1 or base != bases[i - 2]]
        self.bases = tuple(bases[i - 1] for i in firsts)
        self._starts = np.array([0, *firsts])
        self._ends = [*firsts[1:], len(tokens)]

    def toneless(self, scores: Floats) -> Floats:
        """(frames, tokens) ln P -> (frames, 1 + syllables) P, blank first."""
        return np.add.reduceat(np.exp(scores), self._starts, axis=1)

    def slot(self, frame: int, scores: Floats, probabilities: Floats, keep: int = 4) -> Slot:
        """The alternatives of one frame."""
        best = np.argsort(-probabilities[1:])[:keep]
        top = float(probabilities[1 + best[0]])
        chosen = [int(k) for k in best if probabilities[1 + k] > top * 0.003]
        sounds = tuple(
            (self.bases[k], float(np.log(probabilities[1 + k] + 1e-6)), self._tones(k, scores)) for k in chosen
        )
        return Slot(frame, sounds, float(np.log(max(1 - float(probabilities[1:].sum()), 1e-4))))

    def _tones(self, base: int, scores: Floats) -> Mapping[str, float]:
        first, end = int(self._starts[base + 1]), self._ends[base]
        share = np.exp(scores[first:end])
        share = share / (share.sum() + 1e-9)
        return {self.tokens[first + i][-1]: float(np.log(p + 0.03)) for i, p in enumerate(share)}


class Spikes:
    """Finds slots in a stream of frames; a slot is given once its spike has passed."""

    def __init__(self, syllables: Syllables) -> None:
        self._syllables = syllables
        self._base, self._peak, self._fading = 0, 0.0, 0
        self._best: tuple[int, Floats, Floats] | None = None
        self._slot: Slot | None = None

    def feed(self, scores: Floats, first_frame: int) -> list[Slot]:
        """(frames, tokens) ln P of the frames from `first_frame` on."""
        slots: list[Slot] = []
        for i, probabilities in enumerate(self._syllables.toneless(scores)):
            slots += self._frame(first_frame + i, scores[i], probabilities)
        return slots

    @property
    def running(self) -> Slot | None:
        """The slot of the syllable that sounds now, as far as it is known."""
        if self._slot is None and self._best is not None:
            self._slot = self._syllables.slot(*self._best)
        return self._slot

    def flush(self) -> list[Slot]:
        """The slot that is still open, at the end of an utterance."""
        return self._close()

    def _frame(self, frame: int, scores: Floats, probabilities: Floats) -> list[Slot]:
        base = int(probabilities[1:].argmax()) + 1
        peak, blank = float(probabilities[base]), float(probabilities[0])
        if base == self._fading and _WEAK < peak < _STRONG:
            return []
        self._fading = 0
        slots: list[Slot] = []
        if base != self._base or peak < _WEAK:
            slots = self._close()
        elif self._peak >= _STRONG and blank > peak:
            slots, self._fading = self._close(), base
            return slots
        if peak >= _WEAK and peak > self._peak:
            self._base, self._peak, self._best, self._slot = base, peak, (frame, scores, probabilities), None
        return slots

    def _close(self) -> list[Slot]:
        slot = self.running
        self._base, self._peak, self._best, self._slot = 0, 0.0, None, None
        return [] if slot is None else [slot]


class HotWords:
    """Words that a caller is likely to say: characters that begin or continue one are at least this likely."""

    def __init__(self, words: Sequence[str]) -> None:
        self._next: dict[str, set[str]] = {}
        for word in words:
            for i, char in enumerate(word):
                self._next.setdefault(word[:i], set()).add(char)
        self.characters = frozenset("".join(words))
        self._longest = max((len(word) for word in words), default=0)

    def likely(self, text: str) -> dict[str, float]:
        """Characters that may follow `text`, with the least ln P that they deserve."""
        out = dict.fromkeys(self._next.get("", ()), _HOT_START)
        for length in range(1, min(self._longest, len(text) + 1)):
            out.update(dict.fromkeys(self._next.get(text[-length:], ()), _HOT_GO_ON))
        return out


@dataclass(frozen=True, slots=True)
class _Path:
    score: float
    text: str  # begins with BEGIN
    heard: float  # sum of ln P of its syllables
    first: int
    last: int


class Beam:
    """Reads slots as they come; `text` is the best reading so far."""

    def __init__(self, model: LanguageModel, hot_words: HotWords, extra: Readings) -> None:
        """`extra` holds readings like `LanguageModel.sounding`, of characters that the lexicon lacks."""
        self._model, self._hot, self._extra = model, hot_words, extra
        self._paths = [_Path(0.0, BEGIN, 0.0, -1, -1)]

    @property
    def text(self) -> str:
        return self._paths[0].text[1:]

    def extend(self, slot: Slot) -> None:
        characters = self._characters(slot)
        alone = [char for char, _, _ in characters]
        best: dict[str, _Step] = {}
        floor = -math.inf
        for path in self._paths:
            if slot.nothing > -4:
                _keep(best, path.text[-4:], (path.score + slot.nothing, path, "", 0.0))
            likely = self._hot.likely(path.text)
            base, before = path.score + CHAR_BONUS, path.text[-3:]
            wordings = self._model.score_all(alone, self._model.context(before))
            for (char, sound, heard), wording in zip(characters, wordings, strict=True):
                hot = likely.get(char)
                if hot is not None:
                    wording = max(wording, hot) + _HOT_BONUS
                score = base + sound + LM_WEIGHT * wording
                if score > floor:
                    floor = max(floor, score - _HOPELESS)
                    _keep(best, before + char, (score, path, char, heard))
        if best:
            leaders = heapq.nlargest(_BEAM, best.values(), key=_score)
            self._paths = [_longer(step, slot.frame) for step in leaders]

    def final(self) -> _Path:
        """The best path once nothing follows."""
        ended = [
            (p.score + LM_WEIGHT * self._model.score(END, self._model.context(p.text[-3:])), p) for p in self._paths
        ]
        return max(ended, key=lambda pair: pair[0])[1]

    def _characters(self, slot: Slot) -> list[tuple[str, float, float]]:
        """(character, score of its sound, ln P of the syllable), the likeliest first."""
        found: dict[str, tuple[float, float]] = {}
        for base, heard, tones in slot.sounds:
            for char, readings in (*self._model.sounding(base).items(), *self._extra.get(base, {}).items()):
                fit = max(TONE_WEIGHT * tones.get(tone, -3.5) + 0.5 * cost for tone, cost in readings.items())
                if char not in found or heard + fit > found[char][0]:
                    found[char] = (heard + fit, heard)
        root = self._model.context("")
        common = dict(zip(found, self._model.score_all(found, root), strict=True))
        ranked = sorted(found, key=lambda c: -(found[c][0] + 0.4 * common[c]))
        kept = [*ranked[:_CANDIDATES], *(c for c in ranked[_CANDIDATES:] if c in self._hot.characters)]
        return [(c, *found[c]) for c in kept]


_Step = tuple[float, _Path, str, float]
"""A path one slot longer: its score, the path before, the character (none: nothing is here), its ln P."""


def _score(step: _Step) -> float:
    return step[0]


def _keep(best: dict[str, _Step], key: str, step: _Step) -> None:
    """Paths that end alike (`key`) have the same future: only the better one goes on."""
    known = best.get(key)
    if known is None or step[0] > known[0]:
        best[key] = step


def _longer(step: _Step, frame: int) -> _Path:
    score, path, char, heard = step
    if not char:
        return _Path(score, path.text, path.heard, path.first, path.last)
    return _Path(score, path.text + char, path.heard + heard, frame if path.first < 0 else path.first, frame)
