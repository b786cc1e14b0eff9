"""Sound files of any kind: what is sound is read, what is none is refused in one sentence."""

from __future__ import annotations

import struct
import wave
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.asr.transcribe import AudioFileError, read_pcm, transcribe_file
from voicebot.tts.synthesizer import load_synthesizer

TEXT = "我下周五还三千块钱"


def spoken(rate: int = 8000) -> bytes:
    pcm = np.frombuffer(load_synthesizer().synthesize(TEXT), "<i2")
    sound = pcm if rate == 8000 else soxr.resample(pcm.astype(np.float32), 8000, rate).clip(-32768, 32767)
    return sound.astype("<i2").tobytes()


def written(path: Path, pcm: bytes, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(pcm)
    return path


def is_heard(text: str) -> bool:
    """But for a syllable: the voice is not the same in every run."""
    return SequenceMatcher(None, text, TEXT).ratio() > 0.85


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_any_usual_rate_is_read(tmp_path: Path, rate: int) -> None:
    assert is_heard(transcribe_file(written(tmp_path / "a.wav", spoken(rate), rate))["text"])


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    left = np.frombuffer(spoken(), "<i2")
    both = np.stack([left, np.zeros_like(left)], axis=1).tobytes()
    mixed, seconds = read_pcm(written(tmp_path / "a.wav", both, channels=2), 8000)
    assert seconds == len(left) / 8000
    assert np.abs(np.frombuffer(mixed, "<i2") - left / 2).max() <= 1


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", spoken())
    data = path.read_bytes()
    path.write_bytes(data[:-1001])
    row = transcribe_file(path)
    assert is_heard(row["text"])
    path.write_bytes(data[:30])
    with pytest.raises(AudioFileError, match=r"a\.wav"):
        transcribe_file(path)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_file_without_sound_says_nothing(tmp_path: Path, rate: int) -> None:
    row = transcribe_file(written(tmp_path / "a.wav", b"", rate))
    assert (row["text"], row["partials"], row["rtf"] >= 0) == ("", [], True)


@pytest.mark.parametrize("rate", [0, 1, 3999, 192_001, 0xFFFFFFFF])
def test_a_rate_that_nobody_records_at_is_refused_before_memory_runs_out(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    shape = struct.pack("<HHIIHH", 1, 1, rate, (2 * rate) & 0xFFFFFFFF, 2, 16)
    path.write_bytes(b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0" + shape + b"data\x10\x27\0\0" + bytes(10_000))
    with pytest.raises(AudioFileError, match="samples a second"):
        read_pcm(path, 8000)


@pytest.mark.parametrize("width", [1, 3, 4])
def test_other_widths_are_refused_with_the_remedy(tmp_path: Path, width: int) -> None:
    with pytest.raises(AudioFileError, match="16-bit PCM WAV"):
        read_pcm(written(tmp_path / "a.wav", bytes(1200), width=width), 8000)


def test_what_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "no.wav", tmp_path):
        with pytest.raises(AudioFileError, match="cannot be read"):
            read_pcm(path, 8000)


@settings(max_examples=150)
@given(at=st.integers(0, 47), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_whatever_the_bytes_there_is_sound_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.wav"
    data = bytearray(written(path, bytes(352)).read_bytes())
    data[min(at, len(data) - 1)] = value
    path.write_bytes(bytes(data[: len(data) - cut]))
    try:
        pcm, seconds = read_pcm(path, 8000)
    except AudioFileError as error:
        assert "any.wav" in str(error)
    else:
        assert len(pcm) % 2 == 0 and seconds >= 0
