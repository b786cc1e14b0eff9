"""Columns: the headings that case files use, in Chinese and English, and what each means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.cases.tables import Row, Table, plain
from voicebot.cases.traits import traits


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
    REGION = "地区"
    EMAIL = "邮箱"
    WECHAT = "微信OpenID"
    PUSH = "推送标识"
    POST = "通讯地址"
    GUARANTOR_NAME = "担保人姓名"
    GUARANTOR_PHONE = "担保人手机号"
    CONTACT_NAME = "联系人姓名"
    CONTACT_PHONE = "联系人手机号"
    CONTACT_RELATION = "联系人关系"
    TERM = "期次"


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
    Column.REGION: "省份 所在省份 省 户籍地 region province",
    Column.EMAIL: "电子邮箱 电子邮件 邮件 email e-mail",
    Column.WECHAT: "微信 openid wechat wechat_openid",
    Column.PUSH: "推送令牌 设备标识 push push_token device_token",
    Column.POST: "联系地址 住址 家庭住址 邮寄地址 地址 address",
    Column.GUARANTOR_NAME: "担保人 保证人 保证人姓名 guarantor guarantor_name",
    Column.GUARANTOR_PHONE: "担保人电话 保证人电话 保证人手机号 guarantor_phone",
    Column.CONTACT_NAME: "紧急联系人 紧急联系人姓名 联系人 contact contact_name",
    Column.CONTACT_PHONE: "联系人电话 紧急联系人电话 紧急联系人手机号 contact_phone",
    Column.CONTACT_RELATION: "与本人关系 关系 紧急联系人关系 contact_relation relation",
    Column.TERM: "期数序号 第几期 当前期数 instalment_no term_no",
}

_MARKS = re.compile(r"[\s*_\-]|[(\[](元|万元|人民币|必填|选填|可选|天|文本|%)[)\]]")
"""What headings carry beside their meaning. A unit that changes figures is read on its own: see `in_ten_thousands`."""

REASON = "拒绝原因"
"""The column of a file of rejects that says what to do; an import ignores it."""

IGNORED = ""
"""The meaning of a column that a person chose to leave out."""


def key_of(heading: str) -> str:
    """A heading without what does not change its meaning."""
    return _MARKS.sub("", plain(heading).lower())


def in_ten_thousands(heading: str) -> bool:
    """Whether a heading says that its figures are 万元."""
    return bool(re.search(r"[(\[]\s*万元?\s*[)\]]", plain(heading)))


_BY_HEADING: dict[str, str] = {
    key_of(heading): trait.id for trait in traits().values() for heading in (trait.zh, trait.id, *trait.headings)
} | {key_of(heading): column for column, names in _ALIASES.items() for heading in (column.value, *names.split())}

Mapping = dict[str, str]
"""What a person said: heading -> Column value, trait id, or IGNORED."""


@dataclass(frozen=True, slots=True)
class Places:
    """Which cell of a row holds what. `ten_thousands`: places of figures in 万元; `ignored`: headings without use."""

    columns: dict[Column, int]
    traits: dict[str, int] = field(default_factory=dict)
    ten_thousands: frozenset[int] = frozenset()
    ignored: tuple[str, ...] = ()

    def __contains__(self, column: Column) -> bool:
        return column in self.columns


def meaning_of(heading: str, mapping: Mapping | None = None) -> str:
    """A Column's value or a trait's id; IGNORED where the heading means nothing to us."""
    if mapping is not None and heading in mapping:
        return mapping[heading]
    return _BY_HEADING.get(key_of(heading), IGNORED)


def recognise(headings: Sequence[str], mapping: Mapping | None = None) -> Places:
    """Where everything is. Of two columns that mean the same the first counts; the other is ignored."""
    columns: dict[Column, int] = {}
    known: dict[str, int] = {}
    ignored: list[str] = []
    for place, heading in enumerate(headings):
        meaning = meaning_of(heading, mapping)
        if meaning in _MEANINGS and Column(meaning) not in columns:
            columns[Column(meaning)] = place
        elif meaning in traits() and meaning not in known:
            known[meaning] = place
        elif heading:
            ignored.append(heading)
    large = frozenset(place for place, heading in enumerate(headings) if in_ten_thousands(heading))
    return Places(columns, known, large, tuple(ignored))


_MEANINGS = frozenset(column.value for column in Column)


def check_mapping(mapping: Mapping) -> Mapping:
    """The same mapping; ValueError names a meaning that does not exist, or one that is given twice."""
    used: set[str] = set()
    for heading, meaning in mapping.items():
        if meaning != IGNORED and meaning not in _MEANINGS and meaning not in traits():
            raise ValueError(f"“{heading}”：没有“{meaning}”这个字段。请从列表中选择。")
        if meaning != IGNORED and meaning in used:
            raise ValueError(f"“{meaning}”被指定了两次。请只保留一列。")
        used.add(meaning)
    return mapping


def shape_of(headings: Sequence[str]) -> str:
    """A key that is equal for files with the same headings in any order, and for the rejects of such a file."""
    keys = sorted({key_of(heading) for heading in headings} - {"", REASON})
    return hashlib.sha256("\x1f".join(keys).encode()).hexdigest()


def missing(places: Places) -> list[Column]:
    """Columns without which no row can become a case."""
    either = {Column.AMOUNT: Column.AMOUNT_FEN, Column.OVERDUE_DAYS: Column.DUE_DATE}
    needed = [Column.NAME, Column.PHONE, Column.AMOUNT, Column.OVERDUE_DAYS]
    if Column.TERM in places:
        needed.append(Column.CASE_ID)
    return [column for column in needed if column not in places and either.get(column) not in places.columns]


def with_heading(table: Table) -> tuple[Table, tuple[Row, ...]]:
    """The table with its heading found, and the rows above it, such as a title.

    The heading is the row among the first ten that names most columns; the first row where none names any.
    """
    rows = (table.header, *table.rows)
    named = [sum(1 for cell in row.cells if meaning_of(cell)) for row in rows[:10]]
    best = max(range(len(named)), key=lambda index: named[index])
    if named[best] < 2 or named[0] >= named[best]:
        return table, ()
    return Table(rows[best], rows[best + 1 :], table.notes), rows[:best]
