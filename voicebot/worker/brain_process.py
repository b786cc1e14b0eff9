"""The brain process: loads the models, then serves its line, and the next one when that one dies."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys

import structlog
from loguru import logger as pipecat_logger

from voicebot.asr.recognizer import Recognizer, load_recognizer
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.call.shelf import frozen_folder
from voicebot.compliance import gate
from voicebot.config import Settings, scripts_dir
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import SystemClock
from voicebot.domain.talk import Opened
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.standby import Standby
from voicebot.telemetry.cpu_clock import CLOCK, spent
from voicebot.telemetry.logs import IntoOurLogs
from voicebot.telemetry.process_figures import BrainFigures, keep_writing
from voicebot.tts.cache import PromptCache
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.worker.brain import Brain
from voicebot.worker.brain_link import think
from voicebot.worker.lifeline import run_process
from voicebot.worker.names import link_path
from voicebot.worker.priority import go_second
from voicebot.worker.ticks import Tick

log = structlog.get_logger(__name__)


def build_brain(settings: Settings) -> Brain:
    """Load all models and render what can be rendered ahead; takes a few seconds."""
    understander = Understander()
    gate.warm()

    def is_complete(text: str, topic: Topic) -> bool:
        with CLOCK.part("understanding"):
            return is_complete_answer(text, topic, understander)

    recognizer, standby = load_engines(settings.recognizer)
    prompts = PromptCache(load_synthesizer(settings.synthesizer), folder=settings.home / "prompts")
    hearing = Hearing(recognizer, VoiceActivity(settings.voice_activity), is_complete, standby)
    return Brain(hearing, understander, prompts, SystemClock(), scripts_dir(), frozen_folder(settings.home))


def load_engines(chosen: str) -> tuple[Recognizer, Standby | None]:
    """The recogniser that was chosen, and the embedded one behind it; that one alone where the other can't be loaded.

    Raises FileNotFoundError when not even the embedded one is there.
    """
    embedded = load_recognizer()
    if chosen == "embedded":
        return embedded, None
    try:
        return load_recognizer(chosen), Standby(embedded)
    except Exception as error:  # a library's own kinds; a brain that hears worse is better than none
        log.error("the recogniser can't be loaded, the embedded one hears", recognizer=chosen, error=str(error))
        return embedded, Standby(embedded, lost=f"{chosen} can't be loaded: {error}")


async def warm_up(brain: Brain, script: str) -> None:
    """One silent call through everything, so that the first real one finds all code and models in memory."""
    call, speech = 1, brain.prompts.synthesize("您好，请问是哪位？")
    frames = [*cut(speech), *[SILENCE] * 60]
    brain.take(Opened(call, CallFacts("warm-up", SystemClock().now(), None), script, answered=True))
    for number, frame in enumerate(frames):
        brain.take(Tick(number, ((call, frame),)))
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.5)
    await brain.forget_all()


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    index = int(sys.argv[1])
    _quieten_libraries()
    go_second()
    brain = build_brain(settings)
    rendered = await asyncio.to_thread(brain.load_scripts)
    await warm_up(brain, brain.shelf.pick(settings.inbound_script, "warm-up"))
    gc.freeze()
    log.info("brain ready", prompts=rendered)
    figures = asyncio.create_task(keep_writing(settings.home, index, lambda: _figures(brain)))
    scripts = asyncio.create_task(brain.follow_scripts())
    try:
        await think(brain, link_path(settings, index), stop)
    finally:
        scripts.cancel()
        figures.cancel()


def _figures(brain: Brain) -> BrainFigures:
    prompts = brain.prompts.figures
    down, stood_in = brain.standing_in()
    return BrainFigures(
        prompts.hits, prompts.disk_hits, prompts.misses, prompts.held_bytes, prompts.ahead, not down, stood_in, spent()
    )


def _quieten_libraries() -> None:
    pipecat_logger.remove()
    pipecat_logger.add(IntoOurLogs(), level="WARNING", format="{message}")
    logging.getLogger("jieba").setLevel(logging.WARNING)
    os.environ.pop("PIPECAT_SETUP_FILES", None)  # pipecat would run any file named there


if __name__ == "__main__":  # python -m voicebot.worker.brain_process INDEX
    sys.exit(run_process(_main))
