"""The far end of the demonstration: simulated debtors, or agents, a process with a telephone of its own.

python -m voicebot.demo.far_end HOST:PORT REPORT.json [PERSONAS.json]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import numpy as np
import structlog
import uvloop

from sip.call import Call
from sip.errors import CallStateError
from sip.events import CallState
from sip.media import MediaSession, MediaWheel, PortPool
from sip.user_agent import UserAgent
from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import RATE
from voicebot.audio.vad import VoiceActivity
from voicebot.config import host_port
from voicebot.demo.callee import Callee
from voicebot.demo.persona import SHIPPED, Persona, load_personas
from voicebot.domain.outcome import Disposition
from voicebot.pipeline.ear import Ear
from voicebot.pipeline.hearing import Hearing
from voicebot.telemetry.logs import setup_logs
from voicebot.tts.synthesizer import Synthesizer, load_synthesizer
from voicebot.worker.lifeline import end_with_parent

log = structlog.get_logger(__name__)

AGENT = Persona(
    id="agent",
    who="坐席",
    name="坐席",
    behaviour="talk",
    voice="m3:rate=165",
    expected=Disposition.HUMAN_REQUESTED,
    amount_fen=0,
    overdue_days=0,
    answers={"any": ("您好，我是人工客服，您的情况我已经了解了，请您慢慢说。", "好的，我来帮您登记。", "再见。", "")},
    answer_after_s=0.6,
)
ANNOUNCEMENT = "您好，您拨打的号码是空号，请核对后再拨。"
GREETING = "您好，您拨打的用户暂时不方便接听电话，请在嘀声后留言。"


class FarEnd:
    """All simulated people of one process. The user part of the called URI chooses the person."""

    def __init__(self, listen: tuple[str, int], personas: list[Persona], report: Path) -> None:
        self._personas = {persona.id: persona for persona in [*personas, AGENT]}
        self._report = report
        self._wheel = MediaWheel()
        ports = PortPool(40000, 44999)
        self._agent = UserAgent(
            listen,
            media_factory=lambda: MediaSession(self._wheel, listen[0], ports),
            name="simulated debtors",
            on_incoming=self._take,
        )
        self._synthesizer: Synthesizer = load_synthesizer()
        self._hearing = Hearing(load_recognizer(), VoiceActivity(), lambda text, topic: False)
        self._callees: dict[int, tuple[Ear, Callee]] = {}
        self._next = 0
        self.latencies_ms: list[float] = []

    async def run(self, stop: asyncio.Event) -> None:
        self._wheel.after(self._tick)
        await self._agent.start()
        self._wheel.start()
        log.info("far end ready", sip=":".join(map(str, self._agent.address)))
        await stop.wait()
        await self._agent.close()
        self._report.write_text(json.dumps({"latencies_ms": self.latencies_ms}))

    def _tick(self, tick: int) -> None:
        frames = [(number, callee.received) for number, (_, callee) in self._callees.items()]
        for number, noticed in self._hearing.tick(tick, frames):
            self._callees[number][1].notice(noticed)

    async def _take(self, call: Call) -> None:
        user = call.local_uri.removeprefix("sip:").split("@")[0]
        persona = self._personas.get(user.split("-")[0])
        if persona is None:
            call.reject(404)
            return
        with contextlib.suppress(CallStateError):
            await self._behave(call, persona)

    async def _behave(self, call: Call, persona: Persona) -> None:
        match persona.behaviour:
            case "busy":
                call.reject(486)
            case "announcement":
                await self._announce(call, persona)
            case "no_answer":
                call.ring()
                await _ended(call)
            case "voicemail":
                await self._voicemail(call, persona)
            case _:
                await self._talk(call, persona)

    async def _talk(self, call: Call, persona: Persona) -> None:
        call.ring()
        await asyncio.sleep(persona.pick_up_after_s)
        callee = Callee(persona, lambda text: self._speak(text, persona), self.latencies_ms.append)
        self._next += 1
        number = self._next
        self._callees[number] = (self._hearing.open(number), callee)
        try:
            await call.answer()
            self._connect(call, callee)
            if persona.id == AGENT.id:
                asyncio.get_running_loop().call_later(25, lambda: asyncio.ensure_future(call.hangup()))
            await _ended(call)
        finally:
            callee.stop()
            self._hearing.close(number)
            del self._callees[number]

    async def _announce(self, call: Call, persona: Persona) -> None:
        """A carrier's announcement in early media, then the refusal."""
        callee = Callee(persona, lambda text: b"", self.latencies_ms.append)
        sound = await asyncio.to_thread(self._speak, ANNOUNCEMENT, persona)
        await call.progress()
        self._connect(call, callee)
        callee.say(sound + bytes(RATE * 2))
        for _ in range(2 * len(sound) // (RATE * 2) + 4):
            await asyncio.sleep(0.5)
            if call.state is CallState.ENDED:
                return
        call.reject(404)

    async def _voicemail(self, call: Call, persona: Persona) -> None:
        callee = Callee(persona, lambda text: b"", lambda ms: None)
        sound = await asyncio.to_thread(self._speak, GREETING, persona)
        call.ring()
        await asyncio.sleep(persona.pick_up_after_s)
        await call.answer()
        self._connect(call, callee)
        callee.say(bytes(RATE) + sound + bytes(RATE // 2) + _beep())
        await _ended(call)

    def _connect(self, call: Call, callee: Callee) -> None:
        if call.media is not None:
            call.media.set_port(callee)

    def _speak(self, text: str, persona: Persona) -> bytes:
        return self._synthesizer.synthesize(text, persona.voice)


def _beep() -> bytes:
    t = np.arange(int(RATE * 0.5)) / RATE
    return bytes((8000 * np.sin(2 * np.pi * 1000 * t)).astype("<i2").tobytes())


async def _ended(call: Call) -> None:
    async for _ in call.events():
        pass


async def _main(listen: str, report: Path, personas: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await FarEnd(host_port(listen), load_personas(personas), report).run(stop)


if __name__ == "__main__":
    end_with_parent()
    setup_logs()
    uvloop.run(_main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else SHIPPED))
