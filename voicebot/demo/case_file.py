"""Case file: the overdue cases of a demonstration as lenders send them, untidy, with rows that can't be taken."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.demo.persona import Persona
from voicebot.domain.case import Creditor

NAME = "演示案件.csv"
HEADINGS = (
    "借据编号 ", "客户编号", "客户姓名", "联系电话", "性别", "身份证后四位", "出生日期", "应还总额（元）", "应还本金",
    "利息", "逾期天数", "数据日期", "产品", "委托方", "机构对外名称", "客服电话", "备注",
)  # fmt: skip
TITLES = {"mr": "男", "ms": "女"}
_FULL_WIDTH = str.maketrans("0123456789.,", "０１２３４５６７８９．，")
_AMOUNTS: tuple[Callable[[int], str], ...] = (
    lambda fen: f"{fen / 100:.2f}",
    lambda fen: f"￥{fen / 100:,.2f}",
    lambda fen: f"{fen / 100:,.2f}".translate(_FULL_WIDTH),
    lambda fen: f"{fen / 1_000_000:g}万",
    lambda fen: f" {fen / 100:g}元",
)
_DAYS: tuple[Callable[[dt.date], str], ...] = (
    lambda day: day.isoformat(),
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day:%Y/%m/%d}".translate(_FULL_WIDTH),
    lambda day: f"{day:%Y%m%d}",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A debtor of the file, and what rings them."""

    persona: Persona
    case_id: str
    debtor_id: str
    phone: str


def write_case_file(folder: Path, rows: Sequence[Row], creditor: Creditor, today: dt.date) -> Path:
    """GB18030, as spreadsheets in Chinese save it: a line per row, the first one twice, and three that are wrong."""
    lines = [_line(row, number, creditor, today) for number, row in enumerate(rows)]
    lines += [lines[0], *_wrong(lines[-1])]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([HEADINGS, *lines])
    path = folder / NAME
    path.write_bytes(text.getvalue().encode("gb18030"))
    return path


def _line(row: Row, number: int, creditor: Creditor, today: dt.date) -> tuple[str, ...]:
    """Amounts and days are written another way in each line."""
    one, amount, day = row.persona, _AMOUNTS[number % len(_AMOUNTS)], _DAYS[number % len(_DAYS)]
    fees = one.amount_fen // 5000 * 100  # two per cent, in whole yuan
    return (
        f" {row.case_id}", row.debtor_id, one.name, row.phone, TITLES.get(one.salutation, ""), one.id_last4 or "",
        one.birth_mmdd or "", amount(one.amount_fen), amount(one.amount_fen - fees), amount(fees),
        f"{one.overdue_days}天", day(today), "消费分期", creditor.name, creditor.neutral_name, creditor.hotline, "",
    )  # fmt: skip


def _wrong(like: Sequence[str]) -> list[tuple[str, ...]]:
    """No telephone number, no sum, and a number too short."""

    def changed(case_id: str, name: str, column: str, cell: str) -> tuple[str, ...]:
        mine = {"借据编号 ": case_id, "客户编号": "", "客户姓名": name, column: cell}
        return tuple((dict(zip(HEADINGS, like, strict=True)) | mine).values())

    return [
        changed("DEMO-901", "示例甲", "联系电话", ""),
        changed("DEMO-902", "示例乙", "应还总额（元）", "待核"),
        changed("DEMO-903", "示例丙", "联系电话", "1380013"),
    ]
