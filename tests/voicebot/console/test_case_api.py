"""The API of cases: files in two steps, lists by keyset, history, exports, payments."""

from __future__ import annotations

import csv
import io
import time

import httpx
import pytest

from voicebot.cases.tables import parse_table

FILE = "合同号,姓名,电话,身份证后四位,余额,逾期天数\n" + "".join(
    f"{{0}}-{n:02d},钱{'甲乙丙丁'[n % 4]},{{1}}{n:04d},0426,{100 + n},{n % 7}\n" for n in range(30)
)


def upload(admin: httpx.Client, text: str, name: str = "cases.csv") -> dict[str, object]:
    answer = admin.post("/api/cases/imports", files={"file": (name, text.encode("gb18030"))})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def finished(admin: httpx.Client, import_id: object) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = dict(admin.get(f"/api/cases/imports/{import_id}").json())
        if state["state"] in ("done", "failed"):
            return state
        time.sleep(0.05)
    raise AssertionError(f"import {import_id} does not end: {state}")


def test_a_file_is_looked_at_mapped_run_and_mended(admin: httpx.Client) -> None:
    text = FILE.format("X", "1381001") + "X-99,钱戊,1381001,0426,5,5\n"
    one = upload(admin, text)["import_id"]
    assert admin.get(f"/api/cases/imports/{one}/preview").json()["lacking"] == ["欠款金额"]
    refused = admin.post(f"/api/cases/imports/{one}/plan", json={"mapping": {"余额": "没有"}})
    assert refused.status_code == 422 and "没有" in refused.json()["detail"]
    looked = admin.post(f"/api/cases/imports/{one}/plan", json={"mapping": {"余额": "欠款金额"}}).json()
    assert (looked["total"], looked["good"], looked["rejected"], looked["lacking"]) == (31, 30, 1, [])
    assert admin.get("/api/cases", params={"search": "X-"}).json()["total"] == 0, "looking writes nothing"
    assert admin.post(f"/api/cases/imports/{one}/run").status_code == 202
    state = finished(admin, one)
    report = state["report"]
    assert isinstance(report, dict) and (report["imported"], report["rejected_count"]) == (30, 1)
    assert admin.post(f"/api/cases/imports/{one}/run").status_code == 422, "a file is imported once"
    rejects = parse_table(admin.get(f"/api/cases/imports/{one}/rejects").content)
    assert rejects.rows[0].cells[0] == "X-99" and "手机号应为11位" in rejects.rows[0].cells[-1]
    mended = admin.post(f"/api/cases/imports/{one}/mend", json={"rows": {"0": {"电话": "13810019999"}}}).json()
    assert finished(admin, mended["import_id"])["report"]["imported"] == 1  # type: ignore[index]
    assert admin.get(f"/api/cases/imports/{one}/rejects").status_code == 404, "nothing is left to mend"
    two = upload(admin, FILE.format("Y", "1381002"))["import_id"]
    again = admin.get(f"/api/cases/imports/{two}/preview").json()
    assert again["remembered"] and again["lacking"] == []
    assert [each["name"] for each in admin.get("/api/cases/imports").json()[:2]] == ["cases.csv", "cases.csv（修正）"]


def test_pages_follow_each_other_and_nothing_is_lost(admin: httpx.Client) -> None:
    text = FILE.format("Z", "1381003").replace("余额", "金额")
    admin.post("/api/cases/import", files={"file": ("z.csv", text.encode())})
    for order in ("overdue", "amount", "updated"):
        wanted = {"search": "Z-", "order": order, "limit": "7"}
        seen: list[str] = []
        page = admin.get("/api/cases", params=wanted).json()
        assert page["before"] is None and (page["total"], page["more"]) == (30, False)
        while True:
            seen += [case["case_id"] for case in page["cases"]]
            if page["after"] is None:
                break
            page = admin.get("/api/cases", params={**wanted, "after": page["after"]}).json()
        assert sorted(seen) == [f"Z-{n:02d}" for n in range(30)], order
        back = admin.get("/api/cases", params={**wanted, "before": page["before"]}).json()
        assert [case["case_id"] for case in back["cases"]] == seen[-9:-2], "back is the page before"
    for mark in ("nonsense", "eyJ4IjoxfQ", page["after"] or "W10"):
        assert admin.get("/api/cases", params={"after": mark}).status_code == 422
    few = admin.get("/api/cases", params={"search": "Z-", "min_overdue_days": 6, "max_amount_fen": 11000}).json()
    assert [case["case_id"] for case in few["cases"]] == ["Z-06"]


def test_a_case_is_noted_suspended_and_tells_it(admin: httpx.Client) -> None:
    assert admin.post("/api/cases/XH20260001/notes", json={"text": "下周再看"}).status_code == 201
    rest = {"status": "suspended", "why": "争议"}
    assert admin.post("/api/cases/XH20260001/status", json=rest).json() == {"done": True}
    case = admin.get("/api/cases/XH20260001").json()
    assert case["status"] == "suspended"
    kinds = [moment["kind"] for moment in case["timeline"]]
    assert kinds[:2] == ["suspended", "note"] and "imported" in kinds
    assert "*" in case["numbers"][0]["number_masked"]
    assert admin.post("/api/cases/nobody/notes", json={"text": "x"}).status_code == 404
    assert admin.post("/api/cases/XH20260001/status", json={"status": "gone", "why": "x"}).status_code == 422
    admin.post("/api/cases/XH20260001/status", json={"status": "open", "why": "已澄清"})


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_the_cases_of_the_filter(admin: httpx.Client, kind: str) -> None:
    answer = admin.get("/api/cases/export", params={"search": "XH2026", "format": kind})
    table = parse_table(answer.content)
    place = table.header.cells.index("借据号")
    assert sorted(row.cells[place] for row in table.rows) == [f"XH2026{n:04d}" for n in range(12)]


def test_payments_are_booked_once(admin: httpx.Client) -> None:
    payment = {"case_id": "XH20260004", "amount_fen": 702000, "paid_on": "2026-11-20", "reference": "api-1"}
    first = admin.post("/api/payments", json={"payments": [payment]}).json()
    assert (first["booked"], first["closed"], first["duplicates"]) == (1, 1, 0)
    stray = {**payment, "case_id": "nobody", "reference": "api-2"}
    again = admin.post("/api/payments", json={"payments": [payment, stray]})
    assert (again.json()["duplicates"], again.json()["rejected"][0]["value"]) == (1, "nobody")
    case = admin.get("/api/cases/XH20260004").json()
    assert (case["status"], case["amount_fen"], case["billed_fen"]) == ("closed", 0, 702000)
    assert admin.get("/api/cases/XH20260004/payments").json()[0]["reference"] == "api-1"
    text = io.StringIO()
    csv.writer(text).writerows([["借据号", "金额", "日期"], ["XH20260005", "1", "2026-11-20"], ["XH20260005", "x", ""]])
    booked = admin.post("/api/payments/import", files={"file": ("p.csv", text.getvalue().encode())}).json()
    assert (booked["booked"], [row["column"] for row in booked["rejected"]]) == (1, ["还款金额"])
    for wrong in ({"amount_fen": 0}, {"reference": " "}, {"paid_on": "x"}):
        assert admin.post("/api/payments", json={"payments": [{**payment, **wrong}]}).status_code == 422
