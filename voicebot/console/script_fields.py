"""Script fields: what the form of a card or of a global signal holds, read from its YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Form = dict[str, Any]
"""Keys as in the YAML; prompts are rows of text, if, must_hear and `at`, where they stood; so are branches."""

PROMPTS = ("say", "again", "short", "no_input")
TEXTS = (
    "topic", "goto", "exhausted", "silent", "failed", "skill", "reason", "briefing", "hold", "channel", "otherwise",
    "yes", "no", "changed", "soft", "script", "tone",
)  # fmt: skip
NUMBERS = ("patience", "tries", "at_least")
FLAGS = ("gentle", "urgent", "resume")
BRANCH_TEXTS = ("if",)
SHOWN: dict[str, tuple[str, ...]] = {
    "ask": (
        "say", "topic", "branches", "again", "no_input", "short", "tries", "exhausted", "patience", "silent", "do",
        "gentle",
    ),
    "say": ("say", "do", "goto", "gentle"),
    "record": ("do", "goto"),
    "promise": (
        "say", "again", "channel", "yes", "changed", "no", "otherwise", "soft", "branches", "tries", "exhausted",
    ),
    "script": ("script",),
    "branch": ("branches", "do"),
    "transfer": ("say", "do", "skill", "reason", "briefing", "hold", "failed", "urgent", "gentle"),
    "hang_up": ("do",),
    "message": ("say", "do"),
    "handler": ("hears", "if", "say", "do", "goto", "at_least", "resume"),
}  # fmt: skip
"""The fields of each kind of card, in order; what else stands in the YAML stays as it is."""


def form_of(body: Mapping[str, Any]) -> Form:
    """Everything the form can show of a card, signal or branch; wrong types come out as something that can be shown."""
    form: Form = {"kind": str(body.get("kind", ""))}
    for key in PROMPTS:
        form[key] = prompts_of(body.get(key))
    for key in (*TEXTS, "if"):
        form[key] = "" if body.get(key) is None else str(body[key])
    for key in NUMBERS:
        form[key] = "" if body.get(key) is None else f"{body[key]}"
    for key in FLAGS:
        form[key] = bool(body.get(key, key == "resume"))
    form["hears"] = _ids(body.get("hears"))
    form["do"] = _effects(body.get("do"))
    branches = body.get("branches")
    form["branches"] = [
        {"at": at, **_branch(branch)} for at, branch in enumerate(branches if isinstance(branches, list) else [])
    ]
    return form


def prompts_of(value: Any) -> list[Form]:
    items = value if isinstance(value, list) else [value] if value is not None else []
    return [_prompt(at, item) for at, item in enumerate(items)]


def _prompt(at: int, item: Any) -> Form:
    if isinstance(item, Mapping):
        must = item.get("interruptible") is False
        return {"at": at, "text": str(item.get("text", "")), "if": str(item.get("if") or ""), "must_hear": must}
    return {"at": at, "text": "" if item is None else str(item), "if": "", "must_hear": False}


def _branch(branch: Any) -> Form:
    if not isinstance(branch, Mapping):
        return {"hears": [], "if": "", "say": [], "do": [], "goto": ""}
    when = branch.get("if")
    return {
        "hears": _ids(branch.get("hears")),
        "if": "" if when is None else str(when),
        "say": prompts_of(branch.get("say")),
        "do": _effects(branch.get("do")),
        "goto": str(branch.get("goto") or ""),
    }


def _ids(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []


def _effects(value: Any) -> list[str]:
    lines = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            lines += [f"{verb}: {'' if known is None else known}".rstrip(": ") for verb, known in item.items()]
        else:
            lines.append(str(item))
    return lines
