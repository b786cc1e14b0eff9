"""What recognition servers want to hear and how they answer: sherpa-onnx's and FunASR's streaming protocols."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Sequence

import numpy as np

Message = str | bytes


class Reading(typing.Protocol):
    """Follows the answers of one connection."""

    def take(self, message: Message) -> tuple[str, bool]:
        """The whole text so far, and whether it is final. What can't be read changes nothing."""


class Protocol(typing.Protocol):
    """Sound is float32 at 16 kHz, as bytes."""

    def hello(self, hotwords: Sequence[str]) -> Sequence[Message]: ...

    def sound(self, piece: bytes) -> Message: ...

    def goodbye(self) -> Sequence[Message]: ...

    def reading(self) -> Reading: ...


class SherpaReading:
    """Results are JSON with `text` and `segment`; `Done!` follows the last one."""

    def __init__(self) -> None:
        self._segments: dict[int, str] = {}

    def take(self, message: Message) -> tuple[str, bool]:
        if message == "Done!":
            return self._text(), True
        told = _object(message)
        if isinstance(told.get("text"), str):
            segment = told.get("segment")
            self._segments[segment if isinstance(segment, int) else 0] = told["text"]
        return self._text(), False

    def _text(self) -> str:
        return "".join(self._segments[key] for key in sorted(self._segments)).replace(" ", "")


class SherpaProtocol:
    """sherpa-onnx-online-websocket-server: binary float32 samples, `Done` at the end. It takes no words of a call."""

    def hello(self, hotwords: Sequence[str]) -> Sequence[Message]:
        return ()

    def sound(self, piece: bytes) -> Message:
        return piece

    def goodbye(self) -> Sequence[Message]:
        return ("Done",)

    def reading(self) -> Reading:
        return SherpaReading()


class FunasrReading:
    """Mode 2pass: `2pass-online` pieces add up, a `2pass-offline` text replaces them; `is_final` ends."""

    def __init__(self) -> None:
        self._sure, self._online = "", ""

    def take(self, message: Message) -> tuple[str, bool]:
        told = _object(message)
        text = told.get("text")
        if isinstance(text, str):
            if told.get("mode") == "2pass-offline":
                self._sure, self._online = self._sure + text, ""
            else:
                self._online += text
        final = told.get("is_final") is True or told.get("mode") == "2pass-offline"
        return self._sure + self._online, final


_WEIGHT = 20  # of a hot word, in FunASR's own example


class FunasrProtocol:
    """FunASR runtime server: a JSON greeting, binary s16le samples, `is_speaking: false` at the end."""

    def hello(self, hotwords: Sequence[str]) -> Sequence[Message]:
        greeting: dict[str, object] = {
            "mode": "2pass",
            "chunk_size": [5, 10, 5],
            "chunk_interval": 10,
            "wav_name": "call",
            "wav_format": "pcm",
            "audio_fs": 16000,
            "is_speaking": True,
            "itn": False,
        }
        if hotwords:  # a JSON object of weights, itself as a string
            greeting["hotwords"] = json.dumps(dict.fromkeys(hotwords, _WEIGHT), ensure_ascii=False)
        return (json.dumps(greeting),)

    def sound(self, piece: bytes) -> Message:
        samples = np.frombuffer(piece, np.float32)
        return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()

    def goodbye(self) -> Sequence[Message]:
        return (json.dumps({"is_speaking": False}),)

    def reading(self) -> Reading:
        return FunasrReading()


PROTOCOLS: dict[str, Callable[[], Protocol]] = {"sherpa": SherpaProtocol, "funasr": FunasrProtocol}


def _object(message: Message) -> dict[str, typing.Any]:
    try:
        told = json.loads(message)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
