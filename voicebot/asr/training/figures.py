"""The figures of an utterance: amounts, dates, times and digits, to count how many were heard right."""

import re
from collections.abc import Iterable

_ONES = "零幺一二两三四五六七八九"
_NUMERAL = f"[{_ONES}十百千万点半几]"
_UNIT = "个月|个星期|个礼拜|块|元|毛|角|分|月|号|日|点|天|周|期|年|岁|号"
_FIGURE = re.compile(
    f"(?:下下|[上下这本]个?)?(?:周|星期|礼拜)[一二三四五六日天]"
    f"|大后天|[今明后][天儿早晚]|[上下这本]个?月[初底]?|月[初底]|周末"
    f"|(?:{_NUMERAL}{{2,}}|{_NUMERAL}(?={_UNIT}))(?:{_UNIT})?"
)


def figures(text: str) -> list[str]:
    """What the text says in figures, in order: 我下周三先还一千二 -> [下周三, 一千二]. 幺 and 一 are the same digit."""
    return [found.replace("幺", "一") for found in _FIGURE.findall(text)]


def right(meant: str, heard: str) -> tuple[int, int]:
    """How many figures of `meant` stand in `heard` in the same order, and how many there are."""
    wanted = figures(meant)
    return _in_order(wanted, figures(heard)), len(wanted)


def _in_order(wanted: list[str], found: Iterable[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(wanted) + 1)
    for figure in found:
        diagonal = 0
        for i, want in enumerate(wanted, 1):
            diagonal, row[i] = row[i], diagonal + 1 if figure == want else max(row[i], row[i - 1])
    return row[-1]
