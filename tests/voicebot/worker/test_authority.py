"""What the bot may grant is read from the installation's table, and travels with the call."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.offers import BOT_AUTHORITIES, GRANTED, offers_of
from voicebot.worker.authority import AUTHORITY_FILE, granted, load_bot_authorities

CREDITOR = Creditor("x", "示例消费金融有限公司", "示例客户服务中心", "4000001234")
CASE = Case("c", Debtor("d", "李振海"), CREDITOR, "分期", 350_000, 40, dt.date(2026, 11, 24), 300_000, 50_000)
ROW = {
    "role": "bot", "most_parts": 2, "extension_days": 1, "length_days": 60, "smallest_part_fen": 1,
    "waiver_percent": 10,
}  # fmt: skip


def test_an_installations_own_row_travels_with_the_call(tmp_path: Path) -> None:
    (tmp_path / AUTHORITY_FILE).write_text(json.dumps([ROW]))
    extra = granted(CASE, load_bot_authorities(tmp_path))
    offers = offers_of(CASE, extra)
    assert (offers.parts, offers.extension_days, offers.waive_fen) == (2, 1, 5_000)
    assert granted(None, load_bot_authorities(tmp_path)) == {}


def test_without_a_table_the_shipped_one_holds_and_a_broken_one_grants_nothing(tmp_path: Path) -> None:
    assert load_bot_authorities(tmp_path) == BOT_AUTHORITIES
    (tmp_path / AUTHORITY_FILE).write_text("{")
    assert offers_of(CASE, {GRANTED: granted(CASE, load_bot_authorities(tmp_path))[GRANTED]}).parts == 0
