"""The embedded recogniser hears the embedded voice through a telephone line."""

import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot.asr.embedded import EmbeddedRecognizer, EmbeddedStream
from voicebot.asr.recognizer import load_recognizer
from voicebot.asr.transcribe import AudioFileError, transcribe_file
from voicebot.tts.synthesizer import load_synthesizer

SENTENCES = [
    ("我下周五还三千块钱", "f3"),
    ("对我是李振海", "m3"),
    ("我最近失业了没有钱", "f1"),
    ("你打错了没有这个人", "m1"),
    ("帮我转人工", "f4"),
    ("身份证后四位是二三幺五", "m7"),
    ("您拨打的号码是空号请核对后再拨", "f2"),
    ("我已经还过了你查一下", "m2"),
]


@pytest.fixture(scope="module")
def recognizer() -> EmbeddedRecognizer:
    return EmbeddedRecognizer()


def say(text: str, voice: str) -> bytes:
    quiet = bytes(2 * 2400)
    return quiet + load_synthesizer().synthesize(text, voice) + quiet


def hear(recognizer: EmbeddedRecognizer, pcm: bytes, piece: int = 320) -> EmbeddedStream:
    stream = recognizer.open()
    for at in range(0, len(pcm), piece):
        stream.accept(pcm[at : at + piece])
        recognizer.decode([stream])
    return stream


def errors(said: str, meant: str) -> int:
    row = list(range(len(meant) + 1))
    for i, a in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(meant, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def test_sentences_are_understood(recognizer: EmbeddedRecognizer) -> None:
    wrong = sum(errors(hear(recognizer, say(text, voice)).finish().text, text) for text, voice in SENTENCES)
    assert wrong / sum(len(text) for text, _ in SENTENCES) <= 0.08


def test_packets_of_any_size_give_the_same_text(recognizer: EmbeddedRecognizer) -> None:
    pcm = say("我下周五还三千块钱", "f3")
    whole = hear(recognizer, pcm, len(pcm)).finish()
    assert hear(recognizer, pcm).finish().text == whole.text
    assert hear(recognizer, pcm, 333).finish().text == whole.text


def test_an_eager_stream_tells_the_same_words_sooner(recognizer: EmbeddedRecognizer) -> None:
    pcm = say("我明天就还给你们", "m3")
    patient, eager = recognizer.open(), recognizer.open()
    eager.eager = True
    first: dict[bool, int] = {}
    for tick, at in enumerate(range(0, len(pcm), 320)):
        for stream in (patient, eager):
            stream.accept(pcm[at : at + 320])
        recognizer.decode([patient, eager])
        for stream in (patient, eager):
            if len(stream.partial()) >= 3:
                first.setdefault(stream.eager, tick)
    assert first[True] < first[False]
    assert eager.finish().text == patient.finish().text != ""


def test_an_eager_stream_reads_what_waits_in_one_go(recognizer: EmbeddedRecognizer) -> None:
    """At the beginning of a turn, and after a moment in which nobody had time to listen."""
    stream = recognizer.open()
    stream.eager = True
    assert stream.step == 1
    stream.accept(bytes(2 * 8000 // 2))
    EmbeddedStream.pull([stream])
    assert stream.step == 4


def test_a_batch_hears_what_single_streams_hear(recognizer: EmbeddedRecognizer) -> None:
    pcm = [say(text, voice) for text, voice in SENTENCES]
    streams = [recognizer.open() for _ in pcm]
    for at in range(0, max(map(len, pcm)), 320):
        for stream, sound in zip(streams, pcm, strict=True):
            stream.accept(sound[at : at + 320])
        recognizer.decode(streams)
    batched = [stream.finish().text for stream in streams]
    single = [hear(recognizer, sound).finish().text for sound in pcm]
    assert sum(a != b for a, b in zip(batched, single, strict=True)) <= 1  # int8 ranges depend on the batch


def test_partials_grow_and_times_count_from_the_first_sample(recognizer: EmbeddedRecognizer) -> None:
    stream = recognizer.open()
    stream.accept(bytes(2 * 8000))
    recognizer.decode([stream])
    stream.reset()
    pcm = say("我下周五还三千块钱", "f3")
    seen = []
    for at in range(0, len(pcm), 320):
        stream.accept(pcm[at : at + 320])
        recognizer.decode([stream])
        seen.append(stream.partial())
    assert seen[0] == ""
    assert len(set(seen)) >= 5
    heard = stream.finish()
    seconds = len(pcm) / 2 / 8000
    assert heard.start_s is not None
    assert heard.end_s is not None
    assert heard.start_s == pytest.approx(1.3, abs=0.25)
    assert heard.end_s == pytest.approx(1 + seconds - 0.4, abs=0.4)
    assert 0.5 < heard.confidence <= 1


def test_a_new_utterance_begins_after_finish(recognizer: EmbeddedRecognizer) -> None:
    stream = hear(recognizer, say("好的", "f3"))
    stream.finish()
    assert stream.partial() == ""
    assert stream.finish().text == ""
    stream.accept(say("再见", "f3"))
    recognizer.decode([stream])
    assert stream.finish().text == "再见"


def test_silence_and_line_noise_say_nothing(recognizer: EmbeddedRecognizer) -> None:
    hiss = (np.random.default_rng(2).standard_normal(16000) * 20).astype("<i2").tobytes()
    for pcm in (bytes(32000), hiss):
        heard = hear(recognizer, pcm).finish()
        assert (heard.text, heard.confidence, heard.start_s) == ("", 0.0, None)


def test_odd_bytes_are_kept_for_the_next_packet(recognizer: EmbeddedRecognizer) -> None:
    stream = recognizer.open()
    stream.accept(b"\x01")
    stream.accept(b"\x02\x03")
    assert stream.finish().text == ""


def test_a_closed_stream_hears_nothing(recognizer: EmbeddedRecognizer) -> None:
    stream = recognizer.open()
    stream.close()
    stream.accept(say("好的", "f3"))
    recognizer.decode([stream])
    assert stream.finish().text == ""


@pytest.mark.parametrize("rate", [8000, 16000])
def test_files_are_transcribed(tmp_path: Path, rate: int) -> None:
    import soxr

    path = tmp_path / "call.wav"
    samples = np.frombuffer(say("我下周五还三千块钱", "f3"), "<i2").astype(np.float32)
    if rate != 8000:
        samples = soxr.resample(samples, 8000, rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    row = transcribe_file(path)
    assert errors(row["text"], "我下周五还三千块钱") <= 1
    assert row["path"] == str(path)
    times = [partial["at_s"] for partial in row["partials"]]
    assert times == sorted(times)
    assert row["partials"][-1]["text"] == row["text"]
    assert 0 < row["rtf"] < 2


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"\x00" * 100])
def test_files_that_are_no_sound_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=r"broken\.wav"):
        transcribe_file(path)


def test_errors_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="embedded"):
        load_recognizer("nothing")
    with pytest.raises(FileNotFoundError, match="make train-asr"):
        load_recognizer("embedded", tmp_path)
