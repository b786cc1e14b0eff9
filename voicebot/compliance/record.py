"""Assertions held against the case record: figures, promises, lawsuit, credit report, visit, offer (CN-S2, CN-S3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from voicebot.compliance.figures import NUMERAL, Figure, Kind, read_number
from voicebot.compliance.speech_context import CaseRecord, SpeechContext
from voicebot.compliance.speech_text import BREAK, SpeechText, is_denied_or_quoted

Finding = tuple[str, int, int, str]

_OVERDUE = re.compile("逾期|拖|过期|欠着|欠(了|您|你)|欠$|没还|严重|重度")
_NOT_OVERDUE = re.compile("内|后|之|以前|前|答复|工作日|还|再|就|一(遍|次)|分钟")
_DAILY = re.compile(
    "(一天|每天|每日|日|按天).{0,8}(利息|罚息|滞纳金)|(利息|罚息|滞纳金).{0,6}(一天|每天|每日|按天)|一天$|早一天|的利息"
)
_PROMISED = re.compile(
    "(承诺(?!了?就|书)|答应|说好|约好|亲口|拍(着)?胸脯|(您|你)保证过|上[次回](通话)?(说|提到)|(您|你).{0,4}号(电话里)?(亲口)?说|(曾|之前).{0,3}(说|提到))"
)
_OFFER = re.compile("减|免(?!费|提|打)|优惠|折扣|方案|活动")
_TOTAL = re.compile(
    "应还|欠|总|共|一分不少|本金|账单|屏幕|差不多这个数|加一块|保底|截至|截止|今天要还|余额|还款金额|金额(为|是)|核一下|看对不对|加一起|加起来|滚到|(你|您)(现在)?差|现在(就)?是|明天就是"
)
_PROPOSED = re.compile(
    "先还|只还|余下|还一部分|每个?月|每期|分期|还剩|剩余|剩下|复述|计划|打算|能拿出|可以还|收到|转|押金|手续费|费|归还.{0,8}后"
)
_FEE = re.compile(
    "(律师费|外访费|上门费|差旅费|交通费|调查费|管理费|公证费|催收费|服务费|滞纳金|违约金|罚息|通讯费|手续费|多付)"
)
_FEES_ADDED = re.compile("(加上|外加|再加|算上|除本金外).{0,8}费")
_BARE_DAILY = re.compile(
    f"(一天|每天|每日|按天)[^，]{{0,6}}(罚|利息|滞纳|违约)[^，]{{0,5}}?(?P<sum>{NUMERAL}{{1,6}})(?![天号月年点次])"
)
_OUR_OWN = re.compile(
    "(我司|我们公司|我公司|本公司)(就是|是|为|作为|系)(您的|你的)?(债权人|出借人|放款)|"
    "(债权人|出借人|借款人)(是|为)(我司|我们公司|我公司|本公司)|欠(我们|我)(公司|银行|行)"
)
_LAWSUIT = re.compile(
    "(已|已经|正式|都|我们|上礼拜|上周|刚).{0,8}(起诉|立(了)?案|(?<!异议已)(?<!投诉已)(?<!申请已)(?<!不予)受理|把你告了|递到法院|告到法院)|起诉过了|立了案|案号|"
    "传票(已|这两天|就到|出了|马上)|(案件|案子).{0,4}(在|进入).{0,3}诉讼|诉讼流程中|判决书?(都)?下来|法院.{0,8}(周前|已经|早就|都)判|"
    "缺席判决|被起诉|(起诉|诉讼|仲裁)(材料|文书).{0,6}(签收|送达)|等着?(收材料|住?收票)|关注法院通知|(?<!依法)提起(了)?诉讼"
)
_CREDIT = re.compile(
    "(已|已经|都|刚|上月|昨天).{0,6}(报送|上报|报上|上|报).{0,4}征信|征信.{0,8}(已经|都|上现在).{0,4}(报|挂着|出现|黑)|"
    "征信报告中已|报都报上去|(?<!我)(已经|都)上报|已出现本笔"
)
_VISIT = re.compile(
    "(安排|登记|派|预约)(了|好|您|你|的)?.{0,10}(上门|走访|外访|家访|到访)|(走访|外访|上门)(人员|同事|专员|的同事)?.{0,8}"
    "((将|会)(?!提前|事先|预先|和您约|跟您约)|已|联系您约|安排了|就安排|到访|是安排)|约的是.{0,8}上门|走访通知"
)
_VALID = re.compile("有效|截止|到期|到.{0,6}号|活动|期限|之前|以前|最后|仅限|通道|内")
_EXPIRED = re.compile("过期(了|就)|已经过期|失效|已于|到期了|不能用")
_STILL = re.compile("还在|仍然|有效|能用|可享受|能给|目前可|现在")


def unfounded(speech: SpeechText, context: SpeechContext, figures: list[Figure]) -> Iterator[Finding]:
    """(category, start, end, reason) for everything said that the record does not bear out."""
    case = context.case
    if case is None:
        return
    yield from _claims(speech, case)
    yield from _overdue(speech, case, figures)
    yield from _amounts(speech, case, figures)
    yield from _bare_daily(speech, case, figures)
    yield from _promise(speech, case, figures)
    yield from _offer(speech, case, context.today, figures)


def borne_out(context: SpeechContext, figures: list[Figure]) -> bool | None:
    """Whether the record holds every amount that is named; None without figures or record. Days: `_overdue`."""
    case = context.case
    if case is None or not figures:
        return None
    return all(_recorded(case, figure) for figure in figures if figure.kind is Kind.AMOUNT)


def speaks_as_creditor(speech: SpeechText, context: SpeechContext) -> bool:
    """Whoever calls for the creditor itself may say so."""
    return context.case is not None and not context.case.entrusted and bool(_OUR_OWN.search(speech.text))


def _recorded(case: CaseRecord, figure: Figure) -> bool:
    known = {*_true_totals(case), case.principal_fen, case.fees_fen}
    known |= {case.offer.waive_fen} if case.offer else set()
    known |= {case.last_promise.amount_fen} if case.last_promise else set()
    return _is_daily(case, figure) or any(fen is not None and figure.low <= fen <= figure.high for fen in known)


def _claims(speech: SpeechText, case: CaseRecord) -> Iterator[Finding]:
    for pattern, recorded, category, reason in (
        (_LAWSUIT, case.lawsuit_filed, "F04", "没有起诉或立案记录"),
        (_CREDIT, case.credit_reported, "F05", "没有报送征信的记录"),
        (_VISIT, case.visit_scheduled, "F12", "没有安排上门走访的记录"),
        (_OUR_OWN, not case.entrusted, "F13", "受托机构不是债权人"),
    ):
        found = None if recorded else pattern.search(speech.text)
        if found and not is_denied_or_quoted(speech, found.start(), found.end()):
            yield category, found.start(), found.end(), reason


def _overdue(speech: SpeechText, case: CaseRecord, figures: list[Figure]) -> Iterator[Finding]:
    for figure in figures:
        if figure.kind is not Kind.DAYS or figure.high < 2 or _NOT_OVERDUE.match(speech.text, figure.end):
            continue
        near = speech.text[max(0, figure.start - 12) : figure.start]
        unpaid = re.match("[了多]{0,2}(没还|没动|没交|不还)", speech.text[figure.end :])
        kept = re.search("(后|起|(保存|保留)满?)$", near)
        said = (_OVERDUE.search(near) or unpaid) and not kept
        told = said and not is_denied_or_quoted(speech, figure.start, figure.end)
        if told and not figure.low <= case.overdue_days <= figure.high:
            yield "F13", figure.start, figure.end, f"记录为逾期 {case.overdue_days} 天"


def _amounts(speech: SpeechText, case: CaseRecord, figures: list[Figure]) -> Iterator[Finding]:
    for figure in figures:
        if figure.kind is not Kind.AMOUNT or is_denied_or_quoted(speech, figure.start, figure.end):
            continue
        first, last = speech.clause(figure.start, figure.end)
        clause, around = speech.text[first:last], speech.text[first : last + 16]
        before = speech.text[max(0, figure.start - 14) : figure.start]
        if _DAILY.search(clause) and "款" not in clause:
            if not _is_daily(case, figure):
                yield "F13", figure.start, figure.end, "与每日利息记录不符"
        elif _is_part(case, figure) or _OFFER.search(clause) or _PROMISED.search(speech.text[: figure.start]):
            continue
        elif not _is_total(case, figure) and (
            _FEE.search(before.split(BREAK)[-1]) or _FEES_ADDED.search(speech.text[: figure.start])
        ):
            yield _fee_kind(clause), figure.start, figure.end, "记录中没有这项费用"
        elif re.search("结清(?!证明)|两清|就清了|一笔勾销", clause) and figure.low < min(_true_totals(case)):
            yield "F11", figure.start, figure.end, "没有以此金额结清的方案"
        elif _TOTAL.search(around) and not _PROPOSED.search(clause) and not _is_total(case, figure):
            yield "F13", figure.start, figure.end, "与应还金额记录不符"


def _bare_daily(speech: SpeechText, case: CaseRecord, figures: list[Figure]) -> Iterator[Finding]:
    """一天罚你三十: a daily charge said without a unit."""
    found = _BARE_DAILY.search(speech.text)
    if not found or is_denied_or_quoted(speech, found.start(), found.end()):
        return
    start, end = found.span("sum")
    if any(figure.start < end and start < figure.end for figure in figures):
        return
    fen = round((read_number(found["sum"]) or 0) * 100)
    if fen and not _is_daily(case, Figure(Kind.AMOUNT, start, end, fen, fen)):
        yield "F13", start, end, "与每日利息记录不符"


def _fee_kind(clause: str) -> str:
    """To demand a fee is F10; to add one to the debt F13."""
    return "F10" if re.search("支付|缴|(?<!提)交|收取", clause) else "F13"


def _is_total(case: CaseRecord, figure: Figure) -> bool:
    return any(figure.low <= total <= figure.high for total in _true_totals(case))


def _is_daily(case: CaseRecord, figure: Figure) -> bool:
    known = case.daily_interest_fen
    return known is not None and (
        (figure.low <= 1.05 * known and figure.high >= 0.95 * known) or abs(figure.low - 30 * known) <= known
    )


def _is_part(case: CaseRecord, figure: Figure) -> bool:
    return figure.low > 0 and figure.low in (case.principal_fen, case.fees_fen)


def _true_totals(case: CaseRecord) -> set[int]:
    totals = {case.amount_fen}
    if case.offer:
        totals.add(case.amount_fen - case.offer.waive_fen)
    return totals


def _promise(speech: SpeechText, case: CaseRecord, figures: list[Figure]) -> Iterator[Finding]:
    found = _PROMISED.search(speech.text)
    if not found or is_denied_or_quoted(speech, found.start(), found.end()) or _ours(speech.text, found.start()):
        return
    promise = case.last_promise
    if promise is None:
        if re.search("还|款|钱|兑现|到账|一定", speech.text[found.start() :]):
            yield "F13", found.start(), found.end(), "没有还款承诺的记录"
        return
    for figure in figures:
        amount = figure.kind is Kind.AMOUNT and figure.start > found.start() and figure.low != promise.amount_fen
        date = figure.kind is Kind.DATE and figure.date != promise.date and "还" in speech.text[figure.end :]
        spoken_day = "号" in speech.text[found.start() : found.end()]
        if amount or (date and figure.start > found.start() and not spoken_day):
            yield "F13", figure.start, figure.end, "与上次承诺的记录不符"
            return


def _ours(text: str, at: int) -> bool:
    """The promise spoken of is our own, not the debtor's."""
    return bool(re.search("(我|我们|我司|我口头)$", text[max(0, at - 3) : at]))


def _offer(speech: SpeechText, case: CaseRecord, today: dt.date, figures: list[Figure]) -> Iterator[Finding]:
    cue = _OFFER.search(speech.text)
    if not cue or is_denied_or_quoted(speech, cue.start(), cue.end()):
        return
    offer = case.offer
    expired = _EXPIRED.search(speech.text)
    stated = [f for f in figures if _states_offer(speech, f)]
    if offer is None:
        if stated and not expired:
            yield "F11", stated[0].start, stated[0].end, "没有获批减免的记录"
        return
    for figure in stated:
        wrong_amount = figure.kind is Kind.AMOUNT and figure.low not in (
            offer.waive_fen,
            case.amount_fen - offer.waive_fen,
            case.amount_fen,
        )
        if wrong_amount or (figure.kind is Kind.DATE and figure.date != offer.valid_until):
            yield "F11", figure.start, figure.end, "与获批减免的金额或期限不符"
            return
    if offer.valid_until < today and not expired and _STILL.search(speech.text):
        yield "F11", cue.start(), cue.end(), "获批的减免已经过期"


def _states_offer(speech: SpeechText, figure: Figure) -> bool:
    """An amount taken off, or a date until which it is said to be valid."""
    first, last = speech.clause(figure.start, figure.end)
    clause = speech.text[first:last]
    if figure.kind is Kind.AMOUNT:
        return bool(_OFFER.search(clause)) or bool(re.search("(需还|要还|还)$", speech.text[first : figure.start]))
    return figure.kind is Kind.DATE and bool(_VALID.search(clause)) and not re.search("账单日|还款日", clause)
