"""Masking: what a log may show of a person: nothing that finds them, enough to tell two of them apart."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Set

LONGEST = 16_000
"""Characters of one value that are looked at and shown."""
DEEPEST = 6
_REMEMBERED = 512

_SAME_DIGITS = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("＋"): "+", ord("＠"): "@"}
_UNSEEN = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_PLAIN = str.maketrans(_SAME_DIGITS | _UNSEEN)

_GAP = r"[ \t\u00a0\u3000().（）\-\u2010-\u2015]{0,2}"
_MOBILE = re.compile(
    rf"(?<!\d)(?<!\d\.)((?:\+?86{_GAP})?1{_GAP}[3-9]{_GAP}\d)((?:{_GAP}\d){{4}})({_GAP}(?:\d{_GAP}){{3}}\d)(?!\d)"
)
_RUN = re.compile(rf"(?<![0-9A-Za-z_])\+?\d(?:{_GAP}\d){{8,}}[Xx]?(?![0-9A-Za-z_])")
"""Landlines, identity cards, bank cards, numbers abroad: nine digits or more."""
_DATE = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:\D|$)")
_NAMED = "[零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖]"
_SPOKEN = re.compile(rf"{_NAMED}(?:[ ，,、\-]?{_NAMED}){{6,}}")
_MONEY = re.compile(
    r"(?:[¥￥$]|(?:RMB|CNY)\s?)\s?\d[\d,，]*(?:\.\d+)?"
    r"|\d[\d,，]*(?:\.\d+)?\s?(?:元|块钱?|万元|分钱|yuan|fen)(?![A-Za-z])"
    r"|[零一二三四五六七八九十百千万两壹贰叁肆伍陆柒捌玖拾佰仟]+(?:元|块钱?|圆)",
)
_AT = re.compile(r"((?:sips?:|tel:|mailto:)?)([\w.+%-]{3,64})@(?=[\w\[])", re.IGNORECASE)
_TEL = re.compile(r"(tel:)([+\d.()-]{5,})", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@]+(?=@)")

_PERSONAL_KEYS = frozenset({
    "debtor", "customer", "callee", "caller", "contact", "person", "holder", "owner", "surname", "full_name", "phone",
    "mobile", "telephone", "number", "id_card", "identity", "identity_card", "card", "bank_card", "email", "e_mail",
    "home_address", "employer", "text", "said", "heard", "quote", "utterance", "transcript", "answer", "spoken",
})  # fmt: skip
_SUMS = re.compile(r"(?:^|_)(?:fen|yuan|amount|sum|owed|balance|debt|principal|interest)(?:$|_)")
_SHOWN_SUM = re.compile(
    r"""(\b\w*(?:fen|yuan|amount|owed|balance|debt|principal)(?:_\w+)?['"]?\s*[:=]\s*['"]?)-?\d[\d.,]*""", re.IGNORECASE
)
_SHOWN_WORDS = re.compile(
    r"""(\b(?:text|said|heard|quote|transcript|name|debtor|id_tail|birthday|phone|mobile|email)['"]?\s*[:=]\s*)"""
    r"""('[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")""",
    re.IGNORECASE,
)
"""Fields of a value that was printed into a text: {'amount_fen': 126800}, Debtor(name='…')."""
_OURS = re.compile(
    r"(?:^|_)(?:call_id|attempt_id|trace_id|span_id|sip_call_id|sha256|hash|head|timestamp|logger|level|lineno|pid|folder|bundle)$"
)
_MEASURES = re.compile(r"_(?:ms|s|ns|bytes|mb|at|seq|port|count)$")


class Concealed:
    """Names and numbers of people who are in calls now; whatever is logged about them is blotted out by value."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[str, str] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None

    def add(self, *values: str) -> None:
        """Remember values of two characters or more; the oldest are forgotten beyond `most`."""
        with self._lock:
            for value in values:
                plain = value.translate(_PLAIN).strip()
                if 2 <= len(plain) <= 200:
                    self._values[plain] = mask(plain)
                    self._values.move_to_end(plain)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            self._pattern = None

    def blot(self, text: str) -> str:
        if not self._values:
            return text
        with self._lock:
            if self._pattern is None:
                longest_first = sorted(self._values, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            pattern, values = self._pattern, dict(self._values)
        return pattern.sub(lambda found: values[found[0]], text)


CONCEALED = Concealed()


def conceal(*values: str | None) -> None:
    """Call when a person's call begins: their name, number and what else finds them never stands in a log again."""
    CONCEALED.add(*(value for value in values if value))


def mask(text: str) -> str:
    """Keep what tells two people apart in a log and no more: 张* , 138****1234, ab***."""
    if not text:
        return text
    numbered = _MOBILE.sub(_mobile, text.translate(_PLAIN))
    if numbered != text:
        return numbered
    keep = 1 if len(text) < 4 else 2
    return text[:keep] + "*" * min(3, len(text) - keep)


def masked_text(text: str) -> str:
    """Free text with numbers, identity and bank cards, sums, addresses and concealed names blotted out."""
    plain = text[:LONGEST].translate(_PLAIN) + ("…" if len(text) > LONGEST else "")
    plain = _PASSWORD.sub(r"\1***", CONCEALED.blot(plain))
    plain = _SHOWN_WORDS.sub(lambda found: f"{found[1]}'{mask(found[2][1:-1])}'", _SHOWN_SUM.sub(r"\1***", plain))
    plain = _TEL.sub(lambda found: found[1] + mask(found[2]), _AT.sub(_user, plain))
    plain = _RUN.sub(_run, _MOBILE.sub(_mobile, plain))
    return _MONEY.sub("***元", _SPOKEN.sub("***", plain))


def masked(key: str, value: object, depth: int = 0) -> object:
    """A value as it may be logged under `key`."""
    name = key.lower()
    if depth > DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {_key(inner): masked(f"{key}.{inner}", item, depth + 1) for inner, item in list(value.items())}
    if isinstance(value, list | tuple | Set):
        return [masked(key, item, depth + 1) for item in list(value)]
    last = name.rpartition(".")[2]
    if value is None or isinstance(value, bool):
        return value
    if "pii" in name or last in _PERSONAL_KEYS:
        return mask(_text(value))
    if _SUMS.search(last):
        return "***"
    if isinstance(value, int | float):
        return value if _MEASURES.search(last) or not _MOBILE.fullmatch(str(value)) else mask(str(value))
    text = _text(value)
    return text if _OURS.search(last) and isinstance(value, str) else masked_text(text)


def without_password(text: str) -> str:
    """A URL with *** in its password's place."""
    return _PASSWORD.sub(r"\1***", text)


def _key(key: object) -> str:
    return masked_text(str(key))


def _text(value: object) -> str:
    """Whatever it is, as text; what can't even be shown is named by its type."""
    if isinstance(value, str):
        return str(value)
    try:
        return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else repr(value)
    except Exception:  # a stranger's __repr__ may do anything; the log goes on
        return f"<{type(value).__name__}>"


def _mobile(found: re.Match[str]) -> str:
    begin = re.sub(r"\D", "", found[1])
    return f"{'+' if found[1].startswith('+') else ''}{begin}****{re.sub(chr(92) + 'D', '', found[3])}"


def _run(found: re.Match[str]) -> str:
    text = found[0]
    if _DATE.match(text):
        return text
    digits = re.sub(r"\D", "", text)
    return f"{digits[:3]}****{digits[-2:]}"


def _user(found: re.Match[str]) -> str:
    """sip:13812345678@host, wang@example.com; an extension of up to four digits is nobody's number."""
    scheme, user = found[1], found[2]
    if scheme.lower().startswith("sip") and ((user.isascii() and user.isalpha()) or len(user) <= 4):
        return f"{scheme}{user}@"
    return f"{scheme}{user[:2]}***@"
