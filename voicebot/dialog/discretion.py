"""Discretion: which words may not be spoken before the callee proved to be the debtor (rule CN-C3)."""

from __future__ import annotations

import functools
import re

DEBT_WORDS = (
    "欠", "逾期", "还款", "还钱", "还清", "还账", "归还", "偿还", "结清", "催", "贷", "债", "借款", "借钱", "借据",
    "账单", "账款", "本金", "利息", "罚息", "息费", "违约金", "滞纳金", "分期", "征信", "律师", "起诉", "法院", "诉讼",
    "减免", "额度", "信用卡", "应还", "拖欠", "失信", "黑名单", "扣款", "缴费", "款项", "金额",
)  # fmt: skip
"""Words that let a listener guess that somebody owes money."""

_WORDS = re.compile("|".join(DEBT_WORDS))
_MONEY = re.compile(r"[\d零一二三四五六七八九十百千万两]+(?:点[\d零一二三四五六七八九]+)?(?:元|块|角)")


def gives_away(text: str, secrets: tuple[str, ...] = ()) -> str | None:
    """The first word of `text` that discloses a debt, or None. `secrets` are this case's own words (product)."""
    found = _disclosed(text)
    if found:
        return found
    return next((secret for secret in secrets if len(secret) > 1 and secret in text), None)


@functools.lru_cache(maxsize=4096)
def _disclosed(text: str) -> str | None:
    found = _WORDS.search(text) or _MONEY.search(text)
    return found.group() if found else None
