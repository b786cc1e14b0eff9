"""A pipecat pipeline around the processors under test; what comes out of either end is kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pipecat.frames.frames import CancelFrame, Frame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner


class End(FrameProcessor):
    """The last processor: keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, StartFrame | CancelFrame):
            self.frames.append(frame)
        await self.push_frame(frame, direction)


class Chain:
    """Processors in a row. `await chain.put(frame)`, then look at `chain.out`."""

    def __init__(self, *processors: FrameProcessor) -> None:
        self._end = End()
        self._pipeline = Pipeline([*processors, self._end])
        self.worker = PipelineWorker(
            self._pipeline,
            params=PipelineParams(),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            check_dangling_tasks=False,
        )

    @property
    def out(self) -> list[Frame]:
        return self._end.frames

    async def put(self, *frames: Frame) -> None:
        for frame in frames:
            await self.worker.queue_frame(frame)
            await self.settle()

    async def settle(self) -> None:
        """Long enough for a frame to pass a chain that has nothing to wait for."""
        for _ in range(60):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def chain(*processors: FrameProcessor) -> AsyncIterator[Chain]:
    one = Chain(*processors)
    started = asyncio.Event()

    @one.worker.event_handler("on_pipeline_started")
    async def _on_started(_worker: PipelineWorker, _frame: Frame) -> None:
        started.set()

    runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
    await runner.add_workers(one.worker)
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(started.wait(), 10)
    await one.settle()
    one.out.clear()
    try:
        yield one
    finally:
        await one.worker.cancel(reason="test over")
        await asyncio.wait_for(running, 10)
