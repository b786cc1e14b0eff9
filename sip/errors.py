"""The errors of the telephone library: who did wrong, and what to answer."""

from __future__ import annotations

from collections.abc import Iterable


class SipError(Exception):
    """Root of everything this library raises on purpose."""


class SipParseError(SipError):
    """The peer sent bytes that are not a message we can use.

    `status` is what RFC 3261 wants us to answer; `fields` are the header fields read so far (empty: none
    to answer with); `method` is that of the broken request, None for a response or an unreadable line.
    """

    def __init__(
        self,
        reason: str,
        status: int = 400,
        *,
        method: str | None = None,
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.method = method
        self.fields = tuple(fields)


class SdpError(SipParseError):
    """The peer's session description is unreadable or holds nothing that both sides can use: answer 488."""

    def __init__(self, reason: str, status: int = 488) -> None:
        super().__init__(reason, status)


class CallStateError(SipError):
    """We asked a call for something its state does not allow (answer an ended call, ring an outgoing one)."""


class RefusedError(SipError):
    """The peer refused what we asked of a standing call, or never answered it (408); the call is as before."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class ResolveError(SipError):
    """The host of a URI has no usable address: check the spelling of the URI or the name server."""
