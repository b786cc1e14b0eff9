"""Cuts a byte stream into SIP messages by their Content-Length (RFC 3261 18.3, RFC 5626 3.5.1). No sockets here."""

from __future__ import annotations

import re

from sip.errors import SipParseError

#: Bytes of one message on a stream. A peer that sends more is broken or hostile.
MAX_STREAM_MESSAGE = 65536
#: Bytes of its start line and header fields.
MAX_HEAD = 32768

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:(?:\r\n[ \t]|[ \t])*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_PING = b"\r\n\r\n"


class Framer:
    """Feed it what arrives; `next` gives whole messages, oldest first, None when more must come.

    `pings` counts the double line breaks between messages that want a pong. After a SipParseError the place of
    the next message is unknown: nothing but closing the connection helps.
    """

    def __init__(self) -> None:
        self.pings = 0
        self._buffer = bytearray()
        self._searched = 0
        self._needed: int | None = None

    def feed(self, data: bytes) -> None:
        self._buffer += data

    @property
    def is_midway(self) -> bool:
        """A message has begun and not ended."""
        return len(self._buffer) > 0

    def next(self) -> bytes | None:
        """One whole message. Raises SipParseError where no length can be told or a limit is passed."""
        if self._needed is None:
            self._skip_line_breaks()
            self._needed = self._measure()
        if self._needed is None or len(self._buffer) < self._needed:
            return None
        message = bytes(self._buffer[: self._needed])
        del self._buffer[: self._needed]
        self._searched, self._needed = 0, None
        return message

    def _skip_line_breaks(self) -> None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):
            is_ping = buffer.startswith(_PING)
            self.pings += is_ping
            del buffer[: 4 if is_ping else 2]
            self._searched = 0

    def _measure(self) -> int | None:
        """Bytes of the message at the front, once its header fields are complete."""
        if self._buffer == b"\r":
            return None
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0 and len(self._buffer) <= MAX_HEAD:
            self._searched = len(self._buffer)
            return None
        if not 0 <= end <= MAX_HEAD:
            raise SipParseError(f"no end of the header fields within {MAX_HEAD} bytes", 413)
        total = end + 4 + _content_length(bytes(self._buffer[: end + 2]))
        if total > MAX_STREAM_MESSAGE:
            raise SipParseError(f"message of {total} bytes is longer than {MAX_STREAM_MESSAGE}", 413)
        return total


def _content_length(head: bytes) -> int:
    """A stream needs the field (RFC 3261 20.14); several must agree."""
    found = set(_LENGTH.findall(head))
    if len(found) != 1:
        raise SipParseError("no Content-Length on a stream" if not found else "several Content-Length fields disagree")
    text = found.pop()
    if not text.isdigit() or len(text) > 10:
        raise SipParseError("bad Content-Length")
    return int(text)


__all__ = ["MAX_HEAD", "MAX_STREAM_MESSAGE", "Framer"]
