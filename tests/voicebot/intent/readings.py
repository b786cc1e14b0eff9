"""Numbers as people read them aloud, written independently of the parser that has to understand them."""

from __future__ import annotations

_DIGITS = "零一二三四五六七八九"
_PLACES = ((1000, "千"), (100, "百"), (10, "十"), (1, ""))
_MYRIAD = 10_000


def spoken(number: int, *, short: bool = False, couple: bool = False) -> str:
    """The usual reading of 1..99,999,999. `short` drops the last unit (三千五), `couple` says 两 for 二 (两千二百)."""
    if number >= _MYRIAD:
        head, rest = divmod(number, _MYRIAD)
        gap = "零" if 0 < rest < _MYRIAD // 10 else ""
        said = spoken(head) + "万" + (gap + spoken(rest) if rest else "")
        if short and rest and (rest % 1000 == 0 or (not gap and _drops(spoken(rest)))):
            said = said[:-1]
    else:
        said = _below_myriad(number)
        said = said[:-1] if short and _drops(said) else said
    return _with_couple(said) if couple else said


def _below_myriad(number: int) -> str:
    out, gap = "", False
    for unit, name in _PLACES:
        digit, number = divmod(number, unit)
        if digit:
            out += ("零" if gap and out else "") + _DIGITS[digit] + name
        gap = not digit
        if digit:
            gap = False
    return out


def _drops(said: str) -> bool:
    """三千五百 may lose its last unit, 三千零五十 may not."""
    return len(said) >= 4 and said[-1] in "百十" and "零" not in said


def _with_couple(said: str) -> str:
    for unit in "千万":
        said = said.replace("二" + unit, "两" + unit)
    return said.replace("十两", "十二")


def spoken_day(number: int) -> str:
    """A day or a month: 一, 十, 十五, 二十, 二十八."""
    tens, ones = divmod(number, 10)
    ten = "" if not tens else "十" if tens == 1 else _DIGITS[tens] + "十"
    return ten + (_DIGITS[ones] if ones else "")
