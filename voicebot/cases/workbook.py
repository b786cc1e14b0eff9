"""Workbook: the first visible sheet of an XLSX as rows of text; merged cells count for every row they span."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicebot.cases.tables import Row

_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
Merged = dict[int, dict[int, tuple[int, int]]]
"""Row -> place -> the first cell (row, place) of the merged range that it is in."""

_MOST_MERGED = 200_000
"""Cells that are filled from merged ones at most: a sheet may say that a column is one cell."""


def read_workbook(data: bytes) -> tuple[list[Row], tuple[str, ...]]:
    """Rows and notes. A formula counts as the result that was saved with it. Raises TableError."""
    from openpyxl import load_workbook

    from voicebot.cases.tables import TableError

    _refuse_bombs(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        sheet: Any = shown[0]
        sheet.reset_dimensions()
        merged = _merged(data, getattr(sheet, "_worksheet_path", ""))
        rows = list(_rows(sheet, merged))
    except Exception as error:  # openpyxl raises whatever its XML and zip layers raise
        raise TableError(f"XLSX 打不开：{error}。请用表格软件重新保存，或导出 UTF-8 的 CSV。") from error
    others = "、".join(other.title for other in shown[1:])
    return rows, ((f"只读了工作表“{sheet.title}”，没有读：{others}。",) if others else ())


def _rows(sheet: Any, merged: Merged) -> Iterator[Row]:
    from voicebot.cases.tables import Row, clean

    above: dict[tuple[int, int], object] = {}
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = list(values)
        if merged:
            cells = _spread(cells, number, merged, above)
        numeric = frozenset(n for n, v in enumerate(cells) if isinstance(v, (int, float)))
        yield Row(number, tuple(clean(_written(value)) for value in cells), numeric)


def _spread(
    cells: list[Any], number: int, merged: Merged, above: dict[tuple[int, int], object]
) -> list[Any]:
    """Give every cell of a merged range what stands in its first one."""
    of_row = merged.get(number, {})
    cells += [None] * (max(of_row, default=-1) + 1 - len(cells))
    for place, origin in of_row.items():
        if origin == (number, place):
            above[origin] = cells[place]
        elif cells[place] is None:
            cells[place] = above.get(origin)
    return cells


def _merged(data: bytes, path: str) -> Merged:
    """The cells of ranges over several rows."""
    found: Merged = {}
    count = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = path.lstrip("/")
        xml = archive.read(name) if name in archive.namelist() else b""
    for left, top, right, bottom in _MERGED.findall(xml):
        rows, places = range(int(top), int(bottom) + 1), range(_place(left), _place(right) + 1)
        count += len(rows) * len(places)
        if len(rows) < 2 or count > _MOST_MERGED:
            continue
        for row in rows:
            found.setdefault(row, {}).update(dict.fromkeys(places, (rows[0], places[0])))
    return found


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _refuse_bombs(data: bytes) -> None:
    from voicebot.cases.tables import MAX_BYTES, TableError

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        raise TableError(f"XLSX 文件已损坏：{error}。请重新保存后再导入。") from error
    if size > 8 * MAX_BYTES:
        raise TableError("XLSX 解开后过大。请拆成几个文件分别导入。")


def _written(value: object) -> str:
    """A cell as a person would write it: 3500.0 is 3500, a date is 2026-11-27."""
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.10g}"
        case dt.datetime():
            return value.date().isoformat()
        case _:
            return str(value)
