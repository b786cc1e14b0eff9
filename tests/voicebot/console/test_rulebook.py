"""The page and API of rules: warnings, the ledger with its filters and exports, registered numbers, consents."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import psycopg
import pytest

from tests.voicebot.console.served import Served
from voicebot.compliance.asking import judge_by
from voicebot.compliance.packs import shipped_packs
from voicebot.console.pages.rulebook import callers_panel, ledger_panel, packs_panel, read_filter, warnings_panel
from voicebot.console.rulebook_data import LedgerPage
from voicebot.console.words import Words
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.ledger import Decision, DecisionSearch, Means, breaks
from voicebot.domain.permission import CallerId, DialRequest, Stop
from voicebot.store import Store

NOON = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
ASK = DialRequest(NOON, ("CN",), "debtor", "+8613800000077", case_id="RB-1", debtor_id="RB")


def in_store(console: Served, work: Callable[[Store], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with Store.from_url(console.database) as store:
            await work(store)

    asyncio.run(run())


async def two_answers(store: Store) -> None:
    judge = judge_by()
    for request in (ASK, DialRequest(**{**fields(ASK), "stops": (Stop("do_not_call"),)})):
        await store.decisions.note(request, judge(request, NOON), NOON, Means.CALL)
    while await store.decisions.chain():
        pass


def fields(request: DialRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__slots__}


@pytest.fixture(scope="module")
def answered(console: Served) -> Served:
    in_store(console, two_answers)
    return console


def test_the_rules_in_force_are_told_with_their_figures(admin: httpx.Client) -> None:
    told = admin.get("/api/rules").json()
    cn = next(pack for pack in told["packs"] if pack["name"] == "CN")
    assert cn["sha256"] == shipped_packs().laws["CN"].sha256 and len(cn["rules"]) == 30
    assert sum(len(pack["rules"]) for pack in told["packs"]) == 45


def test_the_ledger_is_searched(answered: Served, admin: httpx.Client) -> None:
    def found(**asked: object) -> list[dict[str, Any]]:
        answer = admin.get("/api/rules/ledger", params={name: str(value) for name, value in asked.items()})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["decisions"])

    assert [row["rule"] for row in found(case="RB-1")] == ["CN-D2", None]
    assert [row["allowed"] for row in found(number="138 0000 0077", allowed="true")] == [True]
    assert [row["case_id"] for row in found(rule="CN-D2", since="2026-11-24", until="2026-11-24")] == ["RB-1"]
    assert found(case="RB-1", since="2026-11-25") == []


def test_what_a_regulator_gets_verifies_and_is_the_same_in_both_forms(answered: Served, admin: httpx.Client) -> None:
    lines = admin.get("/api/rules/ledger/export.jsonl").text.splitlines()
    rows = [json.loads(line) for line in lines]
    head = admin.get("/api/rules/ledger/head").json()
    assert not list(breaks(rows)) and (rows[-1]["position"], rows[-1]["sha256"]) == (head["length"], head["sha256"])
    table = list(csv.DictReader(io.StringIO(admin.get("/api/rules/ledger/export.csv").text.removeprefix("\ufeff"))))
    assert [row["sha256"] for row in table] == [row["sha256"] for row in rows]
    assert [json.loads(row["inputs"]) for row in table] == [row["inputs"] for row in rows]
    refused = admin.get("/api/rules/ledger/export.csv", params={"case": "RB-1", "allowed": "false"}).text
    assert refused.count("CN-D2") == 1 and len(refused.strip().splitlines()) == 2


def test_numbers_are_registered_and_removed(admin: httpx.Client) -> None:
    entry = {"number": "01012345678", "holder": "示范公司", "valid_from": "2026-01-01", "valid_to": ""}
    assert admin.post("/api/rules/caller-ids", json=entry | {"verified_on": "2026-06-01"}).status_code == 200
    (saved,) = admin.get("/api/rules/caller-ids").json()
    assert (saved["holder"], saved["valid_to"], saved["verified_on"]) == ("示范公司", None, "2026-06-01")
    assert admin.post("/api/rules/caller-ids", json=entry | {"valid_to": "2025-01-01"}).status_code == 422
    assert admin.get("/rules").status_code == 200
    assert admin.post("/api/rules/caller-ids/01012345678/remove").status_code == 200
    assert admin.post("/api/rules/caller-ids/01012345678/remove").status_code == 404


def test_consents_are_written_down_imported_and_taken_back(console: Served, admin: httpx.Client) -> None:
    debtor = debtor_of(console)
    data = {"from": "07:00", "to": "08:00"}
    wanted = {"debtor_id": debtor, "kind": "other_hours", "given_at": NOON.isoformat(), "data": data}
    made = admin.post("/api/consents", json=wanted)
    assert made.status_code == 200, made.text
    assert admin.post("/api/consents", json=wanted | {"debtor_id": "nobody"}).status_code == 404
    assert admin.post("/api/consents", json=wanted | {"data": {"from": "7"}}).status_code == 422
    file = f"debtor_id,kind,from,to,until\n{debtor},noon,,,\nnobody,noon,,,\n{debtor},tea,,,\n{debtor},noon,,,soon\n"
    taken = admin.post("/api/consents/import", files={"file": ("c.csv", file.encode())}).json()
    assert taken["taken"] == 1
    assert [(row["row"], row["column"]) for row in taken["rejected"]] == [(3, "debtor_id"), (4, "kind"), (5, "until")]
    assert [each["kind"] for each in admin.get(f"/api/consents/{debtor}").json()][-2:] == ["other_hours", "noon"]
    assert admin.post(f"/api/consents/{made.json()['id']}/revoke").status_code == 200
    assert admin.post(f"/api/consents/{made.json()['id']}/revoke").status_code == 404


def debtor_of(console: Served) -> str:
    with psycopg.connect(console.database) as connection:
        row = connection.execute("SELECT id FROM debtors ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


def test_a_row_is_judged_by_the_packs_in_force(admin: httpx.Client) -> None:
    case, target = {"jurisdiction": "CN"}, {"kind": "debtor", "number": "13800000001"}
    row = {"id": 1, "now": NOON.replace(hour=23).isoformat(), "case": case, "target": target}
    assert admin.post("/api/rules/judge", json=row).json()["rule"] == "CN-T1"


def test_the_page_shows_warnings_sums_and_plain_words() -> None:
    words = Words("zh")
    rows = [
        Decision(2, NOON, False, "CN-T3", "午休时间不拨打（机构政策）", NOON, "0" * 64, "+8613800000001", case_id="C1"),
        Decision(1, NOON, True, None, "允许拨打", None, "0" * 64, "+8613800000001", position=1, sha256="ab" * 32),
    ]
    counts = {None: 1, "CN-T3": 1}
    query = httpx.QueryParams({})
    shown = ledger_panel(words, DecisionSearch(), LedgerPage(rows, 1), counts, (1, "ab" * 32), query)  # type: ignore[arg-type]
    for text in ("午休时间不拨打", "CN-T3 · 1", "允许 · 1", "138****0001", "before=1", "#1 abababab"):
        assert text in shown, text
    assert "+8613800000001" not in shown
    assert "<b>" not in warnings_panel(words, ["<b>"]) and "2027" in warnings_panel(words, ["没有 2027 年"])
    assert "CN-F1" in packs_panel(words, shipped_packs().all)


def test_a_number_that_nobody_verified_is_marked() -> None:
    entry = CallerId("01012345678", "示范公司", dt.date(2026, 1, 1))
    shown = callers_panel(Words("zh"), [entry])
    assert "未核验" in shown and "不限期" in shown and "/api/rules/caller-ids/01012345678/remove" in shown


def test_without_a_question_the_page_asks_for_today() -> None:
    today = dt.datetime.now(SHANGHAI).date()
    assert read_filter(httpx.QueryParams({})).since == today  # type: ignore[arg-type]
    assert read_filter(httpx.QueryParams({"case": "C1", "since": "soon"})) == DecisionSearch(case_id="C1")  # type: ignore[arg-type]
