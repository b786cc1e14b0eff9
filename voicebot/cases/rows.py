"""Rows: the cells of one row of a case file by their meaning; every problem is gathered, none stops the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from voicebot.cases.columns import Column, Places
from voicebot.cases.fields import FieldError
from voicebot.cases.phones import PhoneError
from voicebot.cases.tables import Row

T = TypeVar("T")
_BARE = re.compile(r"[\d.,]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell; `reason` (Chinese) carries the remedy."""

    column: str
    value: str
    reason: str


class RowReader:
    """Reads the cells of one row and gathers every problem instead of stopping at the first.

    `remarks` are problems of cells that a case can do without: they are left out, and said to be.
    """

    def __init__(self, row: Row, places: Places) -> None:
        self._row = row
        self._places = places
        self._texts = {column: self._cell(place) for column, place in places.columns.items()}
        self.problems: list[Problem] = []
        self.remarks: list[Problem] = []

    def text(self, column: Column) -> str:
        return self._texts.get(column, "")

    def trait_text(self, trait: str) -> str:
        return self._cell(self._places.traits.get(trait))

    def numeric(self, column: Column) -> bool:
        return self._places.columns.get(column) in self._row.numeric

    def read(self, column: Column, parse: Callable[[str], T], default: T) -> T:
        """The parsed cell; `default` where parsing failed, with the problem remembered."""
        try:
            return parse(self.text(column))
        except (FieldError, PhoneError) as error:
            self.problem(column, str(error))
            return default

    def optional(self, column: Column, parse: Callable[[str], T], default: T) -> T:
        """As read, but an empty cell is `default` and no problem."""
        return self.read(column, parse, default) if self.text(column) else default

    def extra(self, column: Column, parse: Callable[[str], T], default: T) -> T:
        """As optional, for what a case can do without: a bad cell is `default` and a remark."""
        text = self.text(column)
        return self._extra(column.value, text, parse, default) if text else default

    def read_trait(self, trait: str, heading: str, parse: Callable[[str], object]) -> object:
        """As extra, for what case_fields.yaml lists; None where it can't be read."""
        return self._extra(heading, self.trait_text(trait), parse, None)

    def _extra(self, heading: str, text: str, parse: Callable[[str], T], default: T) -> T:
        try:
            return parse(text)
        except (FieldError, PhoneError) as error:
            self.remarks.append(Problem(heading, text, str(error)))
            return default

    def problem(self, column: Column, reason: str) -> None:
        self.problems.append(Problem(column.value, self.text(column), reason))

    def _cell(self, place: int | None) -> str:
        if place is None or place >= len(self._row.cells):
            return ""
        text = self._row.cells[place]
        return text + "万" if place in self._places.ten_thousands and _BARE.fullmatch(text) else text
