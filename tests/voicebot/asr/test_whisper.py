"""The streaming Whisper: what readings agree on, tried in full; the engine itself with random weights."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.asr.recognizer import Transcript, load_recognizer
from voicebot.asr.whisper import RATE, STEP_S, WINDOW_S, WhisperRecognizer, agreed

from .foreign_models import random_whisper

pytest.importorskip("faster_whisper")
texts = st.text("我明天还钱", max_size=8)


@given(texts, texts)
def test_what_is_agreed_is_the_longest_common_beginning(before: str, now: str) -> None:
    common = agreed(before, now)
    assert before.startswith(common)
    assert now.startswith(common)
    at = len(common)
    assert at in (len(before), len(now)) or before[at] != now[at]


class Segment:
    def __init__(self, text: str, end: float) -> None:
        self.text, self.end, self.avg_logprob = text, end, -0.1


class Script:
    """Stands for the model: gives the readings it was told, in order, and remembers how much sound each saw."""

    def __init__(self, *readings: list[Segment]) -> None:
        self._readings, self.seen_s = list(readings), []  # type: ignore[var-annotated]
        self.told: set[object] = set()

    def transcribe(self, sound: Any, **options: object) -> tuple[list[Segment], None]:
        assert options["language"] == "zh"
        self.told.add(options["hotwords"])
        self.seen_s.append(round(len(sound) / 16000, 1))
        return self._readings.pop(0), None


def step(engine: WhisperRecognizer, stream: Any, seconds: float = STEP_S) -> None:
    """New sound, and the reading that follows it."""
    stream.accept(np.full(int(seconds * RATE), 100, "<i2").tobytes())
    engine.decode([stream])
    engine._thread.submit(lambda: None).result()
    engine.decode([stream])


def text_of(finished: object) -> str:
    assert isinstance(finished, Future)
    transcript = finished.result(5)
    assert isinstance(transcript, Transcript)
    return transcript.text


def test_a_partial_is_what_two_readings_agree_on() -> None:
    readings = ["我明", "我名天还", "我名天还钱", "我明天还钱"]
    engine = WhisperRecognizer("w", Script(*([Segment(text, 0.8)] for text in readings)))
    stream = engine.open()
    partials = []
    for _ in range(3):
        step(engine, stream)
        partials.append(stream.partial())
    assert partials == ["", "我", "我名天还"]
    assert text_of(stream.finish()) == "我明天还钱"


def test_words_of_the_call_are_told_to_the_model_and_found_by_their_sound() -> None:
    model = Script([Segment("我是陪", 0.8)], [Segment("我是陪木新", 0.8)], [Segment("我是陪木新", 0.8)])
    engine = WhisperRecognizer("w", model)
    stream = engine.open(("裴沐昕", "三千五百元"))
    for _ in range(2):
        step(engine, stream)
    assert stream.partial() == "我是陪", "not yet the whole word"
    assert text_of(stream.finish()) == "我是裴沐昕"
    assert model.told == {"裴沐昕 三千五百元"}


def test_a_long_turn_settles_whole_segments_and_forgets_their_sound() -> None:
    long = [Segment("前面说的话", 12.0), Segment("后面", 21.0)]
    model = Script(long, [Segment("后面的话", 9.0)])
    engine = WhisperRecognizer("w", model)
    stream = engine.open()
    step(engine, stream, WINDOW_S + 1)
    assert stream.partial() == "前面说的话"
    assert text_of(stream.finish()) == "前面说的话后面的话"
    assert model.seen_s == [21.0, 9.0]


def test_a_turn_that_was_dropped_leaves_nothing_to_the_next() -> None:
    engine = WhisperRecognizer("w", Script([Segment("旧", 0.8)], [Segment("新", 0.8)]))
    stream = engine.open()
    step(engine, stream)
    stream.reset()
    assert stream.partial() == ""
    stream.accept(b"\1\0" * RATE)
    assert text_of(stream.finish()) == "新"


@pytest.mark.slow
def test_the_real_engine_runs_with_random_weights(tmp_path: Path) -> None:
    engine = load_recognizer(f"whisper:{random_whisper(tmp_path / 'random')}")
    assert engine.name == "whisper:random"
    stream = engine.open(["李振海"])
    rng = np.random.default_rng(0)
    stream.accept((rng.standard_normal(RATE * 2) * 3000).astype("<i2").tobytes())
    engine.decode([stream])
    finished = stream.finish()
    assert isinstance(finished, Future)
    transcript = finished.result(60)
    assert transcript.text
    assert 0 <= transcript.confidence <= 1
