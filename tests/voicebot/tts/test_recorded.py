"""Recordings with what changes spliced in: found by text, level-matched, no clicks, everything else spoken."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot.tts.recorded import load_recorded, read_wav
from voicebot.tts.synthesizer import Synthesizer, VoiceMissingError, load_synthesizer

LIST = """
[prompts.who]
text = "您好，请问您是{name}吗？"
files = ["who-1.wav", "who-2.wav"]

[prompts.bye]
text = "再见。"
files = ["bye.wav"]
"""


def tone(path: Path, hz: float, seconds: float, level: float, rate: int = 16000) -> None:
    samples = np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate) * level * 32767
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tone(tmp_path / "who-1.wav", 440, 0.5, 0.1)
    tone(tmp_path / "who-2.wav", 1000, 0.3, 0.1)
    tone(tmp_path / "bye.wav", 600, 0.4, 0.2)
    (tmp_path / "prompts.toml").write_text(LIST, "utf-8")
    return tmp_path


@pytest.fixture
def voice(folder: Path) -> Synthesizer:
    return load_synthesizer(f"recorded:{folder}")


def floats(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(pcm, "<i2").astype(float) / 32768


def loudest_hz(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))) * 8000 / len(samples))


def test_fixed_words_are_the_recording_and_the_name_is_spoken_between(voice: Synthesizer) -> None:
    sound = floats(voice.synthesize("您好，请问您是李振海吗？"))
    name = floats(load_synthesizer().synthesize("李振海"))
    assert abs(loudest_hz(sound[400:3600]) - 440) < 5
    assert abs(loudest_hz(sound[-2000:-100]) - 1000) < 8
    assert abs(len(sound) - (0.8 * 8000 + len(name) + 2 * 480)) < 20


def loud(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """RMS of the louder half: pauses do not count."""
    power = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    return float(np.sqrt(power[power >= np.median(power)].mean()))


def test_the_spoken_part_is_as_loud_as_the_recording(voice: Synthesizer) -> None:
    sound = floats(voice.synthesize("您好，请问您是李振海吗？"))
    middle = sound[4000 + 480 : len(sound) - 2400 - 480]
    assert 0.7 < loud(middle) / loud(sound[:3900]) < 1.4


def test_recordings_of_any_level_are_as_loud_as_what_is_spoken(folder: Path) -> None:
    tone(folder / "who-1.wav", 440, 0.5, 0.9)
    tone(folder / "who-2.wav", 1000, 0.3, 0.02)
    voice = load_synthesizer(f"recorded:{folder}")
    sound = floats(voice.synthesize("您好，请问您是李振海吗？"))
    spoken = loud(floats(voice.synthesize("请稍等，我马上为您查询")))
    for piece in (sound[200:3800], sound[-2200:-200]):
        assert 0.7 < loud(piece) / spoken < 1.4


class Listening:
    """Stands for the voice between recordings, and keeps what it is given to say."""

    name = "listening"

    def __init__(self) -> None:
        self.given: list[str] = []

    def synthesize(self, text: str, voice: object = None, rate: int | None = None) -> bytes:
        self.given.append(text)
        return b"\0\1" * 800


@pytest.mark.parametrize("value", ["3,500.50元", "15:30", "李振海"])
def test_what_stands_inside_a_figure_is_spoken_with_it(folder: Path, value: str) -> None:
    between = Listening()
    load_recorded(str(folder), between).synthesize(f"您好，请问您是{value}吗？")
    assert between.given == [value]


def test_another_recording_is_another_edition(folder: Path) -> None:
    before = load_recorded(str(folder), Listening()).edition
    assert load_recorded(str(folder), Listening()).edition == before
    tone(folder / "bye.wav", 610, 0.4, 0.2)
    assert load_recorded(str(folder), Listening()).edition != before


def test_joints_do_not_click(voice: Synthesizer) -> None:
    sound = floats(voice.synthesize("您好，请问您是李振海吗？"))
    joint = sound[3900:4100]
    assert np.abs(np.diff(joint)).max() < 0.06, "no jump larger than the tone itself makes"


def test_marks_do_not_matter_and_other_texts_are_spoken(voice: Synthesizer) -> None:
    assert abs(loudest_hz(floats(voice.synthesize("再见"))) - 600) < 5
    assert voice.synthesize("请稍等") != b""
    assert voice.name.startswith("recorded:")


def test_a_list_that_does_not_fit_names_prompt_and_file(folder: Path) -> None:
    (folder / "prompts.toml").write_text('[prompts.who]\ntext = "您好{name}"\nfiles = []\n', "utf-8")
    with pytest.raises(VoiceMissingError, match=r"prompt who has 1 fixed pieces and 0 files"):
        load_synthesizer(f"recorded:{folder}")
    (folder / "prompts.toml").write_text('[prompts.who]\ntext = "您好"\nfiles = ["no.wav"]\n', "utf-8")
    with pytest.raises(VoiceMissingError, match=r"no\.wav"):
        load_synthesizer(f"recorded:{folder}")
    (folder / "prompts.toml").write_text("nonsense", "utf-8")
    with pytest.raises(VoiceMissingError, match=r"prompts\.toml"):
        load_synthesizer(f"recorded:{folder}")


def test_eight_kilohertz_stays_as_it_is(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 300, 0.1, 0.5, rate=8000)
    assert len(read_wav(tmp_path / "a.wav")) == 800
