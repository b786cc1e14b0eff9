"""The table docs/reference/situations.md: each situation, what is demanded, how it is played and what is asserted.

python -m tests.scenarios.situations.coverage
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .play import HERE, situations

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "situations.md"
GROUPS = {
    "S1": "接通与身份", "S2": "第三人", "S3": "承诺与履约", "S4": "困难", "S5": "异议",
    "S6": "拒绝与情绪", "S7": "人身安全与特殊人群", "S8": "方法、账务、阶段、规则与设备",
}  # fmt: skip
_HEAD = """# The 184 situations

What can happen on a call, and what must follow. Each row is played: what the callee says goes through the real
understanding, the engine and the speech gate; the test asserts the response and the action. Rows without a
conversation are checked where they are decided (`tests/scenarios/situations/elsewhere.py`) or by the test named.

    .venv/bin/pytest -q tests/scenarios/situations

The plays: `tests/scenarios/situations/s1.yaml` … `s8.yaml`. This page is made of them by
`python -m tests.scenarios.situations.coverage`; a test fails when it is not up to date.

"""


def catalogue() -> list[dict[str, Any]]:
    """The situations, as they were written down: no, group, situation, response."""
    entries: list[dict[str, Any]] = json.loads((HERE / "catalogue.json").read_text("utf-8"))
    return entries


def page() -> str:
    """The whole page."""
    played: dict[int, list[dict[str, Any]]] = {}
    for entry in situations():
        played.setdefault(entry["no"], []).append(entry)
    wanted = catalogue()
    covered = sum(each["no"] in played for each in wanted)
    plays = sum(len(entry.get("plays", ())) for entry in situations())
    lines = [f"Covered: {covered} of {len(wanted)}, with {plays} plays.", ""]
    for group, title in GROUPS.items():
        lines += [f"## {group} {title}", "", "| | situation | demanded | script | said, for example | asserted |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [_row(each, played.get(each["no"], [])) for each in wanted if each["group"] == group]
        lines.append("")
    return _HEAD + "\n".join(lines).rstrip() + "\n"


def _row(wanted: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    scripts = dict.fromkeys(entry.get("script", "reminder") for entry in entries if entry.get("plays"))
    said = next((_said(entry["plays"][0]) for entry in entries if entry.get("plays")), "")
    asserted = "; ".join(dict.fromkeys(part for entry in entries for part in _asserted(entry)))
    cells = (str(wanted["no"]), wanted["situation"], wanted["response"], ", ".join(scripts), said, asserted)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _said(turns: Any) -> str:
    texts = [turns] if isinstance(turns, str) else [t if isinstance(t, str) else "（挂断）" for t in turns]
    return " → ".join(text or "（沉默）" for text in texts)


def _asserted(entry: dict[str, Any]) -> list[str]:
    parts = [f"ends {entry['ends']}"] if "ends" in entry else []
    parts += [f"fetches {entry['skill']}"] if "skill" in entry else []
    parts += list(entry.get("did", ()))
    if entry.get("promise"):
        parts.append(f"promise +{entry['promise']['days']} d, {entry['promise']['fen'] // 100} yuan")
    parts += ["no promise"] if "promise" in entry and entry["promise"] is None else []
    parts += [f"says {each}" for each in entry.get("says", ())]
    parts += ["never " + ", ".join(entry["never"])] if entry.get("never") else []
    parts += [f"`{entry[key]}`" for key in ("check", "test") if key in entry]
    return parts


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
