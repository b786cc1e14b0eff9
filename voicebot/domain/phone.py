"""Phone numbers: shown by their ends only, enough to recognise, too little to ring; compared however they are spelt."""

from __future__ import annotations

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s().\-\u2010-\u2015]")
_NUMBER = re.compile(r"\+?\d{7,}")


def mask_number(number: str) -> str:
    """138****1234; of a sip: URI the beginning of the user part and the host."""
    if number.startswith(("sip:", "sips:")):
        user, at, host = number.partition(":")[2].partition("@")
        return f"{user[:2]}***{at}{host}"
    digits = number.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"***{digits[-2:]}"


def same_line(number: str) -> str:
    """A key that is equal for all spellings of one number: '+86 138-0000-0001', 'tel:013800000001', a sip: URI of it.

    What is no number of at least seven digits is its own key. Source of the prefixes: ITU-T E.164, China.
    """
    plain = unicodedata.normalize("NFKC", number).strip()
    scheme, colon, rest = plain.partition(":")
    is_uri = bool(colon) and scheme.lower() in ("tel", "sip", "sips")
    digits = _SEPARATORS.sub("", re.split("[@;]", rest, maxsplit=1)[0] if is_uri else plain)
    if not _NUMBER.fullmatch(digits):
        return plain
    national = digits.lstrip("+0")
    if national.startswith("86") and len(national) >= 12:
        national = national[2:].lstrip("0")
    return national
