"""The streaming Whisper: what readings agree on, tried in full; the engine itself with random weights."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.asr.hot_words import BySound
from voicebot.asr.recognizer import Transcript, load_recognizer
from voicebot.asr.whisper import RATE, STEP_S, WINDOW_S, Asked, Reading, WhisperRecognizer, agreed

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


def said(text: str, end: float = 0.8) -> Reading:
    return Reading(((text, end),), 0.9)


class Script:
    """Stands for the model: gives the readings it was told, in order, and remembers what it was asked."""

    def __init__(self, *readings: Reading) -> None:
        self._readings, self.seen_s = list(readings), []  # type: ignore[var-annotated]
        self.told: set[tuple[str, ...]] = set()
        self.batches: list[int] = []

    def read(self, asked: Sequence[Asked]) -> list[Reading]:
        self.batches.append(len(asked))
        self.told |= {one.words.words for one in asked}
        self.seen_s += [round(len(one.sound) / RATE, 1) for one in asked]
        return [self._readings.pop(0) for _ in asked]


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
    engine = WhisperRecognizer("w", Script(*map(said, readings)))
    stream = engine.open()
    partials = []
    for _ in range(3):
        step(engine, stream)
        partials.append(stream.partial())
    assert partials == ["", "我", "我名天还"]
    assert text_of(stream.finish()) == "我明天还钱"


def test_words_of_the_call_are_told_to_the_model_and_found_by_their_sound() -> None:
    model = Script(said("我是陪"), said("我是陪木新"), said("我是陪木新"))
    engine = WhisperRecognizer("w", model)
    stream = engine.open(("裴沐昕", "三千五百元"))
    for _ in range(2):
        step(engine, stream)
    assert stream.partial() == "我是陪", "not yet the whole word"
    assert text_of(stream.finish()) == "我是裴沐昕"
    assert model.told == {("裴沐昕", "三千五百元")}


def test_a_long_turn_settles_whole_segments_and_forgets_their_sound() -> None:
    long = Reading((("前面说的话", 12.0), ("后面", 21.0)), 0.9)
    model = Script(long, said("后面的话", 9.0))
    engine = WhisperRecognizer("w", model)
    stream = engine.open()
    step(engine, stream, WINDOW_S + 1)
    assert stream.partial() == "前面说的话"
    assert text_of(stream.finish()) == "前面说的话后面的话"
    assert model.seen_s == [21.0, 9.0]


def test_a_turn_that_was_dropped_leaves_nothing_to_the_next() -> None:
    engine = WhisperRecognizer("w", Script(said("旧"), said("新")))
    stream = engine.open()
    step(engine, stream)
    stream.reset()
    assert stream.partial() == ""
    stream.accept(b"\1\0" * RATE)
    assert text_of(stream.finish()) == "新"


class Busy(Script):
    """Reads nothing until it is let."""

    def __init__(self, *readings: Reading) -> None:
        super().__init__(*readings)
        self.may_read = threading.Event()

    def read(self, asked: Sequence[Asked]) -> list[Reading]:
        self.may_read.wait(30)
        return super().read(asked)


def test_what_waits_while_the_model_reads_is_read_in_one_batch() -> None:
    model = Busy(*(said(text) for text in ("一", "二", "三", "四")))
    engine = WhisperRecognizer("w", model)
    pcm = np.full(RATE, 100, "<i2").tobytes()
    streams = [engine.open() for _ in range(4)]
    for stream in streams:
        stream.accept(pcm)
    finished = [stream.finish() for stream in streams]
    model.may_read.set()
    assert [text_of(one) for one in finished] == ["一", "二", "三", "四"]
    assert sum(model.batches) == 4 and max(model.batches) >= 3


def test_one_that_spoils_a_batch_costs_no_other() -> None:
    class Spoilt(Busy):
        def read(self, asked: Sequence[Asked]) -> list[Reading]:
            self.may_read.wait(30)
            if any(len(one.sound) == 3 * RATE for one in asked):
                raise RuntimeError("no memory for so much")
            return [said("好的") for _ in asked]

    model = Spoilt()
    engine = WhisperRecognizer("w", model)
    finished = []
    for seconds in (1, 2, 3, 1):
        stream = engine.open()
        stream.accept(bytes(2 * RATE * seconds))
        finished.append(stream.finish())
    model.may_read.set()
    with pytest.raises(RuntimeError, match="no memory"):
        text_of(finished.pop(2))
    assert [text_of(one) for one in finished] == ["好的"] * 3


def test_a_turn_too_short_to_be_read_says_nothing() -> None:
    model = Script()
    stream = WhisperRecognizer("w", model).open()
    stream.accept(bytes(RATE // 10))
    assert (text_of(stream.finish()), model.batches) == ("", [])


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


@pytest.mark.slow
def test_a_batch_reads_what_each_alone_would_read(tmp_path: Path) -> None:
    engine = load_recognizer(f"whisper:{random_whisper(tmp_path / 'random')}")
    assert isinstance(engine, WhisperRecognizer)
    rng = np.random.default_rng(1)
    lengths, words = (1.0, 2.5, 1.4, 31.0), ((), ("李振海",), ("裴沐昕", "三千五百元"), ("李振海",))
    asked = [
        Asked((rng.standard_normal(int(RATE * seconds)) / 10).astype(np.float32), BySound(hot))
        for seconds, hot in zip(lengths, words, strict=True)
    ]
    alone = [engine._reader.read([one])[0].text for one in asked]
    assert [one.text for one in engine._reader.read(asked)] == alone
    assert all(alone) and len(set(alone)) > 1
