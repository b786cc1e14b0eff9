"""Script merge: two people's changes of one text, put together line by line (three-way, as version control does)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MINE, BETWEEN, THEIRS = "<<<<<<<", "=======", ">>>>>>>"


@dataclass(frozen=True, slots=True)
class Merged:
    """`text` with everything of both; `overlaps` are the lines (from 1) of `text` where both changed the same place."""

    text: str
    overlaps: tuple[int, ...] = ()


def merged(base: str, mine: str, theirs: str, my_name: str = "", their_name: str = "") -> Merged:
    """Total: every line that somebody wrote is in the result, marked where they collide."""
    old, one, other = (text.splitlines(keepends=True) for text in (base, mine, theirs))
    in_mine, in_theirs = _kept(old, one), _kept(old, other)
    lines: list[str] = []
    overlaps: list[int] = []
    at, a, b = 0, 0, 0
    while at < len(old) or a < len(one) or b < len(other):
        if at < len(old) and in_mine.get(at) == a and in_theirs.get(at) == b:
            lines.append(old[at])
            at, a, b = at + 1, a + 1, b + 1
            continue
        ahead = range(at, len(old))
        sync = next((i for i in ahead if in_mine.get(i, -1) >= a and in_theirs.get(i, -1) >= b), None)
        stop, a_stop, b_stop = (
            (len(old), len(one), len(other)) if sync is None else (sync, in_mine[sync], in_theirs[sync])
        )
        was, my, their = old[at:stop], one[a:a_stop], other[b:b_stop]
        if my == their or their == was:
            lines += my
        elif my == was:
            lines += their
        else:
            overlaps.append(len(lines) + 1)
            lines += [f"{MINE} {my_name}\n", *_ended(my), f"{BETWEEN}\n", *_ended(their), f"{THEIRS} {their_name}\n"]
        at, a, b = stop, a_stop, b_stop
    return Merged("".join(lines), tuple(overlaps))


def _kept(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {block.a + i: block.b + i for block in blocks for i in range(block.size)}


def _ended(lines: Sequence[str]) -> list[str]:
    return [line if line.endswith("\n") else line + "\n" for line in lines]
