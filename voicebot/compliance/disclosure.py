"""Nothing of the debt before identity is proven, nothing to anybody else: CN-C3, forbidden speech F06 and F15."""

from __future__ import annotations

import re

from voicebot.compliance.figures import Figure, Kind
from voicebot.compliance.speech_context import SpeechContext
from voicebot.compliance.speech_text import SpeechText, is_denied, is_quoted

_DEBT = re.compile(
    "逾期|过期|欠(?!佳|考虑|妥)|还款|还钱|还清|还债|还(?=[一二三四五六七八九十百千万两几])|贷款?|借款|借钱|借的钱|网贷|分期|账单|那笔账|催收|"
    "催账|催款|催了|应还|未还|没(有)?还(?!款的?(义务|责任))|不还|没动|结清|减免|本金|利息|罚息|滞纳金|违约|信用卡|起诉|诉讼|法院|(?<!咨询专业)(?<!问)律师|征信|债|"
    "透支|到期|钱.{0,6}还|这钱|公司钱|拖(了|着|得)|还承诺|到账|(这|那)笔(钱|款)|有笔(钱|款)|账啊|银行嘅数|个钱|处理(账|款)|工资.{0,6}出|的账"
)
_SILENT_TO_STRANGERS = re.compile(
    "(没法(回答|跟|说|透露)|不能|不便|不方便|无法|不了解|不作|不评论|不做|怎么|没有义务|不承担|没有责任|不用您?还|不用您|不找您要|不会让您|不收您|不会请|"
    "规定只能|不能跟|不是让您|他本人|授权|才好讲|不代表|法律上不是|请拒绝|都别转)"
)


def disclosed(speech: SpeechText, context: SpeechContext, figures: list[Figure]) -> tuple[str, int, int] | None:
    """(F06 or F15, start, end) of the first word or amount that tells of the debt to somebody who may not know."""
    if context.may_disclose:
        return None
    category = "F06" if context.listener == "third_party" else "F15"
    found = [(match.start(), match.end()) for match in _DEBT.finditer(speech.text)]
    found += [(figure.start, figure.end) for figure in figures if figure.kind is Kind.AMOUNT]
    secrets = "|".join(re.escape(secret.lower()) for secret in context.secrets if len(secret) > 1)
    found += [(match.start(), match.end()) for match in re.finditer(secrets, speech.text) if secrets]
    for start, end in sorted(found):
        if not _withheld(speech, start, end):
            return category, start, end
    return None


_OWING = re.compile("欠|债|逾期|借款|贷|催收|信用卡|征信|法院|起诉")


def says_of_debt(speech: SpeechText) -> bool:
    """True when the debt itself is named, not only a payment that is asked for."""
    return bool(_OWING.search(speech.text))


def _withheld(speech: SpeechText, start: int, end: int) -> bool:
    """The word stands in a refusal to talk about it, or in the callee's own question."""
    _, last = speech.clause(start, end)
    return (
        is_denied(speech, start, start)
        or is_quoted(speech, start, end)
        or bool(_SILENT_TO_STRANGERS.search(speech.text[end : last + 16]))
    )
