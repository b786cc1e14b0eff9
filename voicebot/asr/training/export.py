"""Writes the trained network as models/embedded-asr.onnx: int8, streaming, batch and chunk length free.

Inputs `features` f32 [N, 4n+3, 40] and `cache` f32 [N, 6, 192, 8]; outputs `scores` f32 [N, n, tokens] (log
probabilities) and `next_cache`. The file's metadata carries the tokens (JSON), stride, look and the cache's shape.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from voicebot.asr.embedded import MODEL_NAME
from voicebot.asr.features import BANDS
from voicebot.asr.training.network import BLOCKS, KERNEL, LOOK, STRIDE, WIDTH, Network
from voicebot.asr.training.speech import training_folder
from voicebot.config import models_dir


class _Scores(nn.Module):  # type: ignore[misc]
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        logits, following = self.network(features, cache)
        return logits.log_softmax(-1), following


def trained(folder: Path) -> tuple[Network, list[str], int]:
    """The averaged network of the last checkpoint, its tokens, and the step it was taken at."""
    tokens: list[str] = json.loads((folder / "tokens.json").read_text("utf-8"))
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)
    network = Network(tokens)
    network.load_state_dict(saved["average"])
    return network.eval(), tokens, int(saved["step"])


def export(network: Network, tokens: Sequence[str], path: Path, notes: dict[str, str] | None = None) -> None:
    """Writes the int8 model to `path`."""
    axes = {
        "features": {0: "N", 1: "T"},
        "cache": {0: "N"},
        "scores": {0: "N", 1: "n"},
        "next_cache": {0: "N"},
    }
    example = (torch.zeros(2, 4 * STRIDE + LOOK - STRIDE, BANDS), torch.zeros(2, BLOCKS, WIDTH, KERNEL - 1))
    with tempfile.TemporaryDirectory() as scratch:
        exact, small = Path(scratch, "exact.onnx"), Path(scratch, "int8.onnx")
        with torch.no_grad():
            torch.onnx.export(
                _Scores(network),
                example,
                str(exact),
                input_names=["features", "cache"],
                output_names=["scores", "next_cache"],
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
        quantize_dynamic(exact, small, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"])
        model = onnx.load(str(small))
    facts = {
        "tokens": json.dumps(list(tokens)),
        "stride": str(STRIDE),
        "look": str(LOOK),
        "cache": json.dumps([BLOCKS, WIDTH, KERNEL - 1]),
        **(notes or {}),
    }
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Export the last checkpoint")
    parser.add_argument("--out", type=Path, default=models_dir() / MODEL_NAME)
    given: Any = parser.parse_args(argv)
    network, tokens, step = trained(training_folder())
    export(network, tokens, given.out, {"trained_steps": str(step)})
    print(f"{given.out}: step {step}, {given.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
