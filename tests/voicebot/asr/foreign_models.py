"""Models of other engines, made here: the embedded network in zipformer2 and in transducer form, a random Whisper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from voicebot.config import models_dir

LAYERS, WIDTH, PAST, CHUNK, LOOK = 6, 192, 8, 16, 3
"""Six blocks remember 192 x 8 values each; 16 frames of 10 ms a chunk, and 3 of look-ahead."""


def zipformer_form(folder: Path) -> Path:
    """The embedded network as sherpa-onnx's zipformer2 CTC family wants it: a cache per layer, all others dummies."""
    folder.mkdir(parents=True)
    model = onnx.load(str(models_dir() / "embedded-asr.onnx"))
    tokens = json.loads({p.key: p.value for p in model.metadata_props}["tokens"])
    graph = model.graph
    before, after, inputs, outputs = _caches()
    for node in graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                names[at] = {"features": "x", "scores": "log_probs"}.get(name, name)
    nodes = [*before, *graph.node, *after]
    wired = helper.make_graph(nodes, "zipformer2", inputs, outputs, list(graph.initializer))
    built = helper.make_model(wired, opset_imports=model.opset_import, ir_version=model.ir_version)
    facts = {
        "model_type": "zipformer2", "encoder_dims": WIDTH, "query_head_dims": 1, "value_head_dims": 1, "num_heads": 1,
        "num_encoder_layers": LAYERS, "cnn_module_kernels": 2 * PAST + 1, "left_context_len": 1,
        "T": CHUNK + LOOK, "decode_chunk_len": CHUNK,
    }  # fmt: skip
    helper.set_model_props(built, {key: str(value) for key, value in facts.items()})
    onnx.save(built, str(folder / "model.onnx"))
    names = ["<blk>", *tokens[1:]]
    (folder / "tokens.txt").write_text("".join(f"{name} {at}\n" for at, name in enumerate(names)))
    (folder / "model.toml").write_text('kind = "zipformer-ctc"\nsample_rate = 8000\nbands = 40\n')
    return folder


def _caches() -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Nodes that gather the layers' caches before the network and spread them behind it, and the ends of the graph."""
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64
    inputs = [helper.make_tensor_value_info("x", f32, ["N", CHUNK + LOOK, 40])]
    outputs = [helper.make_tensor_value_info("log_probs", f32, ["N", CHUNK // 4, "tokens"])]
    before: list[Any] = [helper.make_node("Constant", [], ["one_axis"], value=helper.make_tensor("a", i64, [1], [1]))]
    after: list[Any] = [helper.make_node("Split", ["next_cache"], [f"next_{i}" for i in range(LAYERS)], axis=1)]

    def through(name: str, shape: list[Any], kind: int = f32) -> None:
        inputs.append(helper.make_tensor_value_info(name, kind, shape))
        outputs.append(helper.make_tensor_value_info(f"new_{name}", kind, shape))
        after.append(helper.make_node("Identity", [name], [f"new_{name}"]))

    for i in range(LAYERS):
        through(f"cached_key_{i}", [1, "N", 1])
        through(f"cached_nonlin_attn_{i}", [1, "N", 1, 3 * WIDTH // 4])
        through(f"cached_val1_{i}", [1, "N", 1])
        through(f"cached_val2_{i}", [1, "N", 1])
        conv = f"cached_conv1_{i}"
        inputs.append(helper.make_tensor_value_info(conv, f32, ["N", WIDTH, PAST]))
        outputs.append(helper.make_tensor_value_info(f"new_{conv}", f32, ["N", WIDTH, PAST]))
        before.append(helper.make_node("Unsqueeze", [conv, "one_axis"], [f"layer_{i}"]))
        after.append(helper.make_node("Squeeze", [f"next_{i}", "one_axis"], [f"new_{conv}"]))
        through(f"cached_conv2_{i}", ["N", WIDTH, PAST])
    before.append(helper.make_node("Concat", [f"layer_{i}" for i in range(LAYERS)], ["cache"], axis=1))
    through("embed_states", ["N", 128, 3, 19])
    through("processed_lens", ["N"], i64)
    return before, after, inputs, outputs


def transducer_form(folder: Path) -> Path:
    """The embedded network as a transducer of sherpa-onnx (its LSTM family, which keeps two states): the joiner gives
    what the network says, whatever was said before. Its tokens are hanzi of `hanzi_of`, one for each tonal syllable."""
    folder.mkdir(parents=True)
    model = onnx.load(str(models_dir() / "embedded-asr.onnx"))
    tokens = json.loads({p.key: p.value for p in model.metadata_props}["tokens"])
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64
    values = LAYERS * WIDTH

    def tensor(name: str, shape: list[Any], kind: int = f32) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    def save(part: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], facts: dict[str, Any]) -> None:
        shipped = list(model.graph.initializer) if part == "encoder" else []
        graph = helper.make_graph(nodes, part, inputs, outputs, shipped)
        built = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
        helper.set_model_props(built, {key: str(value) for key, value in facts.items()})
        onnx.save(built, str(folder / f"{part}.onnx"))

    for node in model.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                names[at] = {"features": "x", "scores": "encoder_out"}.get(name, name)
    around = [
        helper.make_node("Constant", [], ["shape"], value=helper.make_tensor("s", i64, [4], [0, LAYERS, WIDTH, PAST])),
        helper.make_node("Constant", [], ["flat"], value=helper.make_tensor("f", i64, [3], [0, values, PAST])),
        helper.make_node("Transpose", ["state0"], ["past"], perm=[1, 2, 0]),
        helper.make_node("Reshape", ["past", "shape"], ["cache"]),
        *model.graph.node,
        helper.make_node("Reshape", ["next_cache", "flat"], ["following"]),
        helper.make_node("Transpose", ["following"], ["next_state0"], perm=[2, 0, 1]),
        helper.make_node("Identity", ["state1"], ["next_state1"]),
    ]
    save(
        "encoder", around,
        [tensor("x", ["N", CHUNK + LOOK, 40]), tensor("state0", [PAST, "N", values]), tensor("state1", [PAST, "N", 1])],
        [tensor("encoder_out", ["N", CHUNK // 4, len(tokens)]), tensor("next_state0", [PAST, "N", values]),
         tensor("next_state1", [PAST, "N", 1])],
        {"model_type": "lstm", "num_encoder_layers": PAST, "T": CHUNK + LOOK, "decode_chunk_len": CHUNK,
         "rnn_hidden_size": 1, "d_model": values},
    )  # fmt: skip
    nothing = helper.make_tensor("n", f32, [1, len(tokens)], [0.0] * len(tokens))
    said = [
        helper.make_node("Cast", ["y"], ["said"], to=f32),
        helper.make_node("ReduceMax", ["said"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Constant", [], ["nothing"], value=nothing),
        helper.make_node("Mul", ["most", "nothing"], ["decoder_out"]),
    ]
    save("decoder", said, [tensor("y", ["N", 2], i64)], [tensor("decoder_out", ["N", len(tokens)])],
         {"context_size": 2, "vocab_size": len(tokens)})  # fmt: skip
    wide = ["N", len(tokens)]
    save("joiner", [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])],
         [tensor("encoder_out", wide), tensor("decoder_out", wide)], [tensor("logit", wide)],
         {"joiner_dim": len(tokens)})  # fmt: skip
    names = ["<blk>", *(hanzi_of(at) for at in range(1, len(tokens)))]
    (folder / "tokens.txt").write_text("".join(f"{name} {at}\n" for at, name in enumerate(names)), "utf-8")
    (folder / "model.toml").write_text('kind = "zipformer"\nsample_rate = 8000\nbands = 40\n')
    return folder


def hanzi_of(token: int) -> str:
    """Which hanzi stands for a token of the transducer."""
    return chr(0x4E00 + token)


def syllables_of_tokens() -> dict[str, str]:
    """By the hanzi that stands for it, each tonal syllable of the embedded network."""
    model = onnx.load(str(models_dir() / "embedded-asr.onnx"))
    tokens = json.loads({p.key: p.value for p in model.metadata_props}["tokens"])
    return {hanzi_of(at): syllable for at, syllable in enumerate(tokens)}


def random_whisper(folder: Path, seed: int = 0) -> Path:
    """A multilingual Whisper of one layer with random weights, as CTranslate2 stores it."""
    import ctranslate2
    from ctranslate2.specs import WhisperSpec
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    special, stamps = _whisper_words()
    words = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for code in range(0x4E00, 0xA000):
        words.setdefault(level.pre_tokenize_str(chr(code))[0][0], len(words))
    while len(words) < 50256:
        words[f"<d{len(words)}>"] = len(words)
    words[""] = 50256  # the empty token tells CTranslate2 that the model is multilingual
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = level, decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in special])
    tokenizer.add_tokens([AddedToken(word, special=False) for word in stamps])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = [word for word, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]

    spec = WhisperSpec(1, 2, 1, 2)
    rng, width = np.random.default_rng(seed), 32
    _fill(spec, rng, width, len(vocabulary))
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = [tokenizer.token_to_id(f"<|{name}|>") for name in _LANGUAGES]
    spec.config.alignment_heads = [[0, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80, "sampling_rate": 16000}))
    assert ctranslate2.models.Whisper(str(folder), device="cpu").is_multilingual
    return folder


_NAMES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt "
    "la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc "
    "ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su "
)
_LANGUAGES = _NAMES.split()


def _whisper_words() -> tuple[list[str], list[str]]:
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{name}|>" for name in _LANGUAGES)]
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special += [f"<|{name}|>" for name in tasks]
    return special, [f"<|{step * 0.02:.2f}|>" for step in range(1501)]


def _fill(spec: Any, rng: np.random.Generator, width: int, vocabulary: int) -> None:
    """Random weights of the right shapes for a Whisper of one layer each side, `width` wide."""

    def some(*shape: int) -> Any:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    def linear(layer: Any, out: int, into: int, bias: bool = True) -> None:
        layer.weight = some(out, into)
        if bias:
            layer.bias = np.zeros(out, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def attention(layer: Any, own: bool) -> None:
        norm(layer.layer_norm)
        sizes = [3 * width, width] if own else [width, 2 * width, width]
        for one, out in zip(layer.linear, sizes, strict=True):
            linear(one, out, width)

    def feed(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 2 * width, width)
        linear(layer.linear_1, width, 2 * width)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = some(width, 80, 3), np.zeros(width, np.float32)
    encoder.conv2.weight, encoder.conv2.bias = some(width, width, 3), np.zeros(width, np.float32)
    encoder.position_encodings.encodings = some(1500, width)
    norm(encoder.layer_norm)
    attention(encoder.layer[0].self_attention, own=True)
    feed(encoder.layer[0].ffn)
    decoder.embeddings.weight = some(vocabulary, width)
    decoder.position_encodings.encodings = some(448, width)
    decoder.scale_embeddings = False
    norm(decoder.layer_norm)
    decoder.projection.weight = some(vocabulary, width)
    attention(decoder.layer[0].self_attention, own=True)
    attention(decoder.layer[0].attention, own=False)
    feed(decoder.layer[0].ffn)
