"""Script layout: where the cards of a flow stand, column by column, so that a reader follows it from left to right."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

CARD_WIDTH = 256
COLUMN_GAP = 92
ROW_GAP = 22
_SWEEPS = 6
_LEAST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Box:
    """Where a card stands, in pixels from the upper left corner of the drawing."""

    x: int
    y: int
    height: int
    column: int

    @property
    def right(self) -> int:
        return self.x + CARD_WIDTH


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all cards and the size of the drawing in pixels."""

    boxes: Mapping[str, Box]
    width: int
    height: int


def lay_out(heights: Mapping[str, int], exits: Mapping[str, Sequence[str]], roots: Sequence[str]) -> Layout:
    """Place cards of `heights` (by id) so that most of `exits` lead one column to the right.

    The first of `roots` begins the flow; what only a later root reaches stands below it, in rows.
    """
    known = {name: [t for t in exits.get(name, ()) if t in heights and t != name] for name in heights}
    main = _reached([root for root in roots[:1] if root in known], known, frozenset())
    others = [root for root in (*roots[1:], *known) if root in known]
    boxes = _place(_columns(main, known), heights, known) if main else {}
    width = max([box.right for box in boxes.values()] + [_LEAST_COLUMNS * (CARD_WIDTH + COLUMN_GAP)])
    rest = _components(_reached(others, known, frozenset(main)), known)
    boxes |= _shelve([_place(_columns(part, known), heights, known) for part in rest], width, _bottom(boxes))
    return Layout(boxes, max((box.right for box in boxes.values()), default=0), _bottom(boxes))


def _bottom(boxes: Mapping[str, Box]) -> int:
    return max((box.y + box.height for box in boxes.values()), default=0)


def _shelve(parts: Sequence[Mapping[str, Box]], width: int, top: int) -> dict[str, Box]:
    """Small flows side by side, in rows below `top`, none wider than `width` unless it is alone."""
    placed: dict[str, Box] = {}
    x, y = 0, top + 3 * ROW_GAP if top else 0
    for part in parts:
        across = max(box.right for box in part.values())
        if x and x + across > width:
            x, y = 0, _bottom(placed) + 2 * ROW_GAP
        step = x // (CARD_WIDTH + COLUMN_GAP)
        placed |= {n: replace(box, x=box.x + x, y=box.y + y, column=box.column + step) for n, box in part.items()}
        x += across + COLUMN_GAP
    return placed


def _components(names: Sequence[str], exits: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """What hangs together, in order of discovery."""
    group = {name: index for index, name in enumerate(names)}
    for name in names:
        for target in exits[name]:
            if target in group and group[target] != group[name]:
                old, new = max(group[name], group[target]), min(group[name], group[target])
                group |= {n: new for n, g in group.items() if g == old}
    parts: dict[int, list[str]] = {}
    for name in names:
        parts.setdefault(group[name], []).append(name)
    return sorted(parts.values(), key=len, reverse=True)


def _reached(roots: Sequence[str], exits: Mapping[str, Sequence[str]], without: frozenset[str]) -> list[str]:
    """Everything the roots lead to, breadth first."""
    seen: dict[str, None] = {}
    waiting = deque(root for root in roots if root not in without)
    while waiting:
        name = waiting.popleft()
        if name in seen:
            continue
        seen[name] = None
        waiting.extend(target for target in exits[name] if target not in without and target not in seen)
    return list(seen)


def _columns(band: Sequence[str], exits: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Column = least number of steps from where the band begins; where conversations end comes last."""
    inside = set(band)
    depth: dict[str, int] = {}
    entered = {target for name in band for target in exits[name] if target in inside}
    for root in [name for name in band if name not in entered] or list(band[:1]):
        depth.setdefault(root, 0)
    depth.setdefault(band[0], 0)
    waiting = deque(sorted(depth, key=band.index))
    while waiting:
        name = waiting.popleft()
        for target in exits[name]:
            if target in inside and target not in depth:
                depth[target] = depth[name] + 1
                waiting.append(target)
    for name in band:
        depth.setdefault(name, 0)
    last = max(depth.values())
    ends = [name for name in band if not exits[name] and depth[name] and sum(name in exits[n] for n in band) > 2]
    for name in ends:
        depth[name] = last + (0 if all(depth[n] < last or n in ends for n in band) else 1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in band:
        columns[depth[name]].append(name)
    return [column for column in columns if column]


def _place(columns: list[list[str]], heights: Mapping[str, int], exits: Mapping[str, Sequence[str]]) -> dict[str, Box]:
    middle = {name: 0.0 for column in columns for name in column}
    for column in columns:
        _stack(column, heights, middle, [sum(heights[n] + ROW_GAP for n in column[:i]) for i in range(len(column))])
    into: dict[str, list[str]] = {name: [] for name in middle}
    for name in middle:
        for target in exits[name]:
            if target in into:
                into[target].append(name)
    at = {name: index for index, column in enumerate(columns) for name in column}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns[1:] if forward else columns[-2::-1]:
            _pull(column, heights, middle, into if forward else exits, at, -1 if forward else 1)
    least = min(middle[name] - heights[name] / 2 for name in middle)
    step = CARD_WIDTH + COLUMN_GAP
    return {
        name: Box(index * step, round(middle[name] - heights[name] / 2 - least), heights[name], index)
        for index, column in enumerate(columns)
        for name in column
    }


def _pull(
    column: list[str],
    heights: Mapping[str, int],
    middle: dict[str, float],
    neighbours: Mapping[str, Sequence[str]],
    at: Mapping[str, int],
    side: int,
) -> None:
    """Order a column by where its neighbours on one side stand, and move its cards as near to them as they fit."""

    def wished(name: str) -> float:
        near = [middle[other] for other in neighbours[name] if other in middle and at[other] == at[name] + side]
        return sum(near) / len(near) if near else middle[name]

    wishes = {name: wished(name) for name in column}
    column.sort(key=lambda name: (wishes[name], middle[name]))
    _stack(column, heights, middle, [wishes[name] - heights[name] / 2 for name in column])


def _stack(column: Sequence[str], heights: Mapping[str, int], middle: dict[str, float], tops: Sequence[float]) -> None:
    """Least squares without overlap: pools of cards that touch move together (pool adjacent violators)."""
    offset, offsets = 0.0, []
    for name in column:
        offsets.append(offset)
        offset += heights[name] + ROW_GAP
    pools: list[tuple[float, int]] = []
    for wish, before in zip(tops, offsets, strict=True):
        total, count = wish - before, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            more, members = pools.pop()
            total, count = total + more, count + members
        pools.append((total, count))
    levels = [total / count for total, count in pools for _ in range(count)]
    for name, level, before in zip(column, levels, offsets, strict=True):
        middle[name] = level + before + heights[name] / 2
