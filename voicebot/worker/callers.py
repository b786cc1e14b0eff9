"""Callers: whose number an incoming call shows, and which case that may be about."""

from __future__ import annotations

from urllib.parse import unquote

import phonenumbers

from voicebot.call.runner import Caller
from voicebot.store.store import Store

_REGION = "CN"
_FORMAT = phonenumbers.PhoneNumberFormat.E164


def number_of(remote: str) -> str:
    """The caller's URI -> the number as cases hold it: E.164, else the plain sip: URI.

    'sip:013812345678@192.0.2.4;user=phone' -> '+8613812345678'
    """
    uri = remote.partition(";")[0].partition("?")[0]
    user = unquote(uri.partition(":")[2].partition("@")[0])
    if not user.isascii() or user.strip("+0123456789-()."):
        return uri
    for written in (user, user.removeprefix("0"), f"+{user}"):
        try:
            number = phonenumbers.parse(written, _REGION)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, _FORMAT)
    return uri


class KnownCallers:
    """Looks callers up in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, remote: str) -> Caller:
        """The caller; with the largest open bill, if the number belongs to one debtor and to no other."""
        number = number_of(remote)
        cases = await self._store.cases.by_number(number)
        alone = len({case.debtor.id for case in cases}) == 1
        return Caller(number, cases[0] if alone else None)
