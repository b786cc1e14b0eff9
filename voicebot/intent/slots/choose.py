"""Which of several mentions counts: negated ones don't, a correction wins, what is being paid wins; otherwise ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar


class Mention(Protocol):
    """Anything found between two positions of the line."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


M = TypeVar("M", bound=Mention)


@dataclass(frozen=True, slots=True)
class Choice(Generic[M]):
    """`chosen` counts; when it is None and `ask` is true, several candidates stand against each other."""

    chosen: M | None = None
    ask: bool = False


_DENIED_BEFORE = re.compile(r"(?:(?<!是)不是(?:说|什么|那个|这个)?|唔系|唔是|不用等到?|别等到?|不等到?|等不到|"
    r"不要|别说?|没说|没有说|并非|不能是|哪是|而不是|不用|没(?:答应|说过|讲过?)|谁说(?:我|的)?要?|又不是|不会是|可不是)$")
_DENIED_AFTER = re.compile(
    r"(?:[的那这就也是真啊呀嘛 ]|可(?!不)|肯定|可能|恐怕|实在|那天|之前|以前|我)*(?:不行|不成|不得行|不可以|"
    r"来[不勿]及|我?(?:不在(?!乎)|搞不赢|走不开|在飞机|在火车|在外地|在国外|夜班|值班|怕没)|没空|不方便|"
    r"不够|不中|太急|太赶|太紧|太早|太晚|太多|太快|太高|赶不上|搞不定|拿不出|还不起|还不了|还不上|"
    r"够呛|不一定|悬|没法|不能还|没钱|给不了|凑不(?:齐|够|出)|弄不(?:了|到)|[都也](?:没有|拿不|"
    r"凑不)|没有(?= |$)|(?:我|我上)?哪[有来]|做不到|不合适|有点(?:难|紧|悬)|不大行|"
    r"不太行|不现实|不保险)(?!吗|么)"
)
_TURN = re.compile(r"挪|[改推换延]|提前到|顺延|阳历|新历|公历|证上|写的是?|现在|不对|不是|错了|说错|说反|口误|"
    r"记错|哦不|啊不|呃不|噢不|嗯不|哎不|改|算了|应该是|还是(?!那)|要不|干脆|等等|不不|更正|纠正|不(?= |$)|后来|不如|"
    r"最后定|那就|或者干脆|最好")
_OR = re.compile(r"或|要么|还是(?=.{0,8}$)|要不就")
_PAID_AFTER = re.compile(r"[^ 发开领]{0,9}?(?:我)?(?:再|就|能|可以|一定|肯定|先|全|都|才|去|给你|把钱)*(?:还|给你|"
    r"转|存|打(?:给|过|钱|款)|付|交|处理|结|弄|清)")
_PAYDAY_AFTER = re.compile(r"[^ ]{0,3}?(?:发|开|领|出)(?:了)?(?:工资|薪|支|钱|粮|公资)")


_SELF_CORRECTED = re.compile(r"[哦啊呃噢嗯哎诶喔]不是 ?$|^(?!.*(?:是|说的?).* 不是).* 不是 $")


_LACKING = re.compile(r"(?<![有还])没有?$|凑不[够齐出到]$|拿不出来?$|还不[了起上]$")


def denied(line: str, mention: Mention) -> bool:
    """不是周五, 四号不行: what is named only to be ruled out. 哦不是 turns to what follows instead."""
    before, after = line[: mention.start].rstrip(), line[mention.end :].lstrip()
    if _SELF_CORRECTED.search(line[: mention.start]):
        return bool(_DENIED_AFTER.match(after))
    if _LACKING.search(line[: mention.start]):
        return True
    return bool(_DENIED_BEFORE.search(before)) or bool(_DENIED_AFTER.match(after))


def corrected(line: str, earlier: Mention, later: Mention) -> bool:
    """Does the line turn from `earlier` to `later` (周五 不对 周六)?"""
    return bool(_TURN.search(line[earlier.end : later.start]))


_PAY = "(?:还|给|转|付|交|存|打)"
_FIRST_THEN = re.compile(rf"先{_PAY}[^再]{{1,12}}再{_PAY}")


def first_then(line: str) -> bool:
    """今天先还两百 下周再还八百: the first of two payments is the one that is promised."""
    return bool(_FIRST_THEN.search(line))


_ONCE_SAID = re.compile(r"(?:本来|原来|原本|原先|上次|上回|之前|当初|开始|刚才|说好)(?:是|我)?(?:说|讲|定|"
    r"答应|想|打算)?[的是在好我 ]*$")


def overtaken(line: str, mention: Mention) -> bool:
    """本来说今天的 明天吧: what was said before is named only to be replaced."""
    return bool(_ONCE_SAID.search(line[: mention.start]))


def alternatives(line: str, mentions: Sequence[Mention]) -> bool:
    """周五或者周六: two that are offered side by side."""
    return any(
        _OR.search(line[one.end : two.start]) and two.start - one.end <= 6
        for one, two in pairwise(mentions)
    )


def paid_on(line: str, mention: Mention) -> bool:
    """Is this the day of paying, not of being paid?"""
    rest = line[mention.end :]
    return not _PAYDAY_AFTER.match(rest) and bool(_PAID_AFTER.match(rest))


_REST_AFTER = re.compile(r"[^ ]{0,4}?(?:再|就)?(?:还|补|给|付|交|转|打)?(?:剩下|剩余|余下|其余|尾款|余款|另一半|"
    r"另外一半|剩的)")
_REST_BEFORE = re.compile(
    r"(?:剩下|剩余|余下|其余|尾款|余款|另一半|另外一半|后面|后头|其他|剩)(?:的|那些|部分)?(?:钱|款|[零一二两三四五六七八九十百千万□]+块?)?"
    r"[我就再等到在 、,]*$"
)


def for_the_rest(line: str, mention: Mention) -> bool:
    """先还一千 剩下的月底还: the day of the remainder is not the day of this promise."""
    return bool(_REST_AFTER.match(line[mention.end :])) or bool(_REST_BEFORE.search(line[: mention.start]))


def payday(line: str, mention: Mention) -> bool:
    return bool(_PAYDAY_AFTER.match(line[mention.end :]))
