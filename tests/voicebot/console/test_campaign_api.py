"""Segments, strategies, what-if and the giving of cases, over HTTP."""

from __future__ import annotations

import httpx
import pytest

STRATEGY = """title: 试用策略
hold_out: 0.1
steps:
  - days: [1, 7]
    message: reminder
  - days: [12]
    call: reminder
"""


def test_segments_say_how_much_is_in_them_and_parts_add_up(admin: httpx.Client) -> None:
    rows = {row["segment_id"]: row for row in admin.get("/api/segments").json()}
    assert rows["month-two"]["hours_from"] == "15:00" and rows["month-two"]["version"] == 0
    portrait = admin.get("/api/segments/never-rung/portrait").json()
    assert portrait["cases"] == rows["never-rung"]["cases"]
    for parts in ("by_stage", "by_amount", "by_tier", "by_creditor"):
        assert sum(part["cases"] for part in portrait[parts]) == portrait["cases"]
    assert admin.get("/api/segments/nobody/portrait").status_code == 404


def test_a_segment_is_saved_read_and_used(admin: httpx.Client) -> None:
    text = "title: 大额\namount_yuan: [5000, null]\nhours: ['10:00', '12:00']\n"
    saved = admin.post("/api/policies/segments/big-ones", json={"source": text, "based_on": 0})
    assert saved.json()["version"] == 1
    row = next(row for row in admin.get("/api/segments").json() if row["segment_id"] == "big-ones")
    seen = admin.post("/api/campaigns/what-if", json={"name": "x", "script": "reminder", "segment": "big-ones"}).json()
    assert seen["cases"] == row["cases"] > 0
    assert seen["cases"] == sum(seen[part] for part in ("due", "not_due", "held_out", "unreachable", "pulled"))
    made = admin.post("/api/campaigns", json={"name": "大额", "script": "reminder", "segment": "big-ones"}).json()
    assert (made["segment"], made["hours_from"], made["mode"]) == ("big-ones", "10:00", "robot")
    again = admin.get(f"/api/campaigns/{made['campaign_id']}/what-if").json()
    assert again["cases"] == seen["cases"]


def test_nobodys_version_is_overwritten_and_history_is_kept(admin: httpx.Client) -> None:
    address = "/api/policies/strategies/by-hand"
    assert admin.post(address, json={"source": STRATEGY, "based_on": 0}).status_code == 200
    conflict = admin.post(address, json={"source": STRATEGY, "based_on": 0})
    assert conflict.status_code == 409 and "version 1" in conflict.json()["detail"]
    assert admin.post(address, json={"source": STRATEGY + "order: hardest\n", "based_on": 1}).json()["version"] == 2
    assert [one["version"] for one in admin.get(f"{address}/versions").json()] == [2, 1]
    assert admin.get(address).json()["problems"] == []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("title: x\nsteps: []\n", "list of `steps:`"),
        ("steps: {", "no YAML"),
        ("title: x\nsteps: [{days: [2], call: s1, tone: formal}]\n", "too firm"),
        ("", "nothing was written"),
    ],
)
def test_what_is_wrong_is_said_and_not_saved(admin: httpx.Client, source: str, named: str) -> None:
    answer = admin.post("/api/policies/strategies/wrong", json={"source": source})
    assert answer.status_code == 422 and named in answer.json()["detail"]
    assert admin.get("/api/policies/strategies/wrong").status_code == 404


def test_a_check_names_scripts_and_templates_that_are_not_there(admin: httpx.Client) -> None:
    source = STRATEGY.replace("call: reminder", "call: unheard-of").replace("message: reminder", "message: unwritten")
    checked = admin.post("/api/policies/strategies/check-me/check", json={"source": source}).json()
    assert any("unheard-of" in problem for problem in checked["problems"])
    assert any("unwritten" in problem for problem in checked["problems"])


def test_cases_are_given_to_people_dry_first(admin: httpx.Client) -> None:
    sam = {"id": "sam", "name": "Sam", "address": "sip:sam@pbx.example"}
    assert admin.post("/api/people/agents", json=sam).status_code < 300
    wanted = {"by": "balance", "cap": 2, "dry": True}
    said = admin.post("/api/segments/never-rung/share-out", json=wanted).json()
    assert said["dry"] and said["cases"] == len(said["given"]["sam"]) == 2
    done = admin.post("/api/segments/never-rung/share-out", json={**wanted, "dry": False}).json()
    assert done["given"] == said["given"]
    risk = admin.get(f"/api/cases/{done['given']['sam'][0]}/risk").json()
    assert [(one["agent_id"], one["mode"], one["by"]) for one in risk["assignments"]] == [("sam", "push", "demo")]
    assert risk["score"] is None


def test_the_backtest_answers_without_a_past(admin: httpx.Client) -> None:
    tested = admin.get("/api/backtest", params={"days": 30}).json()
    assert tested["auc"] is None and tested["scorer"] == "standard"
