"""Phone numbers: what people write becomes E.164; `sip:` URIs are left as they are for tests and extensions."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from voicebot.cases.tables import plain

_SIP = re.compile(r"sips?:[A-Za-z0-9._~%+!*'()-]+@[A-Za-z0-9.-]+(:\d{1,5})?(;[A-Za-z0-9=.;_-]+)?", re.ASCII)
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})", re.ASCII)
_REMARK = re.compile(r"\([^()\d]*\)")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?e\+?\d+", re.IGNORECASE | re.ASCII)
_SEVERAL = re.compile(r"[/,;、，；|]")


class PhoneError(ValueError):
    """Not a number that can be dialled; the message (Chinese) says what is wrong and what to do."""


def parse_phone(text: str) -> str:
    """'138 0000 0001', '+86-138…', '010-…' or a sip: URI -> '+8613800000001' or the URI. Raises PhoneError."""
    written = plain(text)
    if _SIP.fullmatch(written):
        return written
    written = _REMARK.sub("", written).removesuffix(".0")
    if (mobile := _MOBILE.fullmatch(written)) and _is_given_out(mobile[1][:7]):
        return f"+86{mobile[1]}"
    if problem := _problem(written):
        raise PhoneError(problem)
    try:
        number = phonenumbers.parse(written, "CN")
    except phonenumbers.NumberParseException as error:
        raise PhoneError("不是电话号码。请填写11位手机号，或带区号的固定电话。") from error
    if not phonenumbers.is_valid_number(number):
        raise PhoneError(_why_invalid(written))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=65536)
def _is_given_out(beginning: str) -> bool:
    """Whether mobile numbers that begin so are valid; their first seven digits decide."""
    return phonenumbers.is_valid_number(phonenumbers.parse(f"+86{beginning}0000", None))


def place_and_carrier(number: str) -> tuple[str, str]:
    """Where a number's range was given out, and by whom: ('江苏省常州市', '中国电信'); '' where that is not known.

    Numbers may have been taken to another carrier since.
    """
    return _range(number[:10]) if number.startswith("+86") else ("", "")


@lru_cache(maxsize=65536)
def _range(beginning: str) -> tuple[str, str]:
    from phonenumbers import carrier, geocoder  # their tables take half a second to load

    whole = phonenumbers.parse(beginning.ljust(14, "0"), None)
    place = geocoder.description_for_number(whole, "zh")
    return "" if place == "中国" else place, carrier.name_for_number(whole, "zh")


def _problem(written: str) -> str | None:
    if not written:
        return "为空。请补充号码。"
    if _SCIENTIFIC.fullmatch(written):
        return "被表格软件写成了科学计数法，末尾数字已丢失。请把该列设为“文本”后重新导出。"
    if "*" in written or "x" in written.lower():
        return "号码被打码。请导出完整号码。"
    if _SEVERAL.search(written):
        return "一格里有几个号码。请只留一个，其余放到“备用手机号”列。"
    if written.startswith(("sip:", "sips:")):
        return "SIP 地址不完整。格式为 sip:用户@主机:端口。"
    if re.search(r"[A-Za-z\u4e00-\u9fff]", written):
        return "含有文字。请只填数字。"
    return None


def _why_invalid(written: str) -> str:
    digits = re.sub(r"\D", "", written).removeprefix("86")
    if digits.startswith("1") and len(digits) != 11:
        return f"手机号应为11位，现有{len(digits)}位。请核对。"
    return "不是有效的号码（号段或位数不对）。请核对。"
