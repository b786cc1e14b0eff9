"""Preview: how a case file would be read, before anything is written: columns, first rows, what would be rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voicebot.cases.columns import IGNORED, Mapping, Places, meaning_of, missing, recognise
from voicebot.cases.parsing import Context
from voicebot.cases.rows import Problem
from voicebot.cases.sieve import Sieve
from voicebot.cases.tables import Table

SHOWN = 8
CHECKED = 500


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A heading, what it is taken for (IGNORED: nothing), and what stands below it."""

    heading: str
    meaning: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it stands in the file, and what is wrong with it."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`checked` of `total` rows were read: `good` of them would be taken. `lacking`: columns without which none is."""

    columns: tuple[PreviewColumn, ...]
    rows: tuple[PreviewRow, ...]
    total: int
    checked: int
    good: int
    duplicates: int
    rejected: int
    lacking: tuple[str, ...]
    notes: tuple[str, ...]


def preview(table: Table, mapping: Mapping, context: Context) -> Preview:
    """Read the first rows of a table as an import would."""
    headings = table.header.cells
    places = recognise(headings, mapping)
    lacking = tuple(column.value for column in missing(places))
    sieve = Sieve(places, context)
    checked = table.rows[:CHECKED] if not lacking else ()
    sieve.take(checked)
    problems = {row: (main, *more) for row, main, more in sieve.rejected}
    first = [row for row in table.rows if row.number in problems][: SHOWN // 2]
    shown = sorted({*table.rows[: SHOWN - len(first)], *first}, key=lambda row: row.number)
    width = len(headings)
    return Preview(
        _columns(headings, table, mapping, places),
        tuple(
            PreviewRow(row.number, tuple([*row.cells, *[""] * width][:width]), problems.get(row.number, ()))
            for row in shown
        ),
        len(table.rows),
        len(checked),
        sum(len(good.rows) for good in sieve.good),
        len(sieve.duplicates),
        len(sieve.rejected),
        lacking,
        (*table.notes, *(f"第{row}行“{r.column}”不会采用：{r.reason}" for row, r in sieve.remarks[:10])),
    )


def _columns(headings: Sequence[str], table: Table, mapping: Mapping, places: Places) -> tuple[PreviewColumn, ...]:
    used = {*places.columns.values(), *places.traits.values()}
    return tuple(
        PreviewColumn(
            heading,
            meaning_of(heading, mapping) if place in used else IGNORED,
            tuple(row.cells[place] for row in table.rows[:3] if place < len(row.cells)),
        )
        for place, heading in enumerate(headings)
    )
