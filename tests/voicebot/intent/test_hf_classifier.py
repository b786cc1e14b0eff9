"""Anybody's sequence classifier behind our interface: a tiny random one, made here, loaded from its folder."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from voicebot.domain.understanding import EmotionLabel, Topic
from voicebot.intent.hf_classifier import HuggingFaceClassifier
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.taxonomy import taxonomy
from voicebot.intent.understander import Understander
from voicebot.intent.vocabulary import ModelError

pytestmark = pytest.mark.slow
transformers = pytest.importorskip("transformers")
NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


def _make(folder: Path, labels: list[str]) -> Path:
    """A two-layer BERT with random weights and a vocabulary of single characters."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"我你他下周五还没钱不想活了转人工好的什么时候"]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(words)), encoding="utf-8")
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        id2label=dict(enumerate(labels)), label2id={label: index for index, label in enumerate(labels)},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = [*taxonomy(), *(f"emotion:{label}" for label in EmotionLabel)]
    return _make(tmp_path_factory.mktemp("hf") / "tiny", labels)


def test_it_is_loaded_like_our_own_model(folder: Path) -> None:
    understander = Understander(folder)
    assert isinstance(understander.classifier, HuggingFaceClassifier)
    said = understander.understand("我下周五还", Topic.DEBT, NOW)
    assert said.intents and all(score.id in taxonomy() for score in said.intents)
    assert said.slots.date == dt.date(2026, 12, 4)
    assert said == understander.understand("我下周五还", Topic.DEBT, NOW)


def test_the_environment_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_INTENT_MODEL", str(folder))
    assert isinstance(Understander().classifier, HuggingFaceClassifier)


def test_probabilities_are_those_of_the_model(folder: Path) -> None:
    intents, moods = HuggingFaceClassifier(folder).probabilities("转人工", "any")
    assert intents.shape == (len(taxonomy()),) and intents.sum() == pytest.approx(1, abs=1e-4)
    assert moods.shape == (len(EmotionLabel),) and moods.sum() == pytest.approx(1, abs=1e-4)


def test_danger_words_stay_first_whatever_the_model_thinks(folder: Path) -> None:
    said = Understander(folder).understand("我不想活了", Topic.DEBT, NOW)
    assert said.danger and said.top == "vu_selfharm_explicit"


def test_the_topic_is_given_to_models_that_want_it(folder: Path) -> None:
    plain = HuggingFaceClassifier(folder).probabilities("好的", "promise")[0]
    config = json.loads((folder / "config.json").read_text())
    asked = {**config, "voicebot_topics": {"promise": "什么时候还"}}
    (folder / "config.json").write_text(json.dumps(asked))
    try:
        paired = HuggingFaceClassifier(folder)
        assert not (paired.probabilities("好的", "promise")[0] == plain).all()
        assert (paired.probabilities("好的", "debt")[0] == plain).all()
    finally:
        (folder / "config.json").write_text(json.dumps(config))


def test_a_partial_answer_can_be_judged_with_it(folder: Path) -> None:
    assert is_complete_answer("没错", Topic.PROMISE, Understander(folder))


def test_labels_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="id2label"):
        HuggingFaceClassifier(_make(tmp_path / "strange", ["LABEL_0", "LABEL_1"]))


def test_a_broken_folder_tells_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="copy it there whole"):
        Understander(tmp_path)
