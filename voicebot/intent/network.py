"""Network: the int8 ONNX graph of understanding, run by onnxruntime; three readers of one utterance, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from voicebot.intent.vocabulary import Encoded, Floats, ModelError

READERS = ("linear", "bag", "convolutions")
"""Linear model over n-grams; small network over their summed embeddings; convolutions over characters and sounds."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Logits of the three `READERS`: `intents` (3, i), `emotions` (3, e). `beside` (i,): logits that an intent is
    among those meant, whichever comes first. `felt` (grams, e): what each n-gram says for each emotion."""

    intents: Floats
    emotions: Floats
    beside: Floats
    felt: Floats


class Network:
    """One session on one thread: an utterance is too small to be worth waking a second. Safe between threads."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Widen the eight-bit layers once, not for each utterance.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime raises classes of its own, without a common base of ours to name.
        except Exception as error:
            raise ModelError(f"intent model {path.name} cannot be read ({error}): run `make train-intent`") from error

    def run(self, said: Encoded) -> Outputs:
        out: list[NDArray[np.float32]] = self._session.run(
            ["intents", "emotions", "beside", "felt"],
            {
                "grams": said.grams, "weights": said.weights, "common": said.common,
                "common_weights": said.common_weights, "characters": said.characters, "sounds": said.sounds,
                "topic": said.topic,
            },
        )
        return Outputs(*out)
