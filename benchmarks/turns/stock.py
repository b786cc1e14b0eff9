"""The peer: a stock pipecat 1.14 pipeline per call, in one process, over bare RTP on ports of its own.

    python -m benchmarks.turns.stock --calls N

Its defaults throughout: Silero with 200 ms, smart-turn v3 as stop strategy, a segmented recogniser, interruption as
soon as there is voice. Recogniser and voice are ours, and shared; one sentence answers everything, without a model.
It gets the share of the machine that our brain takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncGenerator
from typing import Any, Final, cast

import uvloop
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from sip.codec import PCMA
from sip.rtp import RtpError, RtpPacket, build_rtp, parse_rtp
from voicebot.asr.recognizer import Recognizer, Transcript, load_recognizer
from voicebot.tts.synthesizer import Synthesizer, load_synthesizer
from voicebot.worker.priority import go_second

RATE: Final = 8000
GREETING: Final = "您好，我是示范消费金融有限公司的人工智能语音助手，本次通话会录音。请问是李振海本人吗？"
REPLY: Final = "好的，我记下了。您的消费分期有一笔一千二百六十八元的账单，请问您打算什么时候处理呢？"


class Wire(asyncio.DatagramProtocol):
    """One RTP port: speaks to whoever spoke first."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._peer: tuple[str, int] | None = None
        self._sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        try:
            packet = parse_rtp(data)
        except RtpError:
            return
        self._peer = addr
        self.heard.put_nowait(PCMA.decode(packet.payload))
        self.begun.set()

    def say(self, pcm: bytes) -> None:
        if self._peer is None:
            return
        packet = RtpPacket(8, self._sent == 0, self._sent & 0xFFFF, self._sent * 160, 1, PCMA.encode(pcm))
        self._sent += 1
        self.transport.sendto(build_rtp(packet), self._peer)


class FromWire(BaseInputTransport):
    def __init__(self, wire: Wire, params: TransportParams) -> None:
        super().__init__(params)
        self._wire = wire

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)
        self.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            await self.push_audio_frame(InputAudioRawFrame(await self._wire.heard.get(), RATE, 1))


class ToWire(BaseOutputTransport):
    """One packet per 20 ms, and not ahead of time."""

    def __init__(self, wire: Wire, params: TransportParams) -> None:
        super().__init__(params)
        self._wire, self._due = wire, 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now = time.monotonic()
        if self._due < now - 0.2:
            self._due = now
        self._wire.say(frame.audio)
        self._due += len(frame.audio) / (2 * RATE)
        await asyncio.sleep(max(self._due - time.monotonic(), 0))
        return True


class Ear(SegmentedSTTService):
    """Our recogniser, over the segments that voice activity cuts; one at a time, off the event loop."""

    lock = threading.Lock()

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__(sample_rate=RATE, ttfs_p99_latency=0.5, settings=STTSettings(model=None, language=None))
        self._recognizer = recognizer

    @property
    def wants_wav_segments(self) -> bool:
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        text = await asyncio.to_thread(self._transcribe, audio)
        if text:
            yield TranscriptionFrame(text, "", time_now_iso8601(), finalized=True)

    def _transcribe(self, audio: bytes) -> str:
        with self.lock:
            stream = self._recognizer.open()
            stream.accept(audio)
            self._recognizer.decode([stream])
            heard = stream.finish()
            stream.close()
        assert isinstance(heard, Transcript)
        return heard.text


class Voice(TTSService):
    """Our voice, sentence by sentence."""

    def __init__(self, voice: Synthesizer) -> None:
        super().__init__(push_start_frame=True, push_stop_frames=True, sample_rate=RATE,
                         settings=TTSSettings(model=None, voice=None, language=None))
        self._voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        pcm = await asyncio.to_thread(self._voice.synthesize, text)
        for at in range(0, len(pcm), RATE // 5 * 2):
            yield TTSAudioRawFrame(pcm[at : at + RATE // 5 * 2], RATE, 1, context_id=context_id)


class Replier(FrameProcessor):
    """Where a language model would be: the same sentence for every turn."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self.push_frame(TTSSpeakFrame(REPLY))
        else:
            await self.push_frame(frame, direction)


async def converse(wire: Wire, recognizer: Recognizer, voice: Synthesizer) -> None:
    params = TransportParams(audio_in_enabled=True, audio_out_enabled=True, audio_out_10ms_chunks=2)
    user = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    aggregators = LLMContextAggregatorPair(LLMContext(), user_params=user)
    pipeline = Pipeline([FromWire(wire, params), Ear(recognizer), aggregators.user(), Replier(), Voice(voice),
                         ToWire(wire, params), aggregators.assistant()])
    rates = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
    worker = PipelineWorker(pipeline, params=rates, enable_rtvi=False, idle_timeout_secs=None)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    speaking = asyncio.create_task(_greet(wire, worker))
    await runner.run()
    await speaking


async def _greet(wire: Wire, worker: PipelineWorker) -> None:
    await wire.begun.wait()
    await worker.queue_frame(TTSSpeakFrame(GREETING))


async def serve(calls: int) -> None:
    recognizer, voice, loop = load_recognizer(), load_synthesizer(), asyncio.get_running_loop()
    voice.synthesize(GREETING)
    wires = [(await loop.create_datagram_endpoint(Wire, ("127.0.0.1", 0))) for _ in range(calls)]
    talks = [asyncio.create_task(converse(wire, recognizer, voice)) for _, wire in wires]
    await asyncio.sleep(1 + 0.3 * calls)  # so long it takes to load two models a call
    print(json.dumps({"ports": [transport.get_extra_info("sockname")[1] for transport, _ in wires]}), flush=True)
    await asyncio.gather(*talks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, required=True)
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    go_second()
    uvloop.run(serve(parser.parse_args().calls))


if __name__ == "__main__":
    main()
