"""Giving recordings away, and the watch over it: every listening and export is an operation, masked by role."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import httpx
import pytest

from voicebot.console.pages.vault import holds_panel, log_panel, operations_panel, uploads_panel
from voicebot.console.words import Words
from voicebot.evidence.examine import examine
from voicebot.evidence.signer import verify_signature
from voicebot.evidence.stored_zip import unzip
from voicebot.store.uploads import UploadFigures

LogIn = Callable[[str], httpx.Client]


def operations(admin: httpx.Client, subject: str) -> list[tuple[str, str]]:
    rows = admin.get("/api/evidence/operations", params={"subject": subject}).json()["operations"]
    return [(row["actor"], row["action"]) for row in rows]


def faults(data: bytes) -> list[tuple[str, str]]:
    members, failures = unzip(data)
    return failures + examine(members, None, verify_signature)


def test_listening_and_exporting_leave_operations(admin: httpx.Client) -> None:
    for _ in range(3):
        assert admin.get("/api/calls/call-0004/audio", headers={"Range": "bytes=0-99"}).status_code == 206
    assert faults(admin.get("/api/calls/call-0004/bundle").content) == []
    assert admin.post("/api/calls/call-0004/verify").json()["valid"]
    assert operations(admin, "call:call-0004") == [("demo", "verified"), ("demo", "exported"), ("demo", "listened")]
    assert admin.post("/api/evidence/check").json() == {"valid": True, "failures": []}


def test_the_state_of_the_log(admin: httpx.Client) -> None:
    state = admin.get("/api/evidence").json()
    assert state["size"] >= 5 and state["failures"] == [] and state["witnessed"] == 0


def test_a_redacted_copy_verifies_and_says_less(admin: httpx.Client) -> None:
    wanted = {"spans": [{"channel": "right", "from_s": 0, "to_s": 2}], "reason": "third party's voice"}
    copy = admin.post("/api/calls/call-0000/redact", json=wanted).content
    assert faults(copy) == []
    assert json.loads(unzip(copy)[0]["redaction.json"])["by"] == "demo"
    wanted["spans"][0]["to_s"] = 10_000  # type: ignore[index]
    assert admin.post("/api/calls/call-0000/redact", json=wanted).status_code == 422
    assert admin.post("/api/calls/none/redact", json=wanted).status_code == 404
    assert operations(admin, "call:call-0000")[0] == ("demo", "redacted")


def test_a_case_in_one_file(admin: httpx.Client) -> None:
    case_id = admin.get("/api/calls/call-0000").json()["case_id"]
    answer = admin.get(f"/api/cases/{case_id}/evidence")
    assert answer.status_code == 200, answer.text
    data = answer.content
    assert faults(data) == []
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert "call-call-0000.zip" in names and "operations.jsonl" in names
    masked = admin.get(f"/api/cases/{case_id}/evidence", params={"masked": True}).content
    assert faults(masked) == [] and not [one for one in unzip(masked)[0] if one.endswith(".zip")]
    assert admin.get("/api/cases/none/evidence").status_code == 404


def test_a_vcon(admin: httpx.Client) -> None:
    vcon = admin.get("/api/calls/call-0000/vcon").json()
    assert vcon["dialog"][0]["type"] == "recording" and len(vcon["parties"]) == 2


def test_holds_are_put_on_and_lifted(admin: httpx.Client) -> None:
    case_id = admin.get("/api/calls/call-0000").json()["case_id"]
    assert admin.post(f"/api/cases/{case_id}/holds", json={"reason": "诉讼 (2026) 123"}).status_code == 200
    (hold,) = admin.get("/api/holds", params={"case_id": case_id}).json()
    assert (hold["reason"], hold["by"]) == ("诉讼 (2026) 123", "demo")
    assert admin.post(f"/api/holds/{hold['id']}/lift").status_code == 200
    assert admin.post(f"/api/holds/{hold['id']}/lift").status_code == 404
    assert admin.post("/api/cases/none/holds", json={"reason": "none"}).status_code == 404
    assert operations(admin, f"case:{case_id}")[:2] == [("demo", "released"), ("demo", "held")]


@pytest.mark.parametrize("path", ["/evidence", "/api/evidence", "/api/evidence/operations", "/api/holds"])
def test_nobody_else_sees_who_listened(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code in (303, 307, 401)


def test_the_page_tells_a_damaged_log() -> None:
    words = Words("zh")
    state = {"size": 3, "origin": "voicebot/1", "root": "ab", "witnessed": 2, "witnessed_at": "20261124021105Z"}
    broken = log_panel(words, {**state, "failures": [{"code": "log_forked", "what": "<b>"}]})
    assert words("vault.broken") in broken and "&lt;b&gt;" in broken and "2026-11-24 02:11 UTC" in broken
    assert words("vault.sound") in log_panel(words, {**state, "failures": []})
    assert words("vault.none") in log_panel(words, None)
    assert words("vault.holds.none") in holds_panel(words, [])
    assert words("vault.operations.none") in operations_panel(words, [])


def test_the_page_is_served(admin: httpx.Client) -> None:
    assert admin.post("/api/calls/call-0002/verify").json()["valid"]
    page = admin.get("/evidence")
    assert page.status_code == 200 and "证据与保管" in page.text
    assert admin.get("/evidence", params={"before": "nonsense"}).status_code == 200


def test_uploads_are_told_once_there_are_any(admin: httpx.Client) -> None:
    assert admin.get("/api/evidence/uploads").json() == {
        "waiting": 0, "failing": 0, "verified": 0, "size": 0, "removed": 0, "oldest": None, "error": ""
    }  # fmt: skip
    words = Words("zh")
    assert uploads_panel(words, UploadFigures()) == ""
    stuck = uploads_panel(words, UploadFigures(waiting=2, failing=1, verified=5, size=12_300_000, error="桶不存在 <b>"))
    assert all(told in stuck for told in ("上传受阻", "5 通，12.3 MB", "2 通，其中 1 通受阻", "桶不存在 &lt;b&gt;"))
    assert "全部已上传并核对" in uploads_panel(words, UploadFigures(verified=5, size=1))
