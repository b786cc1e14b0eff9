"""Mending: the rejected rows of a case file as a file of their own, to be put right and imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.cases.columns import REASON, Column, recognise
from voicebot.cases.importer import Rejection, read_case_table
from voicebot.cases.tables import Row, Table, read_bytes


def write_rejects(source: Path, rejected: Sequence[Rejection], target: Path) -> int:
    """Write the rows of `source` that were rejected to `target`, a CSV that spreadsheet programs open; how many.

    All columns are as they were, the reasons stand in one more at the end. OSError when `target` can't be written.
    """
    target.write_bytes(rejects_csv(read_case_table(read_bytes(source)), rejected))
    return len(rejected)


def rejects_csv(table: Table, rejected: Sequence[Rejection]) -> bytes:
    """The rejected rows with their reasons, as UTF-8 with the mark that spreadsheet programs want."""
    reasons = {rejection.row: _reasons(rejection) for rejection in rejected}
    bad = [row for row in table.rows if row.number in reasons]
    kept = [place for place, heading in enumerate(table.header.cells) if heading != REASON]
    lines = [[*_cells(row, kept), reasons[row.number]] for row in bad]
    return write_csv([[*_cells(table.header, kept), REASON], *lines])


def _cells(row: Row, places: Sequence[int]) -> list[str]:
    return [row.cells[place] if place < len(row.cells) else "" for place in places]


@dataclass(frozen=True, slots=True)
class Mendable:
    """A rejected row: `place` among the rejects, who it is about, why it was rejected, and the cells to put right."""

    place: int
    name: str
    reason: str
    cells: tuple[tuple[str, str], ...]


def mendable(rejects: Table, mapping: Mapping[str, str], most: int) -> list[Mendable]:
    """The first rows of a rejects file; the cells by heading and text, as far as the reasons name them."""
    headings = rejects.header.cells
    places = recognise(headings, dict(mapping))
    width = len(headings)
    found = []
    for place, row in enumerate(rejects.rows[:most]):
        cells = [*row.cells, *[""] * width][:width]
        reason = cells[-1]
        bad = [at for column, at in places.columns.items() if f"{column.value}：" in f"；{reason}"]
        name = cells[places.columns[Column.NAME]] if Column.NAME in places else ""
        found.append(Mendable(place, name, reason, tuple((headings[at], cells[at]) for at in sorted(bad))))
    return found


def mended(rejects: Table, changes: Mapping[int, Mapping[str, str]]) -> tuple[bytes, bytes | None]:
    """A rejects file with cells put right: the rows that were touched as a file to import, and what is left over.

    `changes`: the row's place among the rejects (0 is the first) -> heading -> new text. ValueError for a row or
    heading that is not there.
    """
    headings = list(rejects.header.cells)
    lines = [[*row.cells, *[""] * len(headings)][: len(headings)] for row in rejects.rows]
    for place, cells in changes.items():
        for heading, text in cells.items():
            if not 0 <= place < len(lines) or heading not in headings:
                raise ValueError(f"there is no rejected row {place} with a column {heading!r}")
            lines[place][headings.index(heading)] = text
    touched = [line for place, line in enumerate(lines) if place in changes]
    rest = [line for place, line in enumerate(lines) if place not in changes]
    return write_csv([headings, *touched]), write_csv([headings, *rest]) if rest else None


def write_csv(lines: Sequence[Sequence[object]]) -> bytes:
    """Lines as a CSV that spreadsheet programs open as it is."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig", "replace")


def _harmless(cell: object) -> object:
    """A cell that a spreadsheet program would run as a formula is kept from it by a mark that an import drops."""
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if risky and not _is_number(str(cell)) else cell


def _is_number(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).isdigit()


def _reasons(rejection: Rejection) -> str:
    told = [(rejection.column, rejection.reason), *((more.column, more.reason) for more in rejection.more)]
    return "；".join(f"{column}：{reason}" for column, reason in told)
