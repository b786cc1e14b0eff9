"""Fields: one cell of a case file becomes one value, or an error that tells the operator the remedy."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from voicebot.cases.dates import DateError, read_date
from voicebot.cases.tables import plain
from voicebot.domain.case import Salutation
from voicebot.domain.money import parse_yuan

MAX_FEN = 100_000_000_00
"""A hundred million yuan: more than that in one bill is a slip of the column."""

_MONTH_DAY = re.compile(r"(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_YES = frozenset({"是", "是的", "y", "yes", "t", "true", "1", "有", "已", "√", "✓", "✔"})
_NO = frozenset({"", "否", "不是", "n", "no", "f", "false", "0", "无", "未", "×", "x", "-"})
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class FieldError(ValueError):
    """The cell cannot be used; the message (Chinese) says why and what to do."""


def parse_name(text: str) -> str:
    """A person's name: up to 40 characters, no digits."""
    name = re.sub(r"\s+", " ", text)
    if not name:
        raise FieldError("为空。请补充姓名，核身时要用。")
    if len(name) > 40 or re.search(r"[0-9@<>{}\x00-\x1f]", plain(name)):
        raise FieldError("不像姓名（含数字、符号或过长）。请检查是否串列。")
    if "*" in name or "某" in name:
        raise FieldError("姓名被打码。请导出完整姓名，核身时要用。")
    return name


def parse_amount(text: str, zero: bool = False) -> int:
    """Yuan as written, in fen; more than nothing unless `zero`. '3.5万' and '1万2千元' are understood."""
    written = _without_currency(plain(text))
    if not written:
        raise FieldError("为空。请填写金额，单位元。")
    if written.startswith(("-", "−", "(")):
        raise FieldError("金额为负。请核对；已结清的案件不要导入。")
    try:
        fen = _units(written) if re.search("[万千百亿]", written) else parse_yuan(_round_float(written))
    except ValueError as error:
        raise FieldError("不是金额。请填写数字，单位元，最多两位小数，例如 3500.50。") from error
    if not (0 if zero else 1) <= fen <= MAX_FEN:
        raise FieldError("金额应大于0且不超过一亿元。请核对；已结清的案件不要导入。")
    return fen


def _without_currency(written: str) -> str:
    stripped = re.sub(r"^(?:RMB|CNY|人民币)|(?:RMB|CNY|整)$", "", written, flags=re.IGNORECASE).strip()
    return stripped.lstrip("¥￥").strip()


_UNITS = re.compile(
    r"(?:(\d+(?:\.\d+)?)亿)?(?:(\d+(?:\.\d+)?)万)?(?:(\d)千)?(?:(\d)百)?(\d+(?:\.\d{1,2})?)?元?", re.ASCII
)
_SPOKEN = re.compile(r"万\d{1,3}元?$|千\d{1,2}元?$|百\d元?$", re.ASCII)
"""2万5 may be 20005 or 25000."""


def _units(written: str) -> int:
    """'3.5万' -> 3500000 fen. Exact: what does not come out in whole fen is refused."""
    found = _UNITS.fullmatch(written.replace(",", "").replace(" ", ""))
    if not found or _SPOKEN.search(written):
        raise ValueError(written)
    scales = (100_000_000, 10_000, 1_000, 100, 1)
    fen = sum(Decimal(part) * scale for part, scale in zip(found.groups(), scales, strict=True) if part) * 100
    if fen != int(fen):
        raise ValueError(written)
    return int(fen)


def parse_fen(text: str) -> int:
    """Whole fen."""
    written = plain(text)
    if not written.isascii() or not written.isdigit() or not 0 < int(written) <= MAX_FEN:
        raise FieldError("应是大于0的整数，单位分。")
    return int(written)


def parse_days(text: str) -> int:
    """Days overdue, 0 to 9999; '12天', '逾期12天' and a spreadsheet's '12.0' are understood."""
    written = _whole(plain(text).removeprefix("逾期").removesuffix("天").removesuffix("日").strip())
    if not written.isascii() or not written.isdigit() or len(written) > 4:
        raise FieldError("应是0到9999的整数。请核对逾期天数。")
    return int(written)


def parse_count(text: str) -> int:
    """How often, 0 to 9999."""
    written = _whole(plain(text).removesuffix("次").removesuffix("期").strip())
    if not written.isascii() or not written.isdigit() or len(written) > 4:
        raise FieldError("应是0到9999的整数。请核对。")
    return int(written)


def _whole(written: str) -> str:
    """12.0 is what a spreadsheet or a program makes of 12."""
    return re.sub(r"\.0+$", "", written)


def parse_last4(text: str, numeric: bool = False) -> str:
    """The last four of an identity card: digits, the last may be X. A numeric cell lost its leading zeros."""
    written = plain(text).upper()
    if re.fullmatch(r"\d{1,4}\.0+", written, re.ASCII):
        written, numeric = _whole(written), True
    if numeric and written.isdigit() and len(written) < 4:
        written = written.zfill(4)
    if not re.fullmatch(r"\d{3}[\dX]", written, re.ASCII):
        hint = "开头的0可能被表格软件去掉了，请把该列设为“文本”。" if written.isdigit() else "请核对。"
        raise FieldError(f"应为4位（末位可为X）。{hint}")
    return written


def parse_birth(text: str, numeric: bool = False) -> str:
    """A birthday as MMDD; '0812', '8月12日', '8-12', '1990-08-12' and '19900812' are understood."""
    return parse_birthday(text, numeric)[0]


def parse_birthday(text: str, numeric: bool = False) -> tuple[str, int | None]:
    """As parse_birth, with the year of birth where it is written."""
    written = plain(text)
    if match := _MONTH_DAY.fullmatch(written):
        year, month, day = None, int(match[1]), int(match[2])
    elif re.fullmatch(r"\d{4}", written, re.ASCII) or (numeric and re.fullmatch(r"\d{3}", written)):
        year, month, day = None, int(written[-4:-2]), int(written[-2:])
    else:
        try:
            date = parse_date(written)
        except FieldError as error:
            hint = "应为月日，例如 0812 或 8月12日。若开头的0丢失，请把该列设为“文本”。"
            raise FieldError(str(error) if "没有" in str(error) else hint) from error
        year, month, day = date.year if date.year < 2020 else None, date.month, date.day
    try:
        dt.date(2000, month, day)
    except ValueError as error:
        raise FieldError(f"没有{month}月{day}日这一天。请核对。") from error
    return f"{month:02d}{day:02d}", year


def parse_id_card(text: str) -> tuple[str, str]:
    """An 18-character identity card number -> (last four, MMDD of birth). The number itself is not kept.

    GB 11643-1999: the last character is a check digit, ISO 7064 MOD 11-2.
    """
    written = plain(text).upper()
    if not re.fullmatch(r"\d{17}[\dX]", written, re.ASCII):
        raise FieldError("身份证号应为18位。若末尾变成0，请把该列设为“文本”后重新导出。")
    check = sum(int(digit) * weight for digit, weight in zip(written, _WEIGHTS, strict=False)) % 11
    if "10X98765432"[check] != written[-1]:
        raise FieldError("身份证号校验位不对。请核对。")
    return written[-4:], parse_birth(written[6:14])


def parse_date(text: str) -> dt.date:
    """A full date, in any of the forms of read_date."""
    try:
        return read_date(text)
    except DateError as error:
        raise FieldError(str(error)) from error


def parse_flag(text: str) -> bool:
    """是 or 否; empty is no."""
    written = plain(text).lower()
    if written in _YES:
        return True
    if written in _NO:
        return False
    raise FieldError("应填“是”或“否”。")


def parse_salutation(text: str) -> Salutation:
    """男/女, 先生/女士, M/F; anything else is unknown, and spoken without a title."""
    written = plain(text).lower()
    if written in {"男", "先生", "m", "male", "mr"}:
        return Salutation.MR
    return Salutation.MS if written in {"女", "女士", "小姐", "f", "female", "ms"} else Salutation.UNKNOWN


def _round_float(written: str) -> str:
    """3500.4999999999 is what a spreadsheet makes of 3500.50: a hair beside whole fen is whole fen."""
    if not re.fullmatch(r"\d+\.\d{7,}", written, re.ASCII):
        return written
    rounded = round(float(written), 2)
    return f"{rounded:.2f}" if abs(rounded - float(written)) < 1e-6 else written
