"""The demonstration's untidy file: every debtor comes in with the figures meant, every wrong row is named."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from voicebot.demo.persona import load_personas
from voicebot.demo.seed import Phones, case_id, debtor_id, import_file
from voicebot.domain.clock import SHANGHAI
from voicebot.store import Store

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


async def test_the_file_is_taken_as_it_was_meant(database_url: str, tmp_path: Path) -> None:
    personas = load_personas()
    async with Store.from_url(database_url) as store:
        report = await import_file(store, personas, Phones("127.0.0.1:5070", "127.0.0.1:5071"), NOW, tmp_path)
        assert (report.imported, report.duplicates) == (len(personas), 1)
        assert [(one.column, one.value) for one in report.rejected] == [
            ("手机号", ""), ("欠款金额", "待核"), ("手机号", "1380013"),
        ]  # fmt: skip
        for number, persona in enumerate(personas, 1):
            case = await store.cases.find(case_id(number))
            assert case is not None and case.debtor.id == debtor_id(number)
            assert (case.debtor.name, case.amount_fen) == (persona.name, persona.amount_fen)
            assert (case.overdue_days, case.debtor.id_last4) == (persona.overdue_days, persona.id_last4)
            assert case.principal_fen is not None and case.fees_fen is not None
            assert case.principal_fen + case.fees_fen == persona.amount_fen
            assert case.creditor.neutral_name == "示范服务中心"
