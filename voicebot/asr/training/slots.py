"""Slots of the training templates: amounts, dates, names, digits and the other words people fill in."""

import random
import re
from collections.abc import Callable
from functools import cache
from importlib import resources

from voicebot.mandarin.aloud import number


@cache
def _values(slot: str) -> list[str]:
    lines = resources.files("voicebot.asr.training").joinpath("data", "slots.txt").read_text("utf-8").splitlines()
    return {name: said.split("|") for name, _, said in (x.partition(" ") for x in lines if x[0] != "#")}[slot]


_LISTED = ("reason", "ask", "ask2", "swear", "rel", "prod", "ch", "law", "city", "org", "hotline", "um", "p", "n", "wd")
_TENS_DIGITS = "零幺二三四五六七八九"


def fill(template: str, rng: random.Random) -> str:
    """Fills `{slot}` and `[a|b]` until none is left."""
    while True:
        found = re.search(r"\[([^\[\]]*)\]", template)
        if found:
            chosen = rng.choice(found[1].split("|"))
        else:
            found = re.search(r"\{(\w+)\}", template)
            if not found:
                return template
            chosen = SLOTS[found[1]](rng)
        template = template[: found.start()] + chosen + template[found.end() :]


def amount(rng: random.Random) -> str:
    """An amount as people say it, 1 to 99 999 yuan."""
    unit = rng.choice(["块", "元", "块钱", "", "块钱", "元"])
    kind = rng.random()
    if kind < 0.2:
        return rng.choice("一两三四五六七八九") + rng.choice("百千万") + unit
    if kind < 0.35:
        return number(rng.randint(1, 99) * 100) + unit
    if kind < 0.45:
        return rng.choice("一两三四五六七八九") + rng.choice(["千", "万"]) + rng.choice("一二三四五六七八九")
    if kind < 0.6:
        return number(rng.randint(1, 9999)) + unit
    if kind < 0.7:
        return number(rng.randint(1, 99999)) + rng.choice(["块", "元", "块钱"])
    if kind < 0.78:
        return number(rng.randint(1, 9999)) + "块" + rng.choice("一二三四五六七八九") + rng.choice(["", "毛"])
    if kind < 0.86:
        fen = rng.choice(["", "五分", "六分", "八分"])
        return f"{number(rng.randint(1, 9999))}元{rng.choice('一二三四五六七八九')}角{fen}"
    if kind < 0.93:
        return f"{number(rng.randint(1, 9999))}点{''.join(rng.choices('零一二三四五六七八九', k=2))}元"
    return rng.choice(
        [
            "一半",
            "一部分",
            "最低额",
            "两三千",
            "三五百",
            "几百块",
            "一千多",
            "三千来块",
            "全部",
            "本金",
            "一千出头",
            "小一万",
            "五六千块",
            "一万多块",
        ]
    )


def date(rng: random.Random) -> str:
    """A date as people say it, relative or by the calendar."""
    kind = rng.random()
    if kind < 0.25:
        near = "明天|后天|大后天|今天|今晚|今天晚上|明天上午|明天下午|后天中午|今天下午|明儿|后儿|今儿|明早|明晚"
        return rng.choice(near.split("|"))
    if kind < 0.45:
        week = ["下周", "这周", "下个星期", "这个星期", "周", "星期", "礼拜", "下礼拜", "本周", "下下周"]
        return rng.choice(week) + rng.choice("一二三四五六日")
    if kind < 0.62:
        month = rng.choice(["这个月", "下个月", "本月", "下月", ""])
        return month + number(rng.randint(1, 31)) + rng.choice(["号", "号之前", "号左右", "日"])
    if kind < 0.8:
        return number(rng.randint(1, 12)) + "月" + number(rng.randint(1, 31)) + rng.choice(["号", "日", "号之前"])
    if kind < 0.9:
        loose = "月底|月初|下个月初|这个月底|周末|过年前|春节前|中旬|下个月|下周|月底之前|年底|元旦前|下下个月"
        return rng.choice(loose.split("|"))
    return (
        rng.choice(["过", "再过", "等", "再等"])
        + rng.choice("两三四五十")
        + rng.choice(["天", "周", "个星期", "个月", "个礼拜"])
    )


def clock(rng: random.Random) -> str:
    part = rng.choice(["上午", "下午", "晚上", "中午", "早上", "", ""])
    hour = rng.choice(["两", number(rng.randint(1, 12)), number(rng.randint(1, 12))])
    return (
        part
        + hour
        + rng.choice(["点", "点半", "点钟", "点一刻", "点左右", "点多", f"点{number(rng.choice([10, 20, 40, 50]))}"])
    )


def name(rng: random.Random) -> str:
    return rng.choice(_values("surname")) + "".join(rng.choices(_values("given"), k=rng.choice([1, 2, 2, 2])))


def digits(rng: random.Random, count: int) -> str:
    """Digits read one by one; a speaker says 幺 or 一, seldom both."""
    said = "".join(rng.choices(_TENS_DIGITS, k=count))
    return said if rng.random() < 0.6 else said.replace("幺", "一")


def birth(rng: random.Random) -> str:
    month, day = rng.randint(1, 12), rng.randint(1, 31)
    if rng.random() < 0.2:
        return "".join(_TENS_DIGITS[int(d)] for d in f"{month:02d}{day:02d}")
    return number(month) + "月" + number(day) + rng.choice(["", "", "号", "日"])


def _choice(slot: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(_values(slot))


SLOTS: dict[str, Callable[[random.Random], str]] = {
    **{slot: _choice(slot) for slot in _LISTED},
    "amt": amount,
    "date": date,
    "clock": clock,
    "name": name,
    "birth": birth,
    "sur": lambda rng: rng.choice(_values("surname")),
    "num": lambda rng: number(rng.randint(1, 31)),
    "pct": lambda rng: "百分之" + number(rng.randint(1, 99)),
    "last4": lambda rng: digits(rng, 4),
    "last3": lambda rng: digits(rng, 3),
    "year": lambda rng: digits(rng, 2),
    "phone": lambda rng: "幺" + digits(rng, 10),
}


def words() -> list[str]:
    """Everything a slot may say, for the inventory of characters."""
    listed = [said for slot in ("surname", "given", *_LISTED) for said in _values(slot)]
    return [*listed, "零幺一二两三四五六七八九十百千万点半块元角分毛年月日号周星期礼拜"]
