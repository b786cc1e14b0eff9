"""EndOfTurn: when has the caller finished? By pause, and by whether the words already are an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

TICK_MS = 20


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in milliseconds."""

    start_ms: int = 60  # speech shorter than this is a click
    closed_ms: int = 100  # pause after an answer to which nothing is added: 四三二一, 我明天就还您放心
    complete_ms: int = 200  # pause after words that already are an answer
    open_ms: int = 640  # pause after words that are not
    open_low_ms: int = 480  # the same where the voice went down, as it does at the end of a statement
    sum_ms: int = 480  # pause after a sum that is whole as it stands
    figure_ms: int = 1200  # pause inside a number or a date
    figure_low_ms: int = 900  # the same where the voice went down
    wordless_ms: int = 900  # pause after sound in which no word was recognised
    longest_ms: int = 20_000  # a turn is cut here


class TurnChange(Enum):
    STARTED = auto()
    ENDED = auto()


class EndOfTurn:
    """Fed once per tick with voice activity and what is known of the words; tells when a turn starts and ends."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._voiced_ms = 0
        self._pause_ms = 0
        self._turn_ms = 0
        self._in_turn = False

    @property
    def in_turn(self) -> bool:
        return self._in_turn

    @property
    def pause_ms(self) -> int:
        """How long the caller has been silent inside the turn."""
        return self._pause_ms

    def tick(
        self, voice: bool, *, words: bool, complete: bool, closed: bool = False, figure: bool = False, low: bool = False
    ) -> TurnChange | None:
        """One 20 ms. `words`: the recogniser has text; `complete`: that text is an answer to what was asked;
        `closed`: such a one that nobody adds to; `figure`: it breaks off inside a number or a date, or (`closed`) is a
        sum that may go on and hardly does; `low`: the voice went down before it ceased."""
        if not self._in_turn:
            return self._wait_for_voice(voice)
        self._turn_ms += TICK_MS
        self._pause_ms = 0 if voice else self._pause_ms + TICK_MS
        due_ms = self._due_closed_ms(complete, figure) if closed else self._due_ms(words, complete, figure, low)
        if self._pause_ms >= due_ms or self._turn_ms >= self._patience.longest_ms:
            self._in_turn = False
            self._voiced_ms = 0
            return TurnChange.ENDED
        return None

    def _wait_for_voice(self, voice: bool) -> TurnChange | None:
        self._voiced_ms = self._voiced_ms + TICK_MS if voice else 0
        if self._voiced_ms < self._patience.start_ms:
            return None
        self._in_turn = True
        self._turn_ms, self._pause_ms = self._voiced_ms, 0
        return TurnChange.STARTED

    def _due_closed_ms(self, complete: bool, figure: bool) -> int:
        patience = self._patience
        return patience.sum_ms if figure and not complete else patience.closed_ms

    def _due_ms(self, words: bool, complete: bool, figure: bool, low: bool) -> int:
        patience = self._patience
        if complete:
            return patience.complete_ms
        if figure:
            return patience.figure_low_ms if low else patience.figure_ms
        if not words:
            return patience.wordless_ms
        return patience.open_low_ms if low else patience.open_ms
