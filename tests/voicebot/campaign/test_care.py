"""The file of what follows calls: ours holds, mistakes are named."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.care import CareError, load_follow_up, parse_follow_up
from voicebot.config import scripts_dir
from voicebot.domain.ticket import TicketKind
from voicebot.messages.templates import shipped_templates

OURS = resources.files("voicebot.campaign").joinpath("follow_up.yaml").read_text("utf-8")


def test_ours_names_scripts_and_templates_that_are_there_and_where_its_times_come_from() -> None:
    care = load_follow_up()
    assert (scripts_dir() / f"{care.promises.day_script}.yaml").is_file()
    assert (scripts_dir() / f"{care.promises.missed_script}.yaml").is_file()
    assert set(care.recaps.values()) <= set(shipped_templates())
    assert set(care.tickets) == set(TicketKind)
    assert care.tickets[TicketKind.COMPLAINT].due == dt.timedelta(days=15)
    assert all(rule.source for rule in care.tickets.values())


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("due: 15d", "due: soon", "4h or 15d"),
        ("team: supervisor", "team: nobody", "team nobody"),
        ("grace_days: 1", "grace_days: -1", "grace_days"),
        ("partly_share: 0.3", "partly_share: 1.3", "partly_share"),
        ("kept_share: 1.0", "kept_share: 0.2", "above kept_share"),
        ("lifts: [complaint]", "lifts: complaint", "lifts"),
        ("  complaint:", "  complain:", "complaint"),
        ("recaps:", "recap:", "recaps"),
        ("  callback: callback_recap", "  called: callback_recap", "called"),
        ("wait: 30m", "wait: 30", "redial.after.busy: wait"),
        ("wait: 30m", "wait: 9h", "redial.after.busy: longest"),
        ("  busy: ", "  bussy: ", "bussy"),
        ("  busy: ", "  refusal: ", "refusal is an answer"),
        ("most_tries: 8", "most_tries: 0", "most_tries"),
    ],
)
def test_mistakes_are_named(before: str, after: str, named: str) -> None:
    assert before in OURS
    with pytest.raises(CareError, match=named):
        parse_follow_up(OURS.replace(before, after, 1), "mine.yaml")


@given(st.text())
def test_any_text_is_a_file_or_an_error_that_names_it(source: str) -> None:
    with pytest.raises(CareError, match=r"mine\.yaml"):
        parse_follow_up(source, "mine.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CareError, match="VOICEBOT_FOLLOW_UP"):
        load_follow_up(tmp_path / "missing.yaml")
