"""Shares of the debt and instalments: 一半, 三成, 百分之三十, 分三期每期八百."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicebot.intent.slots.amounts import find_amounts
from voicebot.intent.slots.numerals import RUN, value, whole


@dataclass(frozen=True, slots=True)
class Share:
    start: int
    end: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Instalments:
    """`count` periods of `per_fen` each; `spans`: stretches of the line that say so and are no amounts of their own."""

    count: int | None = None
    per_fen: int | None = None
    spans: tuple[tuple[int, int], ...] = ()


_PERCENT = re.compile(rf"百分之(?P<words>{RUN})(?:点(?P<tenth>[一二三四五六七八九]))?|(?P<figures>\d+(?:\.\d+)?)%")
_FRACTION = re.compile(r"(?P<whole>[二三四五六七八九十\d]+)分之(?P<part>[一二两三四五六七八九\d]+)")
_TENTHS = re.compile(r"(?P<n>[一二两三四五六七八九])成(?P<half>半|"
    r"[一二三四五六七八九])?(?![不吗吧是了可天交为功都还没要会把概新])|(?P<m>[一二两三四五六七八九])成(?=[行吧可成])")
_HALF = re.compile(r"(?<!到)一半(?:儿)?(?!一半)|(?<=还)半(?:数)|对半(?!分)|一大半")
_ALL = re.compile(r"全部|全额|全款|一次性|一把(?:还清|结清)|一次(?:还清|结清|付清)|全还(?=$|"
    r"[ 行吧给你])|全(?:都)?(?:还了|还清|结清|"
    r"付清)|本息全")
_RATE = re.compile(r"年化|利率|利息|费率|超过|罚息|违约金|日息|征信|概率|可能")

_RATE_AFTER = re.compile(r"的?(?:年|月|日)?(?:利息|利率|年化|息|违约金|罚息|手续费|服务费|红线|上限)")
_EACH = re.compile(r"(?:每[个]?(?:期|月|次|礼拜|星期|周)|(?<!第)一(?:期|个?月|周(?=还|给)|"
    r"个?(?:礼拜|星期)(?=还|给))|(?:按|逐)月|月月)(?:就|也|只能|能|"
    r"先|给|还|还个|给个|付|交|打|我|你|们|的|最多|大概|差不多|固定|至少|不超过| |□)*$")
_EACH_TIME = re.compile(r"一(?:次|回|笔)(?:就|还|给|付|交|打)*$")
_SPLIT = re.compile(
    rf"(?:[分拆掰](?:成|个|作|到|它个|他个|摊|为)|分)\s?(?P<n>{RUN})(?:期|次|笔|个月|回|批|份)(?!(?:还|付|交|给)了)|"
    rf"(?P<plain>(?<!第)(?<!到){RUN})期(?!了|□|[都也]|的?时候|[逾没没还]|间)|(?<=分)(?P<half>半年)|(?<=分)(?P<years>[一两二三四五])年|(?P<months>{RUN})个月(?:还清|还完|分期|"
    rf"慢慢还|付清|结清)"
)
_FOR = re.compile(
    r"(?:还|付|交|给)(?:够|满|它|个)?(?:(?P<half>半)|(?P<n>[一二两三四五六七八九十]+)个?)(?P<unit>年|月|期|礼拜|星期|周)(?![份底初中末前])"
)
_MOST = 120


def find_shares(line: str) -> list[Share]:
    """Shares in `line`, left to right; 1.0 where the whole is to be paid at once. Rates of interest are none."""
    out = []
    for found in _PERCENT.finditer(line):
        number = float(found["figures"]) if found["figures"] else float(value(found["words"]) or 0)
        out.append(Share(*found.span(), (number + int(value(found["tenth"] or "零") or 0) / 10) / 100))
    for found in _FRACTION.finditer(line):
        whole_, part = value(found["whole"]), value(found["part"])
        if whole_ and part and part < whole_:
            out.append(Share(*found.span(), float(part / whole_)))
    for found in _TENTHS.finditer(line):
        half = {"半": 0.05}.get(found["half"] or "", float(value(found["half"] or "零") or 0) / 100)
        out.append(Share(*found.span(), float(value(found["n"] or found["m"]) or 0) / 10 + half))
    out += [Share(*found.span(), 0.5) for found in _HALF.finditer(line)]
    out += [Share(*found.span(), 1.0) for found in _ALL.finditer(line) if _all_at_once(line, found)]
    kept = [share for share in out if 0 < share.ratio <= 1 and not _is_rate(line, share)]
    return sorted(kept, key=lambda share: share.start)


def _is_rate(line: str, share: Share) -> bool:
    return bool(_RATE.search(line[: share.start][-5:]) or _RATE_AFTER.match(line[share.end :]))


def _all_at_once(line: str, found: re.Match[str]) -> bool:
    around = line[max(0, found.start() - 6) : found.end() + 6]
    return bool(re.search(r"还|结|付|给|交|清|处理", line)) and not re.search(r"不(?:能|可能|了)|没", around)


def _periods(found: re.Match[str]) -> int | None:
    """How many months or parts a match of `_SPLIT` names."""
    if found["half"]:
        return 6
    years = whole(found["years"]) if found["years"] else None
    return 12 * years if years else whole(found["n"] or found["plain"] or found["months"] or "")


def find_instalments(line: str) -> Instalments:
    """Number of periods and the sum of each, from 分三期每期八百, 每个月还五百, 三个月还清."""
    count, per, spans = None, None, []
    for found in _SPLIT.finditer(line):
        number = _periods(found)
        if number is None or not 1 < number <= _MOST or re.match(r"了|都?逾期|没还", line[found.end() :]):
            continue
        if found["plain"] and re.search(r"(?:还了|欠了?|逾期了?|这|上|下|哪|几|差|剩|最后|头|前|落下?|断了?|还过|"
            r"交了)$", line[: found.start("plain")]):
            continue
        count = number
        spans.append(found.span())
    for amount in find_amounts(line):
        before = line[: amount.start]
        lead = _EACH.search(before) or (_EACH_TIME.search(before) if count else None)
        if lead and (amount.fen or amount.high or amount.low):
            per = amount.fen or amount.low or amount.high
            spans.append((lead.start(), amount.end))
    if per and count is None and (lasting := _FOR.search(line)):
        count = 6 if lasting["half"] else (whole(lasting["n"]) or 0) * (12 if lasting["unit"] == "年" else 1) or None
        spans.append(lasting.span())
    return Instalments(count, per, tuple(spans))
