"""Parcel: a script and the text of every script it rests on in one file, so that nothing can change under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_MARK = re.compile(r"^#=+ carried: ([\w.@-]+)$\n", re.MULTILINE)
_NAMING = re.compile(r"^\s*(?:-|extends:|include:|script:)(.*)$", re.MULTILINE)
_NAME = re.compile(r"[\w.@-]+")


def parcel(name: str, source: str, find: Callable[[str], str | None]) -> str:
    """`source` with all scripts it may name behind it, nearest first; without any, `source` as it is.

    `find` gives the text of a script, None when there is none of that name.
    """
    carried: dict[str, str] = {}
    waiting = [source]
    while waiting:
        for other in _names(waiting.pop(0)):
            text = None if other in carried or other == name else find(other)
            if text is not None:
                carried[other] = opened(text)[0]
                waiting.append(text)
    return _ended(source) + "".join(f"#==== carried: {other}\n{_ended(text)}" for other, text in carried.items())


def opened(text: str) -> tuple[str, Mapping[str, str]]:
    """The script itself, and what it carries by name."""
    own, *rest = _MARK.split(text)
    return own, dict(zip(rest[::2], rest[1::2], strict=True))


def _names(source: str) -> list[str]:
    return [name for line in _NAMING.findall(source) for name in _NAME.findall(line.partition("#")[0])]


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"
