"""Making the recogniser, in miniature: texts, times, batches, one step, export."""

import random
from pathlib import Path

import numpy as np
import pytest

from voicebot.asr.features import fbank

pytest.importorskip("torch")
pytest.importorskip("scipy")

import torch

from voicebot.asr.training import slots, speech, texts
from voicebot.asr.training.augment import g711, telephone
from voicebot.asr.training.batches import Shards
from voicebot.asr.training.figures import figures, right
from voicebot.asr.training.network import BLANK, BLOCKS, KERNEL, WIDTH, Network, outputs, parts
from voicebot.asr.training.tokens import syllables
from voicebot.asr.training.train import Course, learning_rate, time_weight
from voicebot.asr.training.validate import edit_distance, greedy

torch.set_num_threads(1)  # two workers of the test run on two cores
TOKENS = [BLANK, *syllables()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shards")
    speech.generate(path, "train-000", 30, 1, lambda rng: slots.fill("我{date}还{amt}", rng), ("f3", "m1"))
    return path


def test_every_template_fills_to_hanzi() -> None:
    rng = random.Random(1)
    for template in texts.templates().every():
        said = slots.fill(template, rng)
        assert all("\u4e00" <= char <= "\u9fff" for char in said), (template, said)


def test_evaluation_wording_is_not_in_the_training_wording() -> None:
    assert not set(texts.unseen_sayings()) & set(texts.sayings()) - set(_short(texts.unseen_sayings()))


def _short(sayings: list[str]) -> list[str]:
    """Everyday phrases of a few characters belong to everybody."""
    return [saying for saying in sayings if len(saying) <= 8]


def test_draws_are_the_same_for_the_same_seed() -> None:
    assert [texts.draw(random.Random(4)) for _ in range(5)] == [texts.draw(random.Random(4)) for _ in range(5)]


def test_syllable_times_follow_each_other(folder: Path) -> None:
    rows, pcm = speech.load(folder, "train-000")
    for row in rows:
        assert len(row.spans) == len(row.syllables) == len(row.text)
        starts = [start for start, _ in row.spans]
        assert starts == sorted(starts)
        assert row.spans[-1][1] <= row.samples / 8 + 100
    assert rows[-1].at + rows[-1].samples == len(pcm)


def test_the_line_keeps_the_length_it_reports() -> None:
    rng = np.random.default_rng(3)
    speech_like = rng.standard_normal(8000).astype(np.float32) * 0.1
    for _ in range(20):
        heard = telephone(speech_like, rng, lambda: [speech_like])
        assert np.abs(heard.samples).max() <= 1.001
        assert len(heard.samples) / 8000 >= heard.lead_s + heard.stretch * 1.0


@pytest.mark.parametrize("law", ["mu", "a"])
def test_g711_keeps_38_db(law: str) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32) * 0.3
    noise = g711(tone, law) - tone
    assert 10 * np.log10((tone**2).mean() / (noise**2).mean()) > 35


def test_batches_are_reproducible_and_can_be_skipped(folder: Path) -> None:
    def first(skip: int) -> torch.Tensor:
        return next(Shards(folder, 1, TOKENS).batches(5, skip)).features

    batches = Shards(folder, 1, TOKENS).batches(5, 0)
    ahead = [next(batches).features for _ in range(2)]
    assert torch.equal(first(0), ahead[0])
    assert torch.equal(first(1), ahead[1])


def test_frame_labels_hold_every_syllable_once(folder: Path) -> None:
    batch = next(Shards(folder, 1, TOKENS).batches(5, 0))
    assert batch.features.shape[1] % 96 == 0
    for row, labels in zip(batch.frame_labels, torch.split(batch.labels, batch.counts.tolist()), strict=True):
        runs = torch.unique_consecutive(row)
        assert [int(x) for x in runs if x] == [int(x) for x in torch.unique_consecutive(labels)]


def test_streaming_network_equals_offline() -> None:
    torch.manual_seed(1)
    network = Network(TOKENS).eval()
    frames = torch.from_numpy(fbank((np.random.default_rng(1).standard_normal(16000) * 0.1).astype(np.float32)))[None]
    with torch.no_grad():
        whole, _ = network(frames[:, : 4 * 40 + 3])
        cache, pieces = torch.zeros(1, BLOCKS, WIDTH, KERNEL - 1), []
        for at in range(0, 160, 16):
            scores, cache = network(frames[:, at : at + 19], cache)
            pieces.append(scores)
    assert whole.shape[1] == int(outputs(torch.tensor(163)))
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_few_steps_learn(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    course = Course(tmp_path, 1000, TOKENS)
    batches = Shards(folder, 1, TOKENS).batches(5, 0)
    batch = next(batches)
    losses = [course.learn(batch) for _ in range(3)]
    assert losses[-1] < losses[0]
    course.save()
    again = Course(tmp_path, 1000, TOKENS)
    again.resume()
    assert again.step == 3
    for a, b in zip(again.average.parameters(), course.average.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_the_exported_model_scores_as_the_network(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from voicebot.asr.embedded import AcousticModel
    from voicebot.asr.training.export import export

    torch.manual_seed(2)
    network = Network(TOKENS).eval()
    export(network, TOKENS, tmp_path / "model.onnx")
    model = AcousticModel(tmp_path / "model.onnx")
    assert model.syllables.tokens == tuple(TOKENS)
    rng = np.random.default_rng(1)
    for outputs_wanted in (4, 11):
        frames = (rng.standard_normal((3, model.frames_for(outputs_wanted), 40)) - 8).astype(np.float32)
        scores, following = model.run(frames, np.zeros((3, *model.cache_shape), np.float32))
        with torch.no_grad():
            exact = network(torch.from_numpy(frames))[0].log_softmax(-1).numpy()
        assert scores.shape == (3, outputs_wanted, len(TOKENS))
        assert following.shape == (3, BLOCKS, WIDTH, KERNEL - 1)
        assert np.abs(np.exp(scores) - np.exp(exact)).max() < 0.02


def test_schedule() -> None:
    assert learning_rate(0, 1000) < learning_rate(299, 1000) == pytest.approx(2e-3)
    assert learning_rate(999, 1000) < 1e-4
    assert (time_weight(0, 1000), time_weight(900, 1000)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("syllable", "expected"),
    [
        ("juan4", ("I:j", "F:van", "T:4")),
        ("zhi1", ("I:zh", "F:-i", "T:1")),
        ("an4", ("I:", "F:an", "T:4")),
        ("xiong2", ("I:x", "F:iong", "T:2")),
    ],
)
def test_syllables_come_apart(syllable: str, expected: tuple[str, str, str]) -> None:
    assert parts(syllable) == expected


def test_greedy_and_distance() -> None:
    best = np.eye(4, dtype=np.float32)[[0, 1, 1, 0, 1, 2, 0]]
    assert greedy(best, ["_", "a", "b", "c"]) == ["a", "a", "b"]
    assert edit_distance("还款", "还三款") == 1


def test_too_little_speech_is_said_not_waited_for(tmp_path: Path) -> None:
    speech.generate(tmp_path, "train-000", 2, 1, lambda _: "好的", ("f3",))
    with pytest.raises(ValueError, match="speak more"):
        next(Shards(tmp_path, 1, TOKENS).batches(5, 0))


def test_figures_are_counted_in_order() -> None:
    assert figures("我下周三先还一千二") == ["下周三", "一千二"]
    assert figures("一下一起") == []
    assert right("三月十二号还五百块", "三月十号还五百块") == (2, 3)
    assert right("后四位零幺二三", "后四位零一二三") == (1, 1)


def test_rough_lines_come_last_and_gently() -> None:
    assert learning_rate(1000, 1000, 500) < learning_rate(100, 1000, 500)
    assert learning_rate(1000, 1000, 500) > learning_rate(1250, 1000, 500) > learning_rate(1499, 1000, 500) > 0
