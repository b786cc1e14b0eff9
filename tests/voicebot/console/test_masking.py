"""Who may not see names sees none: on pages, in the API and in exports; numbers nobody sees whole."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from tests.voicebot.console.day import PASSWORD, PEOPLE
from tests.voicebot.console.served import Served
from voicebot.cases.exporting import masked_line
from voicebot.console.masking import name_shown, story_shown, text_shown, viewer
from voicebot.console.queries import Account
from voicebot.console.story import CallStory, Line
from voicebot.domain.names import mask_name

READ = (
    "/", "/calls", "/calls/call-0000", "/calls/live-3", "/scripts", "/reports", "/rules", "/evidence", "/access",
    "/account", "/api/calls", "/api/calls/call-0000", "/api/calls?text=张伟", "/api/reports", "/api/rules/ledger",
    "/api/rules/ledger/export.csv", "/api/rules/ledger/export.jsonl",
    "/api/evidence/operations", "/api/account", "/api/access", "/cases", "/cases/XH20260000", "/promises", "/tickets",
    "/wall", "/search?text=账单", "/review/call-0000", "/api/cases", "/api/cases/XH20260000",
    "/api/quality/search?text=张", "/api/cases/export?format=csv", "/api/promises", "/api/floor",
    "/api/cases/XH20260000/evidence",
)  # fmt: skip
"""Everything that an auditor reads, or would with more permissions."""
MORE = ("cases", "wall", "review", "search_calls", "tickets", "evidence", "campaigns", "desk", "supervise")
WHOLE_NUMBER = re.compile(r"1380013\d{4}")
ANOTHER = {"/": "张伟", "/wall": "张伟"}
"""The running call of the day asks its debtor for somebody else, whose name nothing ties to the call."""


@pytest.fixture(scope="module")
def curious(console: Served) -> Iterator[httpx.Client]:
    """An auditor who may read everything there is, but no names."""
    with psycopg.connect(console.database) as connection:
        connection.execute(
            "INSERT INTO users (username, role, display_name, password_hash, created_at) "
            "SELECT 'curious', 'auditor', '审计一号', password_hash, now() FROM users WHERE username = 'qa'"
        )
        for permission in MORE:
            connection.execute("INSERT INTO permissions VALUES ('auditor', %s) ON CONFLICT DO NOTHING", [permission])
    with httpx.Client(base_url=console.url, timeout=60) as client:
        client.post("/login", data={"username": "curious", "password": PASSWORD})
        yield client
    with psycopg.connect(console.database) as connection:
        connection.execute("DELETE FROM permissions WHERE role = 'auditor' AND permission = ANY (%s)", [list(MORE)])
        connection.execute("DELETE FROM users WHERE username = 'curious'")


@pytest.mark.parametrize("path", READ)
def test_no_name_and_no_number_reaches_who_may_not_see_them(curious: httpx.Client, path: str) -> None:
    answer = curious.get(path)
    assert answer.status_code == 200, answer.text[:200]
    text = html.unescape(answer.text) + re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), answer.text)
    query = path.partition("=")[2]
    seen = [name for name in PEOPLE if name in text and name not in query and name != ANOTHER.get(path)]
    assert seen == [], f"{path} shows {seen}"
    assert WHOLE_NUMBER.findall(text) == []


def test_who_may_see_names_sees_them_and_no_whole_numbers(log_in: Callable[[str], httpx.Client]) -> None:
    for user in ("demo", "qa"):
        page = log_in(user).get("/calls").text
        assert "张伟" in page and WHOLE_NUMBER.findall(page) == []
        assert log_in(user).get("/api/calls/call-0000").json()["debtor_name"] in PEOPLE


def test_what_is_sealed_is_not_given_to_who_may_not_see_names(curious: httpx.Client) -> None:
    refused = curious.get("/api/calls/call-0000/bundle")
    assert refused.status_code == 403 and "names" in refused.json()["detail"]


def test_an_export_is_masked_or_whole(curious: httpx.Client, admin: httpx.Client) -> None:
    whole = admin.get("/api/cases/export?format=csv").text
    assert "张伟" in whole and WHOLE_NUMBER.findall(whole)
    masked = curious.get("/api/cases/export?format=csv").text
    assert "张*" in masked and "138****8000" in masked and "3318" not in masked and "0806" not in masked
    assert len(masked.splitlines()) == len(whole.splitlines())
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(curious.get("/api/cases/export?format=xlsx").content))
    cells = {str(cell) for row in book.active.iter_rows(values_only=True) for cell in row}  # type: ignore[union-attr]
    assert "张*" in cells and not cells & set(PEOPLE)


def test_where_nobody_is_known_to_look_everything_is_masked() -> None:
    story = CallStory(lines=(Line("bot", "是张伟先生吗", 0, 1),), hearing="我是张伟")
    assert name_shown("欧阳明月") == "欧***" and text_shown("张伟和李娜", "张伟", None, "") == "张*和李娜"
    assert story_shown(story, "张伟").lines[0].text == "是张*先生吗" and story_shown(story, "张伟").hearing == "我是张*"
    token = viewer.set(Account("boss", "admin", "", frozenset({"names"})))
    try:
        assert name_shown("张伟") == "张伟" and story_shown(story, "张伟") is story
    finally:
        viewer.reset(token)
    assert [mask_name(name) for name in ("", "张", "张伟", "Alexander")] == ["", "张", "张*", "A***"]
    assert masked_line(["C1", "D1", "张伟", "先生", "+8613800138000", "", "3318"])[2:] == [
        "张*", "先生", "138****8000", "", "****",
    ]  # fmt: skip
