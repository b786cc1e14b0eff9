"""Loop call: we ring ourselves over real SIP and RTP, each side plays a tone, and both must hear the other's."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from dataclasses import dataclass

import numpy as np

from voicebot.audio.frames import RATE
from voicebot.doctor.finding import Finding, ill, well, worth_a_look
from voicebot.telephony.leg import Answered, CallLeg, Ended
from voicebot.telephony.sip_line import SipLine

ASKED_HZ, ANSWERED_HZ = 440.0, 620.0
TICKS = 50
"""One second of sound."""
ANSWERED_WITHIN_S = 8.0
_SAMPLES = 160
_CLEAR = 0.5
"""Share of the sound's power that must lie on the tone."""
_LATE_MS = 20.0


@dataclass(frozen=True, slots=True)
class LoopCall:
    """`there`, `back`: share of the tone in what the called and the calling side heard; ticks later than 20 ms."""

    there: float
    back: float
    late: int
    ticks: int

    @property
    def is_heard(self) -> bool:
        return self.there > _CLEAR and self.back > _CLEAR


class Tone:
    """An AudioPort that plays one tone and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        time = np.arange(TICKS * _SAMPLES) / RATE
        self._sound = (8000 * np.sin(2 * math.pi * hertz * time)).astype("<i2").tobytes()
        self._heard = bytearray()
        self._at = 0
        self.is_over = asyncio.Event()

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self._heard += received
        start = self._at * 2 * _SAMPLES
        self._at += 1
        if self._at >= TICKS + 15:  # what is on its way still comes in
            self.is_over.set()
        return self._sound[start : start + 2 * _SAMPLES] if start < len(self._sound) else None

    def share_of(self, hertz: float) -> float:
        """How much of what was heard is this tone, 0 to 1; 0 for less than half a second of sound."""
        heard = np.frombuffer(bytes(self._heard), dtype="<i2").astype(float)
        loud = heard[np.abs(heard) > 0]
        if loud.size < RATE // 2:
            return 0.0
        time = np.arange(heard.size) / RATE
        wave = np.exp(-2j * math.pi * hertz * time)
        power = 2 * abs(np.dot(heard, wave)) ** 2 / loud.size
        return float(min(1.0, power / max(float(np.dot(heard, heard)), 1e-9)))


async def ring_ourselves(host: str = "127.0.0.1") -> LoopCall:
    """A whole call on loopback. Raises TimeoutError when nobody answers, OSError without ports."""
    called, calling = Tone(ANSWERED_HZ), Tone(ASKED_HZ)

    async def answer(leg: CallLeg) -> None:
        leg.connect(called)
        await leg.answer()

    async with contextlib.AsyncExitStack() as stack:
        there = await _line(host, stack, answer)
        here = await _line(host, stack, None)
        leg = await here.dial(f"sip:doctor@{host}:{there.address[1]}", ring_timeout_s=ANSWERED_WITHIN_S)
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            await _answered(leg)
            leg.connect(calling)
            await asyncio.gather(calling.is_over.wait(), called.is_over.wait())
        await leg.hang_up()
        ticks = here.lateness
        return LoopCall(
            called.share_of(ASKED_HZ), calling.share_of(ANSWERED_HZ), round(ticks.later_than(_LATE_MS)), ticks.count
        )


async def audio_path() -> Finding:
    """The finding of a loop call."""
    remedy = "see whether a firewall keeps UDP off the loopback, and whether VOICEBOT_SIP_LISTEN's host is ours"
    try:
        call = await ring_ourselves()
    except TimeoutError:
        return ill("audio", "a call to ourselves was not answered", remedy)
    except (OSError, ValueError, ConnectionError) as error:
        return ill("audio", f"a call to ourselves failed: {error}", remedy)
    if not call.is_heard:
        return ill("audio", f"the tone did not come through (there {call.there:.2f}, back {call.back:.2f})", remedy)
    if call.late > call.ticks // 20:
        said = f"a call to ourselves was heard, but {call.late} of {call.ticks} ticks came more than 20 ms late"
        return worth_a_look("audio", said, "something else uses this machine: give the line more of it")
    return well("audio", "a call to ourselves over SIP and RTP: both tones were heard")


async def _line(host: str, stack: contextlib.AsyncExitStack, answer: object) -> SipLine:
    async def nobody(leg: CallLeg) -> None:
        leg.reject(486)

    line = SipLine(
        (host, 0),
        rtp_ports=_free_ports(host),
        allowed=("127.0.0.0/8", "::1/128"),
        caller_id="doctor",
        on_incoming=answer if callable(answer) else nobody,
        refusal=lambda: None,
    )
    await line.start(register=False)
    stack.push_async_callback(line.close)
    return line


async def _answered(leg: CallLeg) -> None:
    async for event in leg.events():
        if isinstance(event, Answered):
            return
        if isinstance(event, Ended):
            raise ConnectionError(f"{event.status or ''} {event.reason}".strip())


def _free_ports(host: str) -> tuple[int, int]:
    """An even port and the seven above it, free at this moment."""
    for _ in range(50):
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            first.bind((host, 0))
            base = first.getsockname()[1] + first.getsockname()[1] % 2
            if base + 8 < 65535 and all(_binds(held, host, base + n) for n in range(2, 8)):
                return base + 2, base + 7
    raise OSError("no free UDP ports for a call to ourselves")


def _binds(held: contextlib.ExitStack, host: str, port: int) -> bool:
    one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    try:
        one.bind((host, port))
    except OSError:
        return False
    return True
