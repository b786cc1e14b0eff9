"""Features are the same whole or in pieces, and mean what Kaldi's mean."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.asr.features import BANDS, StreamingFbank, fbank

NOISE = (np.random.default_rng(1).standard_normal(4000) * 0.1).astype(np.float32)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 700), max_size=12))
def test_streaming_equals_whole(pieces: list[int]) -> None:
    stream, at, got = StreamingFbank(), 0, []
    for piece in [*pieces, 4000]:
        got.append(stream.accept(NOISE[at : at + piece]))
        at = min(4000, at + piece)
    np.testing.assert_allclose(np.concatenate(got), fbank(NOISE), atol=1e-4)


def test_missing_says_when_frames_will_be_there() -> None:
    stream = StreamingFbank()
    wanted = stream.missing(3)
    assert len(stream.accept(NOISE[: wanted - 1])) == 2
    assert stream.missing(1) == 1
    assert len(stream.accept(NOISE[wanted - 1 : wanted])) == 1


def test_a_tone_is_loudest_in_its_band_and_ten_times_the_level_is_ln_100_more() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000).astype(np.float32) * 0.05
    frames = fbank(tone)
    edges = 700 * (np.exp(np.linspace(np.log(1 + 20 / 700), np.log(1 + 3600 / 700), BANDS + 2)) - 1)
    loudest = int(frames[10].argmax())
    assert edges[loudest] < 1000 < edges[loudest + 2]
    heard = frames[10] > -10  # above the numerical floor
    np.testing.assert_allclose((fbank(10 * tone)[10] - frames[10])[heard], np.log(100), atol=0.01)
    assert heard.sum() > 5


def test_dc_does_not_matter_and_silence_is_the_floor() -> None:
    np.testing.assert_allclose(fbank(NOISE + 0.2), fbank(NOISE), atol=0.02)
    assert fbank(np.zeros(800, np.float32)).max() < -15
