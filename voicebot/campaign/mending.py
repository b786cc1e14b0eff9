"""Mending: the rejected rows of a case file as a file of their own, to be put right and imported again."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from voicebot.campaign.importer import Rejection
from voicebot.campaign.tables import read_table

REASON = "拒绝原因"
"""The column that says what to do; an import ignores it."""


def write_rejects(source: Path, rejected: Sequence[Rejection], target: Path) -> int:
    """Write the rows of `source` that were rejected to `target`, a CSV that spreadsheet programs open; how many.

    All columns are as they were, the reasons stand in one more at the end. OSError when `target` can't be written.
    """
    table = read_table(source)
    reasons = {rejection.row: _reasons(rejection) for rejection in rejected}
    bad = [row for row in table.rows if row.number in reasons]
    width = len(table.header.cells)
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*table.header.cells, REASON])
        for row in bad:
            cells = [*row.cells, *[""] * width][:width]
            writer.writerow([*cells, reasons[row.number]])
    return len(bad)


def _reasons(rejection: Rejection) -> str:
    told = [(rejection.column, rejection.reason), *((more.column, more.reason) for more in rejection.more)]
    return "；".join(f"{column}：{reason}" for column, reason in told)
