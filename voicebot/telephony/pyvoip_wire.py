"""What line and pyVoIP process say to each other: a kind, a call number and some bytes, over a pair of sockets."""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import Any, BinaryIO, NamedTuple

_HEAD = struct.Struct("!BIH")
MOST_BYTES = 4096


class Kind(IntEnum):
    """The first group is said by the line, the second by the process. Sound is 320 bytes, s16le, 8 kHz."""

    DIAL = 1  # {"number"}
    ANSWER = 2
    REJECT = 3
    HANG_UP = 4
    SOUND = 5
    PING = 6
    STOP = 7

    READY = 20  # registered
    FAILED = 21  # {"why"}: the registration
    INCOMING = 22  # {"id", "remote", "called"}
    DIALLED = 23  # {"id"}: call() has come back
    RINGING = 24
    ANSWERED = 25
    KEY = 26  # {"digit"}
    ENDED = 27  # {"by", "status", "reason"}
    HEARD = 28  # sound
    PONG = 29


class WireError(ValueError):
    """These bytes are no message of ours."""


class Message(NamedTuple):
    kind: Kind
    call: int
    body: bytes = b""

    def encode(self) -> bytes:
        return _HEAD.pack(self.kind, self.call, len(self.body)) + self.body

    @property
    def data(self) -> dict[str, Any]:
        """The body as JSON object. WireError."""
        try:
            data = json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise WireError(f"no JSON in {self.kind!r}") from error
        if not isinstance(data, dict):
            raise WireError(f"no JSON object in {self.kind!r}")
        return data


def message(kind: Kind, call: int = 0, **data: object) -> Message:
    return Message(kind, call, json.dumps(data).encode() if data else b"")


class Reader:
    """Bytes in any pieces to messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Raises WireError; then the connection is of no more use."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _HEAD.size:
            kind, call, length = _HEAD.unpack_from(self._buffer)
            if length > MOST_BYTES or kind not in Kind._value2member_map_:
                raise WireError(f"kind {kind} with {length} bytes is no message")
            if len(self._buffer) < _HEAD.size + length:
                break
            body = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
            del self._buffer[: _HEAD.size + length]
            found.append(Message(Kind(kind), call, body))
        return found


def read_from(stream: BinaryIO) -> Message | None:
    """The next message of a blocking stream; None at its end. WireError."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, call, length = _HEAD.unpack(head)
    if length > MOST_BYTES or kind not in Kind._value2member_map_:
        raise WireError(f"kind {kind} with {length} bytes is no message")
    body = stream.read(length)
    return Message(Kind(kind), call, body) if len(body) == length else None
