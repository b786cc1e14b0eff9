"""The REST API on a seeded database: calls, recordings in ranges, evidence, cases, campaigns."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx
import psycopg

from tests.voicebot.console.served import Served

CSV = (
    "借据号,姓名,手机号,身份证后四位,出生月日,欠款金额,逾期天数,产品,债权人,机构对外名称,客服电话\n"
    "N-1,钱一,13900139001,1234,0101,1000.50,10,消费分期,星河消费金融有限公司,星河金融,4000000001\n"
    "N-2,<b>孙</b>,没有号码,1234,0101,abc,10,消费分期,星河消费金融有限公司,星河金融,4000000001\n"
)


def test_calls_are_listed_newest_first_with_masked_numbers(admin: httpx.Client) -> None:
    answer = admin.get("/api/calls").json()
    assert answer["total"] == 7
    times = [call["started_at"] for call in answer["calls"]]
    assert times == sorted(times, reverse=True)
    assert {call["number_masked"] for call in answer["calls"]} >= {"138****8000", "138****8003"}
    assert "13800138" not in str(answer).replace("138****8", "")


def test_calls_are_found_by_outcome_and_by_what_was_said(admin: httpx.Client) -> None:
    promised = admin.get("/api/calls", params={"disposition": "promise_to_pay"}).json()["calls"]
    assert promised and all(call["disposition"] == "promise_to_pay" for call in promised)
    assert any(call["promise"] and call["promise"]["amount_fen"] == 350000 for call in promised)
    said = admin.get("/api/calls", params={"text": "就这么定"}).json()["calls"]
    assert {call["call_id"] for call in said} == {call["call_id"] for call in promised}
    assert admin.get("/api/calls", params={"text": "没人说过的话"}).json()["total"] == 0
    assert admin.get("/api/calls", params={"until": "2020-01-01"}).json()["total"] == 0
    assert admin.get("/api/calls", params={"disposition": "nonsense"}).status_code == 422


def test_a_call_tells_its_transcript(admin: httpx.Client) -> None:
    call = admin.get("/api/calls/call-0000").json()
    assert call["verified"] is True and call["disposition"] == "promise_to_pay"
    speakers = [line["speaker"] for line in call["transcript"]]
    assert speakers[:4] == ["bot", "caller", "bot", "caller"]
    late = call["transcript"][5]
    assert late["intents"] == ["hs_salary_delay"] and late["emotion"] == "anxious"
    assert all(line["start_ms"] < line["end_ms"] for line in call["transcript"])
    assert admin.get("/api/calls/none").status_code == 404


def test_sound_comes_whole_and_in_ranges(admin: httpx.Client) -> None:
    whole = admin.get("/api/calls/call-0000/audio")
    assert whole.status_code == 200 and whole.headers["accept-ranges"] == "bytes"
    assert whole.content[:4] == b"RIFF" and len(whole.content) == int(whole.headers["content-length"])
    part = admin.get("/api/calls/call-0000/audio", headers={"Range": "bytes=44-1043"})
    assert part.status_code == 206 and part.content == whole.content[44:1044]
    assert part.headers["content-range"] == f"bytes 44-1043/{len(whole.content)}"
    last = admin.get("/api/calls/call-0000/audio", headers={"Range": "bytes=-100"})
    assert last.content == whole.content[-100:]
    outside = admin.get("/api/calls/call-0000/audio", headers={"Range": f"bytes={len(whole.content)}-"})
    assert outside.status_code == 416 and outside.headers["content-range"] == f"bytes */{len(whole.content)}"


def test_peaks_show_who_spoke(admin: httpx.Client) -> None:
    outline = admin.get("/api/calls/call-0000/peaks", params={"slices": 300}).json()
    transcript = admin.get("/api/calls/call-0000").json()["transcript"]
    assert len(outline["left"]) == len(outline["right"]) == 300

    def loudest(lane: str, line: dict[str, int]) -> int:
        scale = 300 / outline["duration_ms"]
        inside = slice(int(line["start_ms"] * scale) + 1, int(line["end_ms"] * scale))
        return max(outline[lane][inside] or [0])

    for line in transcript[:4]:
        own, other = ("left", "right") if line["speaker"] == "bot" else ("right", "left")
        assert loudest(own, line) > 10 and loudest(other, line) == 0


def test_the_bundle_verifies_until_it_is_touched(admin: httpx.Client, console: Served) -> None:
    bundle = admin.get("/api/calls/call-0001/bundle")
    assert bundle.headers["content-type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(bundle.content)).namelist()
    assert {"audio.wav", "journal.jsonl", "verify.py"} <= set(names)
    assert admin.post("/api/calls/call-0001/verify").json() == {"valid": True, "failures": []}
    path = next(Path(console.recordings).rglob("call-0001.zip"))
    content = path.read_bytes()
    changed = bytearray(content)
    changed[changed.index(b"RIFF") + 5000] ^= 1
    path.write_bytes(changed)
    try:
        verdict = admin.post("/api/calls/call-0001/verify").json()
    finally:
        path.write_bytes(content)  # other files of tests ask the same console for the same call
    assert verdict["valid"] is False and verdict["failures"][0]["code"]


def test_a_bundle_outside_the_recordings_is_never_read(admin: httpx.Client, console: Served) -> None:
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute("UPDATE calls SET bundle = '../../../etc/passwd' WHERE id = 'call-0003'")
    for what in ("bundle", "audio", "peaks"):
        answer = admin.get(f"/api/calls/call-0003/{what}")
        assert answer.status_code == 404 and "outside" in answer.json()["detail"]


def test_hanging_up_orders_it_from_the_worker(admin: httpx.Client, console: Served) -> None:
    assert admin.post("/api/calls/live-3/hangup").json() == {"done": True}
    with psycopg.connect(console.database) as connection:
        rows = connection.execute("SELECT call_id, verb, issued_by FROM commands").fetchall()
    assert ("live-3", "hang_up", "demo") in rows
    assert admin.post("/api/calls/call-0000/hangup").status_code == 404


def test_cases_are_imported_and_bad_rows_explained(admin: httpx.Client) -> None:
    answer = admin.post("/api/cases/import", files={"file": ("cases.csv", CSV.encode("gb18030"))}).json()
    assert (answer["imported"], len(answer["rejected"])) == (1, 1)
    assert answer["rejected"][0]["row"] == 3 and answer["rejected"][0]["reason"]
    found = admin.get("/api/cases", params={"search": "N-1"}).json()
    assert [case["amount_fen"] for case in found["cases"]] == [100050]
    unreadable = admin.post("/api/cases/import", files={"file": ("cases.xlsx", b"PK\x03\x04 not a workbook")})
    assert unreadable.status_code == 422 and isinstance(unreadable.json()["detail"], str)


def test_campaigns_start_and_stop(admin: httpx.Client) -> None:
    def active() -> bool:
        rows = {row["campaign_id"]: row for row in admin.get("/api/campaigns").json()}
        return bool(rows["M2-11"]["active"])

    assert not active()
    assert admin.post("/api/campaigns/M2-11/start").json() == {"done": True}
    assert active()
    admin.post("/api/campaigns/M2-11/stop")
    assert not active()
    assert admin.post("/api/campaigns/none/start").status_code == 404


def test_a_campaign_is_added_and_takes_its_segment(admin: httpx.Client) -> None:
    wanted = {"name": " 小额 ", "script": "reminder", "max_amount_fen": 200000}
    made = admin.post("/api/campaigns", json=wanted)
    assert made.status_code == 201
    row = made.json()
    assert (row["name"], row["active"], row["total"]) == ("小额", False, 0)
    admin.post(f"/api/campaigns/{row['campaign_id']}/start")
    rows = {row["campaign_id"]: row for row in admin.get("/api/campaigns").json()}
    small = admin.get("/api/cases").json()["cases"]
    assert rows[row["campaign_id"]]["total"] == sum(case["amount_fen"] <= 200000 for case in small) > 0
    for wrong in ({"script": "none"}, {"name": ""}, {"min_amount_fen": 300000}, {"max_concurrency": 0}):
        assert admin.post("/api/campaigns", json={**wanted, **wrong}).status_code == 422


def test_the_api_describes_itself(admin: httpx.Client) -> None:
    paths = admin.get("/api/openapi.json").json()["paths"]
    assert {"/api/calls", "/api/calls/{call_id}", "/api/calls/{call_id}/bundle", "/api/cases"} <= set(paths)
    assert all(operation.get("description") for path in paths.values() for operation in path.values())
