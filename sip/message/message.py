"""Requests and responses as values; building a reply; writing them as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from sip.message.fields import CSeq, NameAddr, Via
from sip.message.headers import Headers
from sip.message.multipart import part_of
from sip.message.uri import Uri

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK",
    202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
    500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 600: "Busy Everywhere", 603: "Decline",
    604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip


_Value = TypeVar("_Value")


class _read_once(Generic[_Value]):
    """A field that is parsed when it is first asked for and kept in the message; no lock, for one thread reads it."""

    def __init__(self, parse: Callable[[Any], _Value]) -> None:
        self._parse, self._name = parse, parse.__name__

    def __get__(self, message: object, owner: type | None = None) -> _Value:
        value = message.__dict__[self._name] = self._parse(message)
        return value


class _Fields:
    """The fields every message has, parsed at most once. The parser has checked them before anybody asks."""

    headers: Headers
    body: bytes

    @_read_once
    def via(self) -> Via:
        """The topmost Via."""
        return Via.parse(self.headers.elements("Via")[0])

    @_read_once
    def from_(self) -> NameAddr:
        return NameAddr.parse(self.headers.get("From") or "")

    @_read_once
    def to(self) -> NameAddr:
        return NameAddr.parse(self.headers.get("To") or "")

    @_read_once
    def cseq(self) -> CSeq:
        return CSeq.parse(self.headers.get("CSeq") or "")

    @_read_once
    def call_id(self) -> str:
        return self.headers.get("Call-ID") or ""

    @_read_once
    def contact(self) -> NameAddr | None:
        """The first Contact; None when there is none or only a `*`."""
        contacts = self.headers.elements("Contact")
        return NameAddr.parse(contacts[0]) if contacts and contacts[0] != "*" else None

    @_read_once
    def sdp(self) -> bytes:
        """The session description, alone or as a part of the body; b"" where there is none."""
        kind = self.content_type
        if kind.startswith("multipart/"):
            return part_of(self.headers.get("Content-Type") or "", self.body, "application/sdp")
        return self.body if kind in ("application/sdp", "") else b""

    @property
    def content_type(self) -> str:
        """Lowered media type without parameters; "" when absent."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    def _encode(self, start_line: str) -> bytes:
        lines = [start_line]
        for name, value in self.headers:
            if name != "Content-Length":
                lines.append(f"{name}: {value}")
        lines.append(f"Content-Length: {len(self.body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header field holds a line break; whoever filled it must remove that")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Request(_Fields):
    """`method` and `uri` are the request line; a method keeps its case (RFC 3261 7.1)."""

    method: str
    uri: Uri
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def with_headers(self, headers: Headers) -> Request:
        return replace(self, headers=headers)

    def reply(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str = "application/sdp",
    ) -> Response:
        """A response by RFC 3261 section 8.2.6: Via, From, To (our tag), Call-ID, CSeq, Record-Route, Timestamp."""
        to = self.to
        if to_tag and status > 100 and to.tag is None:
            to = to.with_tag(to_tag)
        copied = [("Via", value) for value in self.headers.all("Via")]
        copied += [("From", self.headers.get("From") or ""), ("To", str(to))]
        copied += [("Call-ID", self.call_id), ("CSeq", str(self.cseq))]
        if self.method == "INVITE" and 100 < status < 300:
            copied += [("Record-Route", value) for value in self.headers.all("Record-Route")]
        if status == 100:
            copied += [("Timestamp", value) for value in self.headers.all("Timestamp")]
        if body:
            copied.append(("Content-Type", content_type))
        return Response(status, reason or REASONS.get(status, "Unknown"), Headers([*copied, *headers]), body)


@dataclass(frozen=True)
class Response(_Fields):
    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")


Message = Request | Response
