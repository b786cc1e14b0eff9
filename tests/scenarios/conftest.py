"""Models are loaded once; every scenario runs on a loop of its own that owns time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from loguru import logger as pipecat_logger

from voicebot.asr.recognizer import load_recognizer
from voicebot.tts.cache import PromptCache
from voicebot.tts.synthesizer import Synthesizer, load_synthesizer

from .people import Debtor
from .stage import Models, Stage
from .virtual_time import VirtualLoop

pipecat_logger.remove()  # pipecat tells of every step
Play = Callable[[Stage], Awaitable[None]]


@pytest.fixture(scope="session")
def voice() -> Synthesizer:
    return load_synthesizer()


@pytest.fixture(scope="session")
def models(voice: Synthesizer) -> Models:
    return Models(load_recognizer(), PromptCache(voice))


@pytest.fixture
def debtor(voice: Synthesizer) -> Callable[..., Debtor]:
    """A debtor with these answers."""
    return lambda **values: Debtor(voice, **values)


@pytest.fixture
def perform(models: Models, tmp_path: Path) -> Callable[..., Stage]:
    """Run a scenario `async def play(stage)` on virtual time; the stage after it."""

    def run(play: Play, **setting: Any) -> Stage:
        async def whole() -> Stage:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            stage = Stage(loop, models, tmp_path, **setting)
            try:
                await play(stage)
            finally:
                await stage.close()
            return stage

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(whole())

    return run
