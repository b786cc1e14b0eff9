"""Baseline: what a script achieved once, kept in a file, so that a change that makes it worse is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voicebot.dialog.script import Script
from voicebot.dialog.simulator_figures import Row, figures, verdict

TOLERANCE = 0.02
"""So much may a share fall without being called worse: four calls of two hundred."""
_SHARES = {"right_ending": "结局正确率", "right_handoff": "转人工正确率", "right_promise": "承诺正确率"}
_COUNTS = {
    "disclosed_before_verified": "核实身份前透露",
    "verified_strangers": "误认他人为本人",
    "calls_with_forbidden_speech": "有禁语的通话",
    "errors": "无法模拟",
}


class BaselineError(ValueError):
    """A baseline file cannot be read; the text says which and what to do."""


def baseline_of(script: Script, rows: Sequence[Row], personas: Sequence[Row]) -> dict[str, Any]:
    """What is kept: the figures, and for each persona whether it went as expected."""
    counted = figures(rows, personas)
    right = [row["id"] for row, persona in zip(rows, personas, strict=True) if verdict(row, persona).misses == 0]
    return {
        "script": script.id,
        "sha256": script.sha256,
        "calls": counted["calls"],
        "figures": {key: counted[key] for key in (*_SHARES, *_COUNTS)},
        "as_expected": right,
    }


def write_baseline(path: Path, baseline: Mapping[str, Any]) -> None:
    """Write a baseline so that a diff of two versions can be read."""
    path.write_text(json.dumps(baseline, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_baseline(path: Path) -> dict[str, Any]:
    """Read what `write_baseline` wrote; BaselineError for anything else."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if set(kept["figures"]) >= {*_SHARES, *_COUNTS} and isinstance(kept["as_expected"], list):
            return dict(kept)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BaselineError(f"{path}: no baseline ({error}); write one with --save") from error
    raise BaselineError(f"{path}: no baseline (figures are missing); write one with --save")


def worse(now: Mapping[str, Any], before: Mapping[str, Any], tolerance: float = TOLERANCE) -> list[str]:
    """Sentences, in Chinese, about each figure that got worse; empty when the script is as good as it was."""
    found = []
    for key, name in _SHARES.items():
        old, new = before["figures"][key], now["figures"][key]
        if old is not None and (new is None or new < old - tolerance):
            found.append(f"{name}下降：{old:.1%} → {'无' if new is None else format(new, '.1%')}")
    for key, name in _COUNTS.items():
        old, new = before["figures"][key], now["figures"][key]
        if new > old:
            found.append(f"{name}增加：{old} → {new}")
    return found


def lost(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Ids of personas that went as expected before and do not now."""
    return [name for name in before["as_expected"] if name not in set(now["as_expected"])]
