"""The sherpa-onnx engine, driven by the embedded network in zipformer2 form and as a transducer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicebot.asr.model_files import ModelMissingError, find_model
from voicebot.asr.recognizer import Recognizer, Transcript, load_recognizer
from voicebot.asr.sherpa import SenseVoiceRecognizer
from voicebot.mandarin.pinyin import read
from voicebot.tts.synthesizer import load_synthesizer

from .foreign_models import syllables_of_tokens, transducer_form, zipformer_form

pytest.importorskip("sherpa_onnx")
TICK = 320


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return load_recognizer(f"sherpa:{zipformer_form(tmp_path_factory.mktemp('models') / 'zip')}")


def said(text: str) -> bytes:
    return load_synthesizer().synthesize(text)


def syllables(text: str) -> list[str]:
    return [s[:-1] for word in read(text) for s in word.syllables]


def heard(transcript: object) -> list[str]:
    assert isinstance(transcript, Transcript)
    return [s[:-1] for s in re.findall(r"[a-z]+[1-5]", transcript.text)]


def test_partials_grow_and_the_whole_is_read(engine: Recognizer) -> None:
    text = "我明天还三千五百元"
    stream, grown, pcm = engine.open(), [], said(text)
    for at in range(0, len(pcm), TICK):
        stream.accept(pcm[at : at + TICK])
        engine.decode([stream])
        grown.append(stream.partial())
    whole = stream.finish()
    assert heard(whole) == syllables(text)
    lengths = [len(one) for one in grown]
    assert lengths == sorted(lengths)
    assert 0 < lengths[len(lengths) * 2 // 3] < len(str(getattr(whole, "text", "")))


def test_streams_share_a_batch_and_keep_apart(engine: Recognizer) -> None:
    texts = ["我没有钱", "你打错了", "好的再见"]
    streams, sounds = [engine.open() for _ in texts], [said(text) for text in texts]
    for at in range(0, max(map(len, sounds)), TICK):
        for stream, pcm in zip(streams, sounds, strict=True):
            stream.accept(pcm[at : at + TICK])
        engine.decode(streams)
    assert [heard(stream.finish()) for stream in streams] == [syllables(text) for text in texts]


def test_the_next_utterance_starts_clean_and_its_times_go_on(engine: Recognizer) -> None:
    stream = engine.open()
    first, second = said("我没有钱"), said("你打错了")
    stream.accept(first)
    stream.finish()
    stream.accept(second)
    result = stream.finish()
    assert heard(result) == syllables("你打错了")
    assert isinstance(result, Transcript)
    assert result.start_s is not None
    assert result.start_s >= len(first) / 16000


def test_a_closed_stream_drops_sound_and_hurts_no_other(engine: Recognizer) -> None:
    gone, here = engine.open(), engine.open()
    gone.accept(said("我没有钱")[:3000])
    gone.close()
    gone.accept(b"\0" * 3200)
    here.accept(said("你打错了"))
    engine.decode([gone, here])
    assert heard(here.finish()) == syllables("你打错了")


def test_words_of_one_call_win_in_its_own_stream_and_in_no_other(tmp_path: Path) -> None:
    """Tones are the weak part of telephone speech: without the names the model takes some for other syllables."""
    engine = load_recognizer(f"sherpa:{transducer_form(tmp_path / 'transducer')}")
    written = {syllable: hanzi for hanzi, syllable in syllables_of_tokens().items()}
    told_right = bare_right = 0
    names = {"李振海": "li3 zhen4 hai3", "裴沐昕": "pei2 mu4 xin1", "庄秀芝": "zhuang1 xiu4 zhi1"}
    for who, sounds in names.items():
        name = "".join(written[syllable] for syllable in sounds.split())
        with_name, without = engine.open((name, "")), engine.open()
        pcm = said(f"我是{who}")
        for at in range(0, len(pcm), TICK):
            for stream in (with_name, without):
                stream.accept(pcm[at : at + TICK])
            engine.decode([with_name, without])
        told, bare = with_name.finish(), without.finish()
        assert isinstance(told, Transcript) and isinstance(bare, Transcript)
        told_right += told.text.endswith(name)
        bare_right += bare.text.endswith(name)
    assert told_right > bare_right and told_right > 1  # the voice is not the same in every run


class Whole:
    """A model of whole utterances that writes what it always writes; its streams are their own results."""

    text = "我就是陪木新"

    def create_stream(self) -> Whole:
        return self

    def accept_waveform(self, rate: int, samples: object) -> None: ...

    def decode_streams(self, streams: list[Whole]) -> None: ...

    @property
    def result(self) -> Whole:
        return self


def test_a_model_that_takes_no_words_is_corrected_by_their_sound() -> None:
    engine = SenseVoiceRecognizer("sherpa:whole", Whole())
    stream, other = engine.open(("裴沐昕",)), engine.open()
    for one in (stream, other):
        one.accept(bytes(16000))
    engine.decode([stream, other])
    assert (stream.partial(), other.partial()) == ("我就是裴沐昕", "我就是陪木新")
    transcript = stream.finish()
    assert isinstance(transcript, Transcript)
    assert transcript.text == "我就是裴沐昕"


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="voicebot models pull"):
        load_recognizer("sherpa:zipformer-zh", tmp_path)


def test_a_torn_model_names_the_missing_file(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.toml").write_text('kind = "zipformer"')
    with pytest.raises(ModelMissingError, match=r"tokens\.txt"):
        load_recognizer("sherpa:half", tmp_path)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["encoder.onnx", "decoder.onnx", "joiner.onnx"], "zipformer"),
        (["encoder.int8.onnx", "decoder.int8.onnx"], "paraformer"),
        (["model.int8.onnx"], "sense-voice"),
        (["model.bin"], "whisper"),
    ],
)
def test_the_kind_is_told_by_the_files(tmp_path: Path, files: list[str], kind: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert find_model(str(tmp_path), tmp_path).kind == kind


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text('kind = "tape"')
    with pytest.raises(ModelMissingError, match="zipformer"):
        find_model(str(tmp_path), tmp_path)
