"""The Piper engine, driven by a voice made here that hums instead of speaking."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from voicebot.tts.synthesizer import RATE, VoiceMissingError, load_synthesizer

piper = pytest.importorskip("piper")
SAMPLES_PER_PHONEME, VOICE_RATE = 1600, 16000


def humming_voice(folder: Path) -> Path:
    """Piper's inputs and output around a sine: as long as there are phonemes, times the length scale."""
    folder.mkdir(parents=True)
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64

    def constant(name: str, kind: int, shape: list[int], values: list[float]) -> onnx.NodeProto:
        return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, kind, shape, values))

    nodes = [
        constant("one", i64, [1], [1]), constant("two", i64, [1], [2]),
        constant("per", f32, [1], [SAMPLES_PER_PHONEME]),
        constant("zero", f32, [], [0.0]), constant("step", f32, [], [1.0]), constant("turn", f32, [], [0.17]),
        constant("front", i64, [3], [1, 1, 1]),
        helper.make_node("Shape", ["input"], ["shape"]),
        helper.make_node("Slice", ["shape", "one", "two"], ["count"]),
        helper.make_node("Cast", ["count"], ["count_f"], to=f32),
        helper.make_node("Slice", ["scales", "one", "two"], ["length"]),
        helper.make_node("Mul", ["count_f", "per"], ["usual"]), helper.make_node("Mul", ["usual", "length"], ["long"]),
        helper.make_node("Squeeze", ["long"], ["end"]), helper.make_node("Range", ["zero", "end", "step"], ["time"]),
        helper.make_node("Mul", ["time", "turn"], ["phase"]), helper.make_node("Sin", ["phase"], ["hum"]),
        helper.make_node("Shape", ["hum"], ["samples"]),
        helper.make_node("Concat", ["front", "samples"], ["whole"], axis=0),
        helper.make_node("Reshape", ["hum", "whole"], ["output"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "hum",
        [
            helper.make_tensor_value_info("input", i64, [1, "phonemes"]),
            helper.make_tensor_value_info("input_lengths", i64, [1]),
            helper.make_tensor_value_info("scales", f32, [3]),
        ],
        [helper.make_tensor_value_info("output", f32, [1, 1, 1, "samples"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "hum.onnx"))
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    config = {
        "audio": {"sample_rate": VOICE_RATE}, "espeak": {"voice": "cmn"}, "phoneme_type": "espeak",
        "num_symbols": 256, "num_speakers": 1, "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
    }  # fmt: skip
    (folder / "hum.onnx.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return humming_voice(tmp_path_factory.mktemp("voices") / "piper-hum")


def test_it_speaks_at_telephone_rate_and_level(folder: Path) -> None:
    voice = load_synthesizer(f"piper:{folder}")
    assert voice.name == "piper:hum"
    pcm = np.frombuffer(voice.synthesize("您好，请问您是李振海先生吗？"), "<i2").astype(float) / 32768
    spectrum = np.abs(np.fft.rfft(pcm[:RATE]))
    assert abs(float(np.argmax(spectrum)) - 0.17 * VOICE_RATE / (2 * np.pi)) < 3, "the hum keeps its pitch at 8 kHz"
    assert -21.5 < 20 * np.log10(np.sqrt(np.mean(pcm**2))) < -18.5


def test_longer_text_takes_longer_and_slower_speech_too(folder: Path) -> None:
    voice = load_synthesizer("piper:piper-hum", folder.parent)
    short, long = voice.synthesize("您好"), voice.synthesize("您好，请问您是李振海先生吗")
    assert len(long) > 2 * len(short)
    assert len(voice.synthesize("您好", rate=100)) > 1.5 * len(voice.synthesize("您好", rate=200))


def test_figures_are_read_aloud_and_silence_is_silence(folder: Path) -> None:
    voice = load_synthesizer(f"piper:{folder}")
    assert voice.synthesize("……") == b""
    assert len(voice.synthesize("3500元")) > len(voice.synthesize("元"))


def test_a_voice_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(VoiceMissingError, match="voicebot models pull"):
        load_synthesizer("piper:nobody", tmp_path)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "a.onnx").touch()
    with pytest.raises(VoiceMissingError, match="voicebot models pull"):
        load_synthesizer("piper:half", tmp_path)
