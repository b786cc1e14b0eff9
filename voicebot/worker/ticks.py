"""The tick protocol: bytes between line and brain over one unix socket.

Every frame is a length (u32), a type (u8) and a body, little endian. One TICK goes to the brain every 20 ms with the
received sound of all calls, and the brain answers each with an ACK: the tick is the heartbeat, its age is the lag.

    HELLO  line -> brain, brain -> line   u16 version
    TICK   line -> brain                  u64 tick, u16 n, n x (u32 call, 320 bytes)
    ACK    brain -> line                  u64 tick
    SOUND  brain -> line                  u32 call, u8 last, u8 k, k bytes of utterance id, s16le sound
    WORD   both ways                      JSON of an order or a report: [class name, fields]
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from voicebot.audio.frames import FRAME_BYTES
from voicebot.domain.talk import Order, Report

VERSION = 1
MAX_BODY = 8 * 1024 * 1024
"""Longest body accepted, bytes: 500 s of sound."""

_HEAD = struct.Struct("<IB")
_VERSION = struct.Struct("<H")
_TICK = struct.Struct("<QH")
_ACK = struct.Struct("<Q")
_CALL = struct.Struct("<I")
_SOUND = struct.Struct("<IBB")
HELLO, TICK, ACK, SOUND, WORD = range(1, 6)


class TickProtocolError(Exception):
    """The other process sent something that is not this protocol: both must be of the same release."""


@dataclass(frozen=True, slots=True)
class Hello:
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Tick:
    """The received sound of all calls in one 20 ms: (call, 320 bytes) each."""

    number: int
    frames: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Ack:
    number: int


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound of an utterance, in any number of pieces; `last` closes it. `call` 0 means a stored prompt."""

    call: int
    utterance_id: str
    pcm: bytes
    last: bool


Message = Hello | Tick | Ack | Sound | Order | Report
_WORDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (*get_args(Order), *get_args(Report))
}


def encode(message: Message) -> bytes:
    """One message as one frame."""
    match message:
        case Tick():
            body = _TICK.pack(message.number, len(message.frames)) + b"".join(
                _CALL.pack(call) + pcm for call, pcm in message.frames
            )
            return _frame(TICK, body)
        case Ack():
            return _frame(ACK, _ACK.pack(message.number))
        case Sound():
            name = message.utterance_id.encode()
            return _frame(SOUND, _SOUND.pack(message.call, message.last, len(name)) + name + message.pcm)
        case Hello():
            return _frame(HELLO, _VERSION.pack(message.version))
        case _:
            name_of = type(message).__name__
            fields = _WORDS[name_of].dump_python(message, mode="json")
            return _frame(WORD, json.dumps([name_of, fields], ensure_ascii=False).encode())


def _frame(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(len(body), kind) + body


class Decoder:
    """Bytes in, messages out; keeps what is not yet complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages completed by `data`; TickProtocolError for anything else than this protocol."""
        self._buffer += data
        offset = 0
        try:
            while len(self._buffer) - offset >= _HEAD.size:
                length, kind = _HEAD.unpack_from(self._buffer, offset)
                if length > MAX_BODY:
                    raise TickProtocolError(f"a body of {length} bytes is longer than {MAX_BODY}")
                end = offset + _HEAD.size + length
                if len(self._buffer) < end:
                    break
                body = bytes(self._buffer[offset + _HEAD.size : end])
                offset = end
                yield _decode(kind, body)
        finally:
            del self._buffer[:offset]


def _decode(kind: int, body: bytes) -> Message:
    try:
        match kind:
            case 1:
                return _hello(body)
            case 2:
                return _tick(body)
            case 3:
                return Ack(*_ACK.unpack(body))
            case 4:
                return _sound(body)
            case 5:
                return _word(body)
            case _:
                raise TickProtocolError(f"unknown frame type {kind}")
    except (struct.error, UnicodeDecodeError) as error:
        raise TickProtocolError(f"frame type {kind} with a broken body: {error}") from error


def _hello(body: bytes) -> Hello:
    (version,) = _VERSION.unpack(body)
    if version != VERSION:
        raise TickProtocolError(f"the other process speaks version {version}, this one {VERSION}: restart both")
    return Hello(version)


def _tick(body: bytes) -> Tick:
    number, count = _TICK.unpack_from(body)
    step = _CALL.size + FRAME_BYTES
    if len(body) != _TICK.size + count * step:
        raise TickProtocolError(f"a tick of {count} calls can't be {len(body)} bytes long")
    starts = range(_TICK.size, len(body), step)
    return Tick(
        number,
        tuple((_CALL.unpack_from(body, at)[0], body[at + _CALL.size : at + step]) for at in starts),
    )


def _sound(body: bytes) -> Sound:
    call, last, length = _SOUND.unpack_from(body)
    name = body[_SOUND.size : _SOUND.size + length]
    pcm = body[_SOUND.size + length :]
    if last > 1 or len(name) < length or len(pcm) % 2:
        raise TickProtocolError("a piece of sound with impossible lengths")
    return Sound(call, name.decode(), pcm, bool(last))


def _word(body: bytes) -> Message:
    try:
        name, fields = json.loads(body)
        word: Message = _WORDS[name].validate_python(fields)
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
        raise TickProtocolError(f"not an order or report: {error}") from error
    return word


def encode_all(messages: Sequence[Message]) -> bytes:
    """Several messages in one write."""
    return b"".join(encode(message) for message in messages)
