"""No shipped script gets worse with the shipped personas than its baseline says.

.venv/bin/voicebot script simulate scripts/reminder.yaml --save tests/scenarios/baselines/reminder.json
"""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import scripts_dir
from voicebot.dialog.loader import load_script
from voicebot.dialog.simulator import simulate
from voicebot.dialog.simulator_baseline import baseline_of, lost, read_baseline, worse
from voicebot.dialog.simulator_crowd import shipped_personas
from voicebot.pipeline.rehearsal import Rehearsal

BASELINES = Path(__file__).parent / "baselines"
SCRIPTS = sorted(path.stem for path in scripts_dir().glob("*.yaml"))
GATED = ("reminder", "inbound")
"""With the gate listening; the others say much the same, and the checker has every sentence of them judged."""


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_as_good_as_it_was(name: str, rehearsal: Rehearsal) -> None:
    script, people = load_script(scripts_dir() / f"{name}.yaml"), shipped_personas()
    if name in GATED:
        rows = list(rehearsal.calls(script, people))
    else:
        rows = list(simulate(script, people, understand=rehearsal.understand))
    now, before = baseline_of(script, rows, people), read_baseline(BASELINES / f"{name}.json")
    assert before["script"] == name
    assert worse(now, before) == [], f"not as expected any more: {lost(now, before)}"
    assert now["figures"]["disclosed_before_verified"] == 0, "the debt was named before identity was proven"
    assert now["figures"]["verified_strangers"] == 0, "somebody passed for the debtor"


def test_the_reminder_meets_its_targets() -> None:
    """What the shipped reminder is held to, whatever its baseline was."""
    figures = read_baseline(BASELINES / "reminder.json")["figures"]
    assert figures["right_ending"] >= 0.96 and figures["right_handoff"] >= 0.97 and figures["right_promise"] >= 0.98
