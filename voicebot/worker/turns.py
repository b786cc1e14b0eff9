"""Turns: which worker gets the next order: in turn, past those that would not take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

NOBODY = "nobody"
"""Stands for a worker where there is none: what is ordered of it is taken back."""


class Turns:
    """`names`: the workers there are now; they may come and go."""

    def __init__(
        self, names: Sequence[str] | Callable[[], Sequence[str]], may_dial: Callable[[str], bool] = lambda name: True
    ) -> None:
        self._names = names
        self._may_dial = may_dial
        self._last = ""

    def next(self) -> str:
        """The next that may dial; where none may they take turns all the same."""
        names = sorted(self._names() if callable(self._names) else self._names)
        if not names:
            return NOBODY
        turn = [name for name in names if name > self._last] + [name for name in names if name <= self._last]
        self._last = next((name for name in turn if self._may_dial(name)), turn[0])
        return self._last
