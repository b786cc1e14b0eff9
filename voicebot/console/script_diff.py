"""Script diff: what two versions of a script do not have in common, as cards and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup

from voicebot.console.markup import tag
from voicebot.console.shell import empty
from voicebot.console.words import Words
from voicebot.dialog.script import Script, Where

_CONTEXT = 3
_PLACES = frozenset({"places", "where", "goto_where"})


def changes(before: Script, after: Script) -> dict[str, str]:
    """added, changed or removed by card id, and by `handlers.<name>` for signals; what is the same is left out."""
    found = _compared(before.nodes, after.nodes, "")
    signals = [{handler.name: handler for handler in script.handlers} for script in (before, after)]
    return found | _compared(signals[0], signals[1], "handlers.")


def _compared(before: Mapping[str, object], after: Mapping[str, object], prefix: str) -> dict[str, str]:
    found = {prefix + name: "removed" for name in before.keys() - after.keys()}
    for name, value in after.items():
        if name not in before:
            found[prefix + name] = "added"
        elif _bare(before[name]) != _bare(value):
            found[prefix + name] = "changed"
    return found


def _bare(value: object) -> Any:
    """A value without the places in the file and what was compiled of it: moving a card changes nothing."""
    if isinstance(value, Where) or callable(value):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return tuple((f.name, _bare(getattr(value, f.name))) for f in fields(value) if f.name not in _PLACES)
    if isinstance(value, (tuple, list)):
        return tuple(_bare(item) for item in value)
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _bare(item)) for key, item in value.items()))
    return value


def drawn_diff(words: Words, before: str, after: str) -> Markup:
    """Two texts line by line: what went is marked -, what came +; equal parts are cut short."""
    rows = list(_rows(before.splitlines(), after.splitlines()))
    if not any(sign != " " for sign, *_ in rows):
        return empty("check", words("script.diff.none"), small=True)
    drawn = [
        tag(
            "tr",
            tag("td", left or "", cls="no"),
            tag("td", right or "", cls="no"),
            tag("td", sign, cls="sign"),
            tag("td", tag("code", text)),
            cls={"+": "came", "-": "went", "@": "gap"}.get(sign, ""),
        )
        for sign, left, right, text in rows
    ]
    return tag("div", tag("table", tag("tbody", *drawn), cls="diff"), cls="scroll")


def _rows(before: list[str], after: list[str]) -> Iterator[tuple[str, int | None, int | None, str]]:
    groups = SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT)
    for index, group in enumerate(groups):
        if index or group[0][1]:
            yield "@", None, None, "⋯"
        for kind, a, a_end, b, b_end in group:
            if kind == "equal":
                yield from ((" ", a + i + 1, b + i + 1, line) for i, line in enumerate(before[a:a_end]))
                continue
            yield from (("-", a + i + 1, None, line) for i, line in enumerate(before[a:a_end]))
            yield from (("+", None, b + i + 1, line) for i, line in enumerate(after[b:b_end]))
