"""The eight-bit graph answers as the networks that were trained; the whole training runs on a handful of rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from voicebot.intent.classifier import CALIBRATION_FILE, MODEL_FILE, WORDS_FILE, Calibration  # noqa: E402
from voicebot.intent.network import Network  # noqa: E402
from voicebot.intent.training import bag, convolutions, corpus, linear, train  # noqa: E402
from voicebot.intent.training.gram_batches import Grams, batch  # noqa: E402
from voicebot.intent.vocabulary import Vocabulary  # noqa: E402

pytestmark = pytest.mark.slow
ROWS = 400


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[corpus.Utterance]]:
    """A folder with a model of few rows, the networks it was made of, the rows."""
    folder, nets = tmp_path_factory.mktemp("model"), {}
    rows = random.Random(1).sample(corpus.training_set(), ROWS)
    keep_bag, keep_convolutions = bag._parameters, convolutions._parameters
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "training_set", lambda: rows)
        patch.setattr(train, "misheard_set", lambda: corpus.misheard_set()[:50])
        for module in (bag, convolutions, linear):
            patch.setattr(module, "EPOCHS", 1)
        patch.setattr(bag, "_parameters", lambda net: (nets.update(bag=net), keep_bag(net))[1])
        patch.setattr(convolutions, "_parameters", lambda net: (nets.update(read=net), keep_convolutions(net))[1])
        train.train_into(folder)
    return folder, nets, rows


def test_eight_bits_say_what_was_trained(trained: tuple[Path, dict[str, Any], list[corpus.Utterance]]) -> None:
    folder, nets, rows = trained
    words, graph = Vocabulary.load(folder / WORDS_FILE), Network(folder / MODEL_FILE)
    count = len(words.intents)
    for net in nets.values():
        net.eval()
    for row in rows[:20]:
        said = words.encode(row.text, row.topic)
        found = graph.run(said)
        with torch.no_grad():
            symbols = (torch.from_numpy(said.characters)[None], torch.from_numpy(said.sounds)[None])
            read = nets["read"](*symbols, torch.from_numpy(said.topic))[0].numpy()
            summed = nets["bag"](*batch([Grams(said.common, said.common_weights)], bag.SHARPNESS, 0.0))[0].numpy()
        assert found.intents[2] == pytest.approx(read[:count], abs=0.1)
        assert found.intents[1] == pytest.approx(summed[:count], abs=0.1)
        assert found.emotions[2] == pytest.approx(read[count : count + 7], abs=0.1)
        assert found.beside == pytest.approx((read[count + 7 :] + summed[count + 7 :]) / 2, abs=0.1)


def test_a_model_of_few_rows_can_be_judged_on_a_hand(
    trained: tuple[Path, dict[str, Any], list[corpus.Utterance]]
) -> None:
    folder, _, _ = trained
    Calibration().save(folder / CALIBRATION_FILE)
    assert "| plateau |" in train.on_unseen(folder, ("plateau",))
