"""Columns: the headings that case files use, in Chinese and English, and what each means."""

from __future__ import annotations

import re
from enum import StrEnum

from voicebot.campaign.tables import plain


class Column(StrEnum):
    """A meaning; its value is the heading that reports use."""

    CASE_ID = "借据号"
    NAME = "姓名"
    PHONE = "手机号"
    PHONE2 = "备用手机号"
    ID_LAST4 = "身份证后四位"
    BIRTH = "出生月日"
    ID_CARD = "身份证号"
    AMOUNT = "欠款金额"
    AMOUNT_FEN = "欠款金额分"
    PRINCIPAL = "本金"
    FEES = "息费"
    OVERDUE_DAYS = "逾期天数"
    DUE_DATE = "应还日"
    PRODUCT = "产品"
    CREDITOR = "债权人"
    NEUTRAL_NAME = "机构对外名称"
    HOTLINE = "客服电话"
    SALUTATION = "性别"
    DEBTOR_ID = "客户号"
    AS_OF = "截至日期"
    LAWSUIT_FILED = "是否起诉"
    CREDIT_REPORTED = "是否报送征信"
    VISIT_SCHEDULED = "是否预约上门"
    ENTRUSTED = "是否委托"


_ALIASES = {
    Column.CASE_ID: "借据编号 案件号 案件编号 合同号 合同编号 借款编号 账户编号 case_id case loan_id contract_no id",
    Column.NAME: "客户姓名 借款人 借款人姓名 债务人 债务人姓名 名字 name debtor_name debtor customer_name",
    Column.PHONE: "手机号码 手机 电话 电话号码 联系电话 联系方式 本人手机号 号码 phone mobile number tel phone_number",
    Column.PHONE2: "备用手机 备用电话 备用号码 手机号2 phone2 mobile2",
    Column.ID_LAST4: "身份证后4位 证件后四位 证件号后四位 身份证末四位 id_last4 id4 last4",
    Column.BIRTH: "生日 出生日期 出生年月日 birth_mmdd birthday birth_date",
    Column.ID_CARD: "身份证 身份证号码 证件号码 证件号 id_card id_number",
    Column.AMOUNT: "欠款总额 欠款 应还金额 应还总额 应还款额 逾期金额 逾期总额 金额 amount amount_yuan amount_due",
    Column.AMOUNT_FEN: "金额分 amount_fen",
    Column.PRINCIPAL: "应还本金 剩余本金 逾期本金 principal principal_yuan",
    Column.FEES: "应还息费 利息 罚息 利息罚息 费用 fees interest",
    Column.OVERDUE_DAYS: "逾期 逾期日数 逾期时长 overdue_days days_overdue dpd",
    Column.DUE_DATE: "还款日 到期日 应还日期 到期日期 due_date",
    Column.PRODUCT: "产品名称 贷款产品 业务品种 product product_name",
    Column.CREDITOR: "债权机构 债权人名称 委托方 委托机构 委托人 机构 机构名称 creditor lender",
    Column.NEUTRAL_NAME: "对外名称 neutral_name",
    Column.HOTLINE: "官方热线 客服热线 热线 hotline",
    Column.SALUTATION: "称谓 称呼 salutation gender sex",
    Column.DEBTOR_ID: "客户编号 客户id debtor_id customer_id",
    Column.AS_OF: "数据日期 截止日期 统计日期 as_of",
    Column.LAWSUIT_FILED: "已起诉 lawsuit_filed",
    Column.CREDIT_REPORTED: "已报送征信 已上征信 credit_reported",
    Column.VISIT_SCHEDULED: "已预约上门 visit_scheduled",
    Column.ENTRUSTED: "委外 是否委外 entrusted",
}

_MARKS = re.compile(r"[\s*_\-]|[(\[](元|人民币|必填|选填|可选|天|文本)[)\]]")
"""What headings carry beside their meaning. A unit such as (万元) is no such mark: it changes the meaning."""


def _key(heading: str) -> str:
    return _MARKS.sub("", plain(heading).lower())


_BY_HEADING = {
    _key(heading): column for column, names in _ALIASES.items() for heading in (column.value, *names.split())
}


def recognise(headings: tuple[str, ...]) -> tuple[dict[Column, int], list[str]]:
    """Which cell of a row holds what, and the headings that mean nothing to us.

    The first of two equals counts.
    """
    places: dict[Column, int] = {}
    ignored: list[str] = []
    for place, heading in enumerate(headings):
        column = _BY_HEADING.get(_key(heading))
        if column is not None and column not in places:
            places[column] = place
        elif heading:
            ignored.append(heading)
    return places, ignored


def missing(places: dict[Column, int]) -> list[Column]:
    """Columns without which no row can become a case."""
    either = {Column.AMOUNT: Column.AMOUNT_FEN, Column.OVERDUE_DAYS: Column.DUE_DATE}
    needed = (Column.NAME, Column.PHONE, Column.AMOUNT, Column.OVERDUE_DAYS)
    return [column for column in needed if column not in places and either.get(column) not in places]
