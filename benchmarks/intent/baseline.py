"""The linear reader of the shipped graph, run by numpy as the baseline that the whole model is held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from voicebot.intent.classifier import MODEL_FILE, WORDS_FILE
from voicebot.intent.network import Network
from voicebot.intent.vocabulary import Floats, Vocabulary

_PARTS = ("places", "values", "scale", "bias")


class Linear:
    """Logits of the intents from n-grams alone, with the weights that lie in the graph of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._words, self._network = Vocabulary.load(folder / WORDS_FILE), Network(folder / MODEL_FILE)
        kept = {one.name: one for one in onnx.load(folder / MODEL_FILE).graph.initializer if one.name in _PARTS}
        self._places, self._values, self._scale, self._bias = (numpy_helper.to_array(kept[name]) for name in _PARTS)
        self.megabytes = sum(kept[name].ByteSize() for name in _PARTS) / 1e6

    def logits(self, text: str, topic: str) -> Floats:
        said = self._words.encode(text, topic)
        total = np.zeros(len(self._words.intents), np.float32)
        np.add.at(total, self._places[said.grams], self._values[said.grams] * said.weights[:, None])
        return np.asarray(total * self._scale + self._bias, dtype=np.float32)

    def graph(self, text: str, topic: str) -> Floats:
        """The same from the whole graph: what its other readers cost on top."""
        return self._network.run(self._words.encode(text, topic)).intents
