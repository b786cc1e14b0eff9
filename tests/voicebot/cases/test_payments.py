"""Payments: each booked once by its reference; bad rows are told and block nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.voicebot.campaign.samples import NOON, new_case
from voicebot.cases.payments import PaymentsReport, book_payments, import_payments
from voicebot.domain.clock import FixedClock
from voicebot.domain.payment import Payment
from voicebot.store import Store

CLOCK = FixedClock(NOON)


async def take(store: Store, tmp_path: Path, text: str) -> PaymentsReport:
    path = tmp_path / "payments.csv"
    path.write_bytes(text.encode("gb18030"))
    return await import_payments(path, store, CLOCK)


async def test_a_file_is_booked_once_and_explains_its_bad_rows(store: Store, tmp_path: Path) -> None:
    await store.cases.save([new_case(1), new_case(2)], NOON)
    text = (
        "合同号,实还金额,入账日期,交易流水号,还款方式\nC0001,￥1000.01,2026-11-20,T1,微信\n"
        "C0002,100,20261121,T2,\nC0002,100,20261121,T2,\nC9999,1,2026-11-20,T3,\nC0002,1,2026-12-31,T4,\n"
        "C0002,0,2026-11-20,T5,\nC0002,7,2026-11-20,T1,\n,7,2026-11-20,T6,\n"
    )
    report = await take(store, tmp_path, text)
    assert (report.booked, report.duplicates, report.closed, report.booked_fen) == (2, 1, 1, 110_001)
    assert [(r.row, r.column) for r in report.rejected] == [
        (5, "借据号"), (6, "还款日期"), (7, "还款金额"), (8, "流水号"), (9, "借据号"),
    ]  # fmt: skip
    first, second = await store.cases.record("C0001"), await store.cases.record("C0002")
    assert first and second and (first.status, second.status) == ("closed", "open")
    assert second.case.amount_fen == 90_002
    again = await take(store, tmp_path, text)
    assert (again.booked, again.duplicates) == (0, 3)


async def test_rows_without_a_reference_are_told_apart_by_what_they_say(store: Store, tmp_path: Path) -> None:
    await store.cases.save([new_case(1)], NOON)
    text = "借据号,金额,日期\nC0001,10,2026-11-20\nC0001,10,2026-11-20\nC0001,10,2026-11-21\n"
    assert (await take(store, tmp_path, text)).booked == 3, "two equal rows are two payments"
    assert (await take(store, tmp_path, text)).duplicates == 3, "the same file is the same payments"


async def test_a_file_without_its_columns_is_refused_row_by_row(store: Store, tmp_path: Path) -> None:
    report = await take(store, tmp_path, "姓名,金额\n张三,10\n")
    assert [(r.row, r.column) for r in report.rejected] == [(2, "借据号、还款日期")]


async def test_a_program_s_payment_with_another_amount_is_a_contradiction(store: Store) -> None:
    await store.cases.save([new_case(1)], NOON)
    day = dt.date(2026, 11, 20)
    told = [Payment("C0001", 100, day, "r"), Payment("C0001", 100, day, "r"), Payment("C0001", 200, day, "r")]
    report = await book_payments(told, store, CLOCK)
    assert (report.booked, report.duplicates, [r.row for r in report.rejected]) == (1, 1, [3])
