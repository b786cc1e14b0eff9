"""Replaces (RFC 3891) and Refer-To (RFC 3515): which call is meant, and where a call is to go."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from sip.errors import SipParseError
from sip.message import Headers, NameAddr, Uri
from sip.message.grammar import parameter, parse_parameters


@dataclass(frozen=True, slots=True)
class Replaces:
    """A dialog as the one who is to give it up sees it: `to_tag` is its own tag, `from_tag` the other party's."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """`a@b;to-tag=1;from-tag=2;early-only`; SipParseError."""
        call_id, semicolon, tail = text.strip().partition(";")
        parameters = parse_parameters(semicolon + tail)
        to_tag, from_tag = parameter(parameters, "to-tag"), parameter(parameters, "from-tag")
        if not call_id.strip() or to_tag is None or from_tag is None:
            raise SipParseError("Replaces needs a Call-ID, a to-tag and a from-tag")
        return cls(call_id.strip(), to_tag, from_tag, parameter(parameters, "early-only") is not None)

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Where a REFER points: a URI without header part, and the Replaces that was hidden in it."""

    uri: Uri
    replaces: Replaces | None = None

    @classmethod
    def of(cls, headers: Headers) -> ReferTo:
        """The one Refer-To of a REFER. SipParseError where there is none, more than one, or another method in it."""
        values = headers.elements("Refer-To")
        if len(values) != 1:
            raise SipParseError("a REFER needs exactly one Refer-To")
        uri = NameAddr.parse(values[0]).uri
        if (uri.parameter("method") or "INVITE").upper() != "INVITE" or uri.scheme not in ("sip", "sips", "tel"):
            raise SipParseError("only a call can be asked for: method INVITE to a sip, sips or tel URI")
        fields = [part.partition("=") for part in uri.headers.split("&") if part]
        hidden = [unquote(value) for name, _, value in fields if unquote(name).lower() == "replaces"]
        return cls(uri.without_headers(), Replaces.parse(hidden[0]) if hidden else None)

    def __str__(self) -> str:
        """With brackets; what a header in a URI must not hold is escaped (RFC 3261 19.1.2)."""
        hidden = f"?Replaces={quote(str(self.replaces), safe='')}" if self.replaces else ""
        return f"<{self.uri.without_headers()}{hidden}>"


def frag_status(body: bytes) -> tuple[int, str] | None:
    """Status line of a message/sipfrag body: `SIP/2.0 180 Ringing` -> (180, "Ringing"); None where there is none."""
    line = body.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    version, _, rest = line.partition(" ")
    status, _, reason = rest.strip().partition(" ")
    if version.upper() != "SIP/2.0" or len(status) != 3 or not (status.isascii() and status.isdigit()):
        return None
    return (int(status), reason.strip()) if 100 <= int(status) <= 699 else None
