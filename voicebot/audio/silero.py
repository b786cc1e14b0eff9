"""Silero voice activity detection, batched: one ONNX run for all streams whose window is full."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voicebot.audio.frames import RATE

WINDOW: Final = 256
CONTEXT: Final = 32
"""Samples of the window before that the model wants to see again."""
STATE: Final = 128
_SILENT: Final = 40
"""Peak below which a window is silence without asking the model (-58 dBFS)."""
_FRESHEN: Final = 2 * RATE // WINDOW
_SURE, _SURELY_QUIET = 5, 0.1
"""The model grows deaf in long noise or silence: every two seconds, after five windows surely without voice, its
memory is cleared."""


class ModelMissingError(RuntimeError):
    """A model file is not there: the operator must install what the message names."""


def model_path() -> Path:
    """The model that comes with pipecat, found without importing pipecat (that takes seconds)."""
    found = find_spec("pipecat")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "audio" / "vad" / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise ModelMissingError("silero_vad.onnx is not installed: `pip install pipecat-ai` brings it")


class SileroState:
    """What the model remembers of one stream."""

    __slots__ = ("context", "memory", "pending", "quiet", "since")

    def __init__(self) -> None:
        self.pending = bytearray()
        self.clear()

    def clear(self) -> None:
        """Forget what was heard."""
        self.context: NDArray[np.float32] = np.zeros(CONTEXT, np.float32)
        self.memory: NDArray[np.float32] = np.zeros((2, STATE), np.float32)
        self.since = self.quiet = 0

    def note(self, probability: float) -> None:
        """Count towards the next clearing."""
        self.since += 1
        self.quiet = self.quiet + 1 if probability < _SURELY_QUIET else 0
        if self.since >= _FRESHEN and self.quiet >= _SURE:
            self.clear()


class SileroScorer:
    """Probabilities of voice for windows of 32 ms."""

    window_ms: Final = WINDOW * 1000 / RATE

    def __init__(self, path: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path or model_path()), sess_options=options, providers=["CPUExecutionProvider"])
        self._rate = np.array(RATE, np.int64)

    def open(self) -> SileroState:
        return SileroState()

    def score(self, frames: Sequence[tuple[SileroState, bytes]]) -> list[list[float]]:
        """Per frame the probabilities of the windows it completed: none or one for 20 ms."""
        scores: list[list[float]] = [[] for _ in frames]
        waiting: list[int] = []
        for index, (state, pcm) in enumerate(frames):
            state.pending += pcm
            if len(state.pending) >= 2 * WINDOW:
                waiting.append(index)
        while waiting:  # a second round only for pieces longer than a frame
            windows = [_take(frames[index][0]) for index in waiting]
            for index, probability in zip(waiting, self._judge(frames, waiting, windows), strict=True):
                frames[index][0].note(probability)
                scores[index].append(probability)
            waiting = [index for index in waiting if len(frames[index][0].pending) >= 2 * WINDOW]
        return scores

    def _judge(self, frames: Sequence[tuple[SileroState, bytes]], waiting: list[int],
               windows: list[NDArray[np.int16]]) -> list[float]:
        loud = [at for at, window in enumerate(windows) if window.max() > _SILENT or window.min() < -_SILENT]
        probabilities = [0.0] * len(waiting)
        if loud:
            heard = self._run([frames[waiting[at]][0] for at in loud], [windows[at] for at in loud])
            for at, probability in zip(loud, heard, strict=True):
                probabilities[at] = probability
        return probabilities

    def _run(self, states: list[SileroState], windows: list[NDArray[np.int16]]) -> list[float]:
        sound = np.empty((len(states), CONTEXT + WINDOW), np.float32)
        sound[:, CONTEXT:] = np.stack(windows) * np.float32(1 / 32768)
        sound[:, :CONTEXT] = np.stack([state.context for state in states])
        memory = np.stack([state.memory for state in states], axis=1)
        probabilities, memory = self._session.run(
            None, {"input": sound, "state": memory, "sr": self._rate})
        for index, state in enumerate(states):
            state.context = sound[index, -CONTEXT:].copy()
            state.memory = memory[:, index]
        return [float(probability) for probability in probabilities[:, 0]]


def _take(state: SileroState) -> NDArray[np.int16]:
    window = np.frombuffer(bytes(state.pending[: 2 * WINDOW]), "<i2")
    del state.pending[: 2 * WINDOW]
    return window
