"""Numbers as a trunk wants them: how the called one is spelt, and which of ours is shown."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import phonenumbers

from voicebot.telephony.trunk import CallerIdentity, CallerRule, NumberFormat, Shape

_REGION = "CN"
_SPACING = re.compile(r"[\s().\-]")


def spelt(number: str, wanted: NumberFormat) -> str:
    """'+8613800138000' as the trunk wants it: NATIONAL with prefix '9' -> '913800138000'.

    What is no number (an extension, a service number) keeps its shape; strip and prefix hold for it too.
    """
    plain = _SPACING.sub("", number)
    shaped = _shaped(plain, wanted.shape)
    if wanted.strip and shaped.startswith(wanted.strip):
        shaped = shaped[len(wanted.strip) :]
    return wanted.prefix + shaped


def _shaped(number: str, shape: Shape) -> str:
    try:
        parsed = phonenumbers.parse(number, _REGION)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed) or number.strip("+0123456789"):
        return number
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if shape is Shape.E164:
        return e164
    if shape is Shape.DIGITS or parsed.country_code != 86:
        return e164.removeprefix("+")
    return re.sub(r"\D", "", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))


def shown(identity: CallerIdentity, callee: str, wanted: str | None = None) -> str:
    """Which number of the pool a call to `callee` shows.

    `wanted` is shown where it is in the pool: nobody shows a number that the carrier did not give us. CAMPAIGN: else
    `wanted` is a key, such as the campaign's id, and the same key always shows the same number. AREA: a number of the
    callee's city, else of the province, else the first.
    """
    pool = identity.numbers
    if wanted is not None and wanted in pool:
        return wanted
    if identity.rule is CallerRule.CAMPAIGN and wanted:
        return pool[zlib.crc32(wanted.encode()) % len(pool)]
    if identity.rule is CallerRule.AREA:
        return _nearest(pool, callee)
    return pool[0]


def _nearest(pool: Sequence[str], callee: str) -> str:
    home = place_of(callee)
    if not home:
        return pool[0]
    places = [(number, place_of(number)) for number in pool]
    same_city = [number for number, place in places if place == home]
    same_province = [number for number, place in places if place and _province(place) == _province(home)]
    return (same_city or same_province or list(pool))[0]


def place_of(number: str) -> str:
    """Where a number is at home, in Chinese: '广东省深圳市'; '' where that can't be told from it."""
    from phonenumbers import geocoder  # its tables take a second to load, and few trunks need them

    try:
        place: str = geocoder.description_for_number(phonenumbers.parse(number, _REGION), "zh")
    except phonenumbers.NumberParseException:
        return ""
    return place


def _province(place: str) -> str:
    head, found, _ = place.partition("省")
    return head + found if found else place


def identity_headers(identity: CallerIdentity, number: str, domain: str) -> list[tuple[str, str]]:
    """P-Asserted-Identity, P-Preferred-Identity (RFC 3325), Diversion (RFC 5806), Privacy (RFC 3323)."""
    uri = f"<sip:{number}@{domain}>"
    fields = []
    if identity.asserted:
        fields.append(("P-Asserted-Identity", uri))
    if identity.preferred:
        fields.append(("P-Preferred-Identity", uri))
    if identity.diversion:
        fields.append(("Diversion", f"<sip:{identity.diversion}@{domain}>;reason=unconditional"))
    if identity.privacy:
        fields.append(("Privacy", identity.privacy))
    return fields
