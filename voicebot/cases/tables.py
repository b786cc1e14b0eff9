"""Tables: CSV and XLSX files as rows of plain text, in whatever encoding a spreadsheet program left them."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voicebot.cases.workbook import read_workbook

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused, also after unpacking: a workbook is a zip."""

_ENCODINGS = ("utf-8-sig", "gb18030")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


class TableError(ValueError):
    """The file as a whole cannot be read; the message (Chinese) tells the operator what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` as the spreadsheet shows it, counted from 1.

    `numeric` marks cells that held a number.
    """

    number: int
    cells: tuple[str, ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """`notes` (Chinese) say what of the file was left out or filled in."""

    header: Row
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read the first sheet of an XLSX, or a CSV (UTF-8, GB18030 or UTF-16; comma, semicolon or tab).

    The kind is told by the content, not by the name. Rows without any text are left out. Raises TableError.
    """
    return parse_table(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises TableError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TableError(f"读不到文件 {path}：{error.strerror}。请检查路径和权限。") from error


def parse_table(data: bytes) -> Table:
    """As read_table, from bytes."""
    if len(data) > MAX_BYTES:
        raise TableError(f"文件超过 {MAX_BYTES >> 20} MB。请拆成几个文件分别导入。")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError("这是旧版 .xls 文件。请在表格软件里另存为 .xlsx 或 UTF-8 的 .csv。")
    rows, notes = read_workbook(data) if data.startswith(b"PK\x03\x04") else (_text(data), ())
    filled = [row for row in rows if any(row.cells)]
    if not filled:
        raise TableError("文件里没有内容。第一行应是列名，例如：姓名,手机号,欠款金额,逾期天数。")
    return Table(filled[0], tuple(filled[1:]), notes)


def clean(text: str) -> str:
    """Trim, drop invisible characters and the marks by which spreadsheets force text ('0426 and ="0426")."""
    text = text.strip() if text.isascii() else text.translate(_INVISIBLE).strip().strip("\u3000")
    if len(text) > 3 and text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


def _text(data: bytes) -> Iterator[Row]:
    text = _decode(data)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        for number, cells in enumerate(reader, 1):
            yield Row(number, tuple(map(clean, cells)))
    except csv.Error as error:
        raise TableError(f"CSV 格式有误：{error}。请用表格软件重新导出 UTF-8 的 CSV。") from error


def _decode(data: bytes) -> str:
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else _ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError("文件既不是 UTF-8 也不是 GB18030 编码，也不是 XLSX。请另存为 UTF-8 的 CSV。")


def _delimiter(text: str) -> str:
    """The sign that splits one of the first lines most often; a title above the heading has none."""
    first = text[:20_000].splitlines()[:10]
    return max(",;\t|", key=lambda sign: max((line.count(sign) for line in first), default=0))


def plain(text: str) -> str:
    """Full-width signs as ordinary ones: １３８ is 138."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
