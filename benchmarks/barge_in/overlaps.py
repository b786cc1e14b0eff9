"""The overlaps of the benchmark: a caller who says something while the bot speaks, with echo, noise and loss."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from voicebot.asr.features import RATE
from voicebot.asr.training import augment, speech
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.tts.voices import HELD_OUT, SEEN

Floats = NDArray[np.float32]
COMPANY = (
    "嗯", "嗯嗯", "对", "对对", "对对对", "好的", "好好", "哦", "哦哦", "是的", "啊", "行", "好的好的", "嗯好",
    "是是是",
    "嗯对",
)  # fmt: skip
WORDS = (
    "等一下", "你先别说了", "我没有钱", "你打错了吧", "你是哪里的", "我现在没空", "不要再打了", "我明天还", "你说什么",
    "我听不清楚", "我已经还了", "帮我转人工", "你等会儿再打", "我在开车呢", "这不是我借的", "停一下停一下",
    "能不能分期",
    "谁让你打的", "先听我说", "没听懂再说一遍",
)  # fmt: skip
BOT = (
    "您好，这里是示范服务中心，您在我们这里有一笔消费分期，应还金额一千二百六十八元，已经过了约定的日期，想和您确认一下什么时候方便处理。",
    "这通电话会录音，用来核对我们说过的话。请您先告诉我身份证号码的后四位，核对好了我再跟您说明具体的事情。",
)
ECHOES_DB = (None, -30.0, -20.0)


@dataclass(frozen=True, slots=True)
class Overlap:
    """`received` and `sent`: s16le 8 kHz. `third_ms`: when the third syllable of the caller ended; None for company."""

    text: str
    words: bool
    voice: str
    echo_db: float | None
    third_ms: int | None
    received: bytes
    sent: bytes


def draw(count: int, seed: int) -> list[Overlap]:
    """So many overlaps, half of them company; half of the voices were never in any training."""
    return [_overlap(number, random.Random(seed * 100_003 + number)) for number in range(count)]


def _overlap(number: int, rng: random.Random) -> Overlap:
    words = number % 2 == 0
    text = rng.choice(WORDS if words else COMPANY)
    pcm, row = speech.speak(text, rng, HELD_OUT if number % 4 < 2 else SEEN)
    caller = augment.set_peak(pcm.astype(np.float32), rng.uniform(-14, -4))
    bot = np.frombuffer(load_synthesizer().synthesize(rng.choice(BOT)), "<i2").astype(np.float32) / np.float32(32768)
    start_ms = rng.randint(800, 4000)
    noises = np.random.default_rng(rng.getrandbits(32))
    echo_db = rng.choice(ECHOES_DB)
    heard = _heard(caller, bot, start_ms, echo_db, noises)
    sent = (bot * 32767).astype("<i2").tobytes()
    third_ms = start_ms + row.spans[2][1] if words else None
    return Overlap(text, words, row.variant, echo_db, third_ms, heard, sent)


def _heard(caller: Floats, bot: Floats, start_ms: int, echo_db: float | None, rng: Generator) -> bytes:
    samples = np.zeros(len(bot), np.float32)
    start = start_ms * RATE // 1000
    samples[start : start + len(caller)] += caller[: len(samples) - start]
    if echo_db is not None:
        delay = int(rng.integers(80, 1000))
        samples[delay:] += bot[:-delay] * np.float32(10 ** (echo_db / 20))
    samples = samples + augment.background(len(samples), rng) * np.float32(10 ** (rng.uniform(-65, -48) / 20))
    samples = augment.lose_packets(augment.band_limit(samples, 300, 3400), rng, 0.01)
    return np.asarray(augment.g711(samples, "a") * 32767, "<i2").tobytes()
