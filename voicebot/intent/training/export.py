"""The ONNX graph of the three readers: tables and layers in eight bits, one utterance at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from voicebot.intent.vocabulary import Vocabulary

OPSET = 18
Arrays = Mapping[str, NDArray[np.generic]]


class _Graph:
    """Nodes and constants under construction; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def floats(self, name: str) -> str:
        return self.node("Cast", [name], f"{name}_float", to=TensorProto.FLOAT)

    def table(self, name: str, weights: NDArray[np.generic], rows: str) -> str:
        """Rows of an int8 table, its scale per column put back: (rows, size)."""
        small, scale = _eight_bits(weights, axis=0)
        found = self.node("Gather", [self.constant(name, small), rows], f"{name}_rows")
        return self.node("Mul", [self.floats(found), self.constant(f"{name}_scale", scale)], f"{name}_found")

    def weights(self, name: str, value: NDArray[np.generic], axis: int) -> str:
        """A layer's weights, kept in eight bits and made floats when the session is opened."""
        others = tuple(i for i in range(value.ndim) if i != axis)
        scale = np.maximum(np.abs(value).max(axis=others), 1e-9) / np.float32(127)
        shape = [-1 if i == axis else 1 for i in range(value.ndim)]
        small = np.round(value / scale.reshape(shape)).astype(np.int8)
        parts = [self.constant(name, small), self.constant(f"{name}_scale", scale.astype(np.float32)),
                 self.constant(f"{name}_zero", np.zeros(scale.shape, np.int8))]
        return self.node("DequantizeLinear", parts, f"{name}_wide", axis=axis)

    def dense(self, name: str, inputs: str, weights: NDArray[np.generic], bias: NDArray[np.generic] | None) -> str:
        """(1, in) to (1, out)."""
        out = self.node("MatMul", [inputs, self.weights(name, weights, axis=1)], f"{name}_product")
        if bias is None:
            return out
        return self.node("Add", [out, self.constant(f"{name}_bias", bias)], f"{name}_sum")


def _eight_bits(value: NDArray[np.generic], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.maximum(np.abs(value).max(axis=axis), 1e-9) / np.float32(127)
    return np.round(value / scale).astype(np.int8), scale.astype(np.float32)


def _linear(graph: _Graph, part: Arrays, intents: int) -> tuple[str, str]:
    """Names of the logits (1, i) and (1, e); also makes `felt` (grams, e)."""
    graph.constant("column", np.array([1], np.int64))
    graph.constant("flat", np.array([-1], np.int64))
    weight = graph.node("Unsqueeze", ["weights", "column"], "weight")
    places = graph.node("Gather", [graph.constant("places", part["places"]), "grams"], "places_rows")
    values = graph.node("Gather", [graph.constant("values", part["values"]), "grams"], "values_rows")
    weighed = graph.node("Mul", [graph.floats(values), weight], "weighed")
    where = graph.node("Cast", [places], "places_wide", to=TensorProto.INT64)
    summed = graph.node(
        "ScatterElements",
        [graph.constant("nothing", np.zeros(intents, np.float32)),
         graph.node("Reshape", [where, "flat"], "places_flat"),
         graph.node("Reshape", [weighed, "flat"], "values_flat")],
        "scattered", axis=0, reduction="add",
    )
    scaled = graph.node("Mul", [summed, graph.constant("scale", part["scale"])], "scaled")
    first = graph.node("Add", [scaled, graph.constant("bias", part["bias"])], "linear_flat")
    moods = graph.node("Gather", [graph.constant("moods", part["moods"]), "grams"], "moods_rows")
    moved = graph.node("Mul", [graph.floats(moods), weight], "moods_weighed")
    graph.node("Mul", [moved, graph.constant("mood_scale", part["mood_scale"])], "felt")
    graph.constant("over_rows", np.array([0], np.int64))
    total = graph.node("ReduceSum", ["felt", "over_rows"], "moods_total", keepdims=1)
    graph.node("Add", [total, graph.constant("mood_bias", part["mood_bias"])], "linear_moods")
    return graph.node("Unsqueeze", [first, "over_rows"], "linear_intents"), "linear_moods"


def _bag(graph: _Graph, part: Arrays) -> str:
    """Name of (1, 2 i + e)."""
    weight = graph.node("Unsqueeze", ["common_weights", "column"], "common_weight")
    found = graph.table("bag", part["table"], "common")
    summed = graph.node(
        "ReduceSum", [graph.node("Mul", [found, weight], "bag_weighed"), "over_rows"], "bag_summed", keepdims=1
    )
    shifted = graph.node("Add", [summed, graph.constant("bag_shift", part["shift"])], "bag_shifted")
    inner = graph.dense("bag_hidden", graph.node("Relu", [shifted], "bag_in"), part["hidden"], part["hidden_bias"])
    through = graph.dense("bag_output", graph.node("Relu", [inner], "bag_inner"), part["output"], part["output_bias"])
    return graph.node("Add", [through, graph.dense("bag_straight", shifted, part["straight"], None)], "bag_all")


def _convolutions(graph: _Graph, part: Arrays) -> str:
    """Name of (1, 2 i + e)."""
    rows = graph.node(
        "Concat",
        [graph.table("character", part["characters"], "characters"), graph.table("sound", part["sounds"], "sounds")],
        "symbols", axis=1,
    )
    turned = graph.node("Transpose", [rows], "symbols_turned", perm=[1, 0])
    signal = graph.node("Unsqueeze", [turned, "over_rows"], "signal")
    over_time = graph.constant("over_time", np.array([2], np.int64))
    pooled = []
    for index in range(sum(name.startswith("filter") for name in part)):
        filters = part[f"filter{index}"]
        width = filters.shape[2]
        inputs = [signal, graph.weights(f"filter{index}", filters, axis=0),
                  graph.constant(f"shift{index}", part[f"shift{index}"])]
        pads = [width // 2, width - 1 - width // 2]
        out = graph.node("Conv", inputs, f"filtered{index}", kernel_shape=[width], pads=pads)
        lit = graph.node("Relu", [out], f"lit{index}")
        pooled.append(graph.node("ReduceMax", [lit, over_time], f"best{index}", keepdims=0))
    asked = graph.table("topics", part["topics"], "topic")
    seen = graph.node("Concat", [*pooled, asked], "seen", axis=1)
    inner = graph.dense("hidden", seen, part["hidden"], part["hidden_bias"])
    return graph.dense("output", graph.node("Relu", [inner], "inner"), part["output"], part["output_bias"])


def write(path: Path, words: Vocabulary, linear: Arrays, bag: Arrays, convolutions: Arrays) -> None:
    """Writes the graph that `voicebot.intent.network.Network` runs."""
    graph, intents, emotions = _Graph(), len(words.intents), len(words.emotions)
    first, moods = _linear(graph, linear, intents)
    graph.constant("parts", np.array([intents, emotions, intents], np.int64))
    for name, whole in (("b", _bag(graph, bag)), ("c", _convolutions(graph, convolutions))):
        outputs = [f"{name}_intents", f"{name}_moods", f"{name}_beside"]
        graph.nodes.append(helper.make_node("Split", [whole, "parts"], outputs, f"{name}_split", axis=1))
    graph.node("Concat", [first, "b_intents", "c_intents"], "intents", axis=0)
    graph.node("Concat", [moods, "b_moods", "c_moods"], "emotions", axis=0)
    both = graph.node("Concat", ["b_beside", "c_beside"], "beside_both", axis=0)
    graph.node("ReduceMean", [both, "over_rows"], "beside", keepdims=0)
    whole_numbers = ("grams", "common", "characters", "sounds", "topic")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, [f"{name}_count"]) for name in whole_numbers]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [size])
               for name, size in (("weights", "grams_count"), ("common_weights", "common_count"))]
    shapes = {
        "intents": [3, intents], "emotions": [3, emotions], "beside": [intents], "felt": ["grams_count", emotions]
    }
    made = helper.make_graph(
        graph.nodes, "understanding", inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="voicebot")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
