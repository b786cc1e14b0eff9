"""What answers mean: every status and every cause has a row with its source, and the page shows them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.telephony.answer_page import answer_page
from voicebot.audio.answer import LineSound
from voicebot.domain.outcome import Disposition
from voicebot.domain.talk import GOES_ON
from voicebot.pipeline import machine, machine_words
from voicebot.telephony.outcome import (
    NOTHING_CAME,
    Answer,
    Blame,
    Retry,
    announced,
    answer_of,
    answers,
    disposition_of,
)

ROOT = Path(__file__).parents[3]
REGISTERED = """300 301 302 305 380 400 401 402 403 404 405 406 407 408 410 412 413 414 415 416
417 420 421 422 423 424 425 428 429 430 433 436 437 438 439 440 469 470 480 481
482 483 484 485 486 487 488 489 491 493 494 500 501 502 503 504 505 513 555 580
600 603 604 606 607 608"""


def test_every_registered_status_has_a_row() -> None:
    assert sorted(answers().sip) == [int(code) for code in REGISTERED.split()]


def test_every_row_has_a_source_and_nobody_talked() -> None:
    rows = [*answers().sip.values(), *answers().q850.values()]
    assert all(row.source and row.name and not row.disposition.talked for row in rows)
    assert all(0 < code < 128 for code in answers().q850)
    assert answers().weak <= set(answers().q850)


@pytest.mark.parametrize(
    ("status", "cause", "disposition", "retry", "blame"),
    [
        (486, None, "busy", "later", "callee"),
        (404, None, "unreachable", "never", "callee"),
        (480, None, "no_answer", "later", "callee"),
        (480, 20, "unreachable", "next_day", "callee"),
        (500, 17, "busy", "later", "callee"),
        (503, 1, "unreachable", "never", "callee"),
        (486, 31, "busy", "later", "callee"),
        (486, 16, "busy", "later", "callee"),
        (503, 34, "failed", "other_trunk", "trunk"),
        (603, None, "rejected", "next_day", "callee"),
        (403, None, "failed", "fix", "trunk"),
        (488, None, "failed", "fix", "us"),
        (499, None, "failed", "fix", "us"),
        (599, None, "failed", "other_trunk", "trunk"),
        (699, None, "busy", "later", "callee"),
        (None, None, "failed", "other_trunk", "trunk"),
        (None, 31, "no_answer", "later", "callee"),
        (503, 45, "failed", "other_trunk", "network"),
        (480, 200, "no_answer", "later", "callee"),
    ],
)
def test_what_answers_mean(status: int | None, cause: int | None, disposition: str, retry: str, blame: str) -> None:
    answer = answer_of(status, cause)
    assert (answer.disposition, answer.retry, answer.blame) == (disposition, retry, blame)


@given(st.none() | st.integers(-5, 1000), st.none() | st.integers(-5, 300))
def test_anything_has_a_meaning(status: int | None, cause: int | None) -> None:
    answer = answer_of(status, cause)
    assert isinstance(answer, Answer) and answer.disposition is disposition_of(status, cause)
    if answer.retry is Retry.NEVER:
        assert answer.disposition is Disposition.UNREACHABLE and answer.blame is Blame.CALLEE
    if answer.retry is Retry.OTHER_TRUNK:
        assert answer.blame in (Blame.TRUNK, Blame.NETWORK) and answer.disposition is Disposition.FAILED


@pytest.mark.parametrize(
    ("status", "cause", "said", "disposition"),
    [(487, None, 486, "busy"), (503, None, 404, "unreachable"), (500, 17, 404, "busy"), (486, None, 404, "busy"),
     (None, None, 603, "rejected"), (480, None, 200, "no_answer")],
)  # fmt: skip
def test_a_sip_cause_tells_what_stands_behind_a_general_status(
    status: int | None, cause: int | None, said: int, disposition: str
) -> None:
    assert disposition_of(status, cause, said) == disposition


def test_every_announcement_that_is_recognised_has_a_row() -> None:
    """The cues of voicebot/pipeline/machine.py."""
    known = {"empty_number": "never", "power_off": "later", "suspended": "next_day", "out_of_service": "later"}
    assert {cue: announced(cue).retry.value for cue in known} == known
    assert all(announced(cue).disposition is Disposition.UNREACHABLE for cue in (*known, "something new"))
    assert announced("busy").disposition is Disposition.BUSY
    cues = set(machine_words.cues("announcement")) | {tone.value for tone in (*machine.TONES, LineSound.FAX)}
    assert cues - GOES_ON == set(answers().announcements)


def test_silence_is_the_trunks_fault() -> None:
    assert answer_of(None) is NOTHING_CAME


def test_the_page_shows_the_table() -> None:
    """After a change of the table: python -m tests.voicebot.telephony.answer_page"""
    assert (ROOT / "docs/reference/answers.md").read_text(encoding="utf-8") == answer_page()
