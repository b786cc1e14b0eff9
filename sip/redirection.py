"""Where a redirected call may go on (RFC 3261 section 8.1.3.4): bounded, and by default not out of the trunk."""

from __future__ import annotations

from typing import Literal

from sip.errors import SipParseError
from sip.message import NameAddr, Response, Uri
from sip.message.grammar import parameter
from sip.transport import Address, Hop

#: off: a 3xx ends the call; trunk: only to the host that was asked or to the proxy; any: wherever it says.
Redirects = Literal["off", "trunk", "any"]
MAX_REDIRECTS = 5


class Redirection:
    """For one call: `via` is its outbound proxy, which every INVITE goes through."""

    def __init__(self, allowed: Redirects, via: Hop | Address | None) -> None:
        self.via = via
        self._allowed = allowed
        self._tried: set[str] = set()

    def follow(self, response: Response, asked: Uri) -> Uri | None:
        """The best contact of a 3xx that we may and have not tried yet; None: the call ends with this response."""
        if not 300 <= response.status < 400 or self._allowed == "off" or len(self._tried) >= MAX_REDIRECTS:
            return None
        self._tried.add(str(asked))
        for contact in _by_preference(response):
            target = contact.uri.without_headers()
            if str(target) not in self._tried and self._may(target, asked):
                return target
        return None

    def _may(self, target: Uri, asked: Uri) -> bool:
        if target.scheme not in ("sip", "sips"):
            return self.via is not None and target.scheme == "tel"
        if self._allowed == "any":
            return True
        proxy = self.via.host if isinstance(self.via, Hop) else self.via[0] if self.via else None
        return target.hostname.lower() in (asked.hostname.lower(), proxy)


def _by_preference(response: Response) -> list[NameAddr]:
    """Contacts by falling q, in the given order where it is the same; unreadable ones left out."""
    contacts = []
    try:
        texts = response.headers.elements("Contact")
    except SipParseError:
        return []
    for text in texts:
        try:
            contacts.append(NameAddr.parse(text))
        except SipParseError:
            continue
    return sorted(contacts, key=_quality, reverse=True)


def _quality(contact: NameAddr) -> float:
    try:
        return float(parameter(contact.parameters, "q") or 1.0)
    except ValueError:
        return 0.0
