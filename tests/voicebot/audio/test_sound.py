"""Frames, level, pitch and resampling."""


import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.audio.frames import FRAME_BYTES, RATE, SILENCE, cut, duration_ms
from voicebot.audio.level import FLOOR_DB, amplify, peak_dbfs, rms_dbfs
from voicebot.audio.pitch import ends_low, pitch_hz, pitch_track
from voicebot.audio.resample import Resampler, resample

from .sounds import noise, silence, tone, vowel


@given(st.binary(max_size=2000))
def test_cutting_loses_nothing_and_fills_up_with_silence(sound):
    frames = cut(sound)
    assert all(len(frame) == FRAME_BYTES for frame in frames)
    assert b"".join(frames)[: len(sound)] == sound
    assert not any(b"".join(frames)[len(sound) :])


def test_a_second_of_sound_lasts_a_second():
    assert duration_ms(tone(440, 1000)) == 1000
    assert len(cut(tone(440, 1000))) == 50


def test_levels_are_in_dbfs():
    assert rms_dbfs(tone(500, 1000, -20)) == pytest.approx(-20, abs=0.1)
    assert peak_dbfs(tone(500, 1000, -20)) == pytest.approx(-17, abs=0.1)
    assert rms_dbfs(SILENCE) == peak_dbfs(b"") == FLOOR_DB


def test_amplifying_changes_the_level_and_cuts_at_full_scale():
    quiet = tone(500, 200, -40)
    assert rms_dbfs(amplify(quiet, 12)) == pytest.approx(-28, abs=0.1)
    loud = np.frombuffer(amplify(quiet, 80), "<i2")
    assert loud.max() == 32767 and loud.min() == -32768


@pytest.mark.parametrize("hertz", [80, 110, 150, 220, 300, 390])
def test_the_pitch_of_a_voice_is_its_fundamental(hertz):
    assert pitch_hz(vowel(hertz, 40)) == pytest.approx(hertz, rel=0.03)


def test_noise_and_silence_have_no_pitch():
    assert pitch_hz(silence(40)) is None
    assert [each for each in pitch_track(noise(500, -20)) if each is not None] == []
    assert pitch_track(vowel(200, 30)) == []


def test_a_rising_voice_rises():
    track = pitch_track(vowel(120, 100) + vowel(240, 100))
    assert track[0] == pytest.approx(120, rel=0.03)
    assert track[-1] == pytest.approx(240, rel=0.03)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_tone_keeps_pitch_length_and_level_through_other_rates(rate):
    there = resample(tone(1000, 1000), RATE, rate)
    back = np.frombuffer(resample(there, rate, RATE), "<i2").astype(float)
    assert len(there) == 2 * rate
    assert len(back) == RATE
    assert np.argmax(np.abs(np.fft.rfft(back))) == 1000
    assert rms_dbfs(back.astype("<i2").tobytes()) == pytest.approx(-20, abs=0.2)


RATES = [(RATE, 16_000), (16_000, RATE), (24_000, RATE), (22_050, RATE), (RATE, 48_000)]


def streamed(sound: bytes, source: int, target: int) -> list[bytes]:
    stream, piece = Resampler(source, target), 2 * (source // 50)
    pieces = [stream.push(sound[at : at + piece]) for at in range(0, len(sound), piece)]
    return [*pieces, stream.flush()]


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_streamed_tone_is_right_to_the_last_bits_and_2_ms_late(source, target):
    sound = (8000 * np.sin(2 * np.pi * 900 * np.arange(source) / source)).astype("<i2").tobytes()
    pieces = streamed(sound, source, target)
    whole = np.frombuffer(b"".join(pieces), "<i2").astype(float)
    assert len(whole) == target
    wanted = 8000 * np.sin(2 * np.pi * 900 * np.arange(target) / target)
    assert np.abs(whole - wanted)[target // 50 : -target // 50].max() < 8
    assert len(pieces[0]) >= 2 * (0.0178 * target) - 2


def test_what_the_lower_rate_cannot_carry_is_filtered_out():
    assert rms_dbfs(b"".join(streamed(tone_at(5500, 16_000), 16_000, RATE)[2:-2])) < -70


def tone_at(hertz: float, rate: int) -> bytes:
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype("<i2").tobytes()


@given(st.lists(st.integers(0, 700), max_size=12), st.sampled_from(RATES))
def test_the_cut_of_a_stream_does_not_matter(sizes, rates):
    sound = noise(300, -20)
    stream, at, pieces = Resampler(*rates), 0, []
    for size in [*sizes, len(sound)]:
        pieces.append(stream.push(sound[at : at + 2 * size]))
        at += 2 * size
    assert b"".join([*pieces, stream.flush()]) == b"".join(streamed(sound, *rates))


def test_the_same_rate_is_passed_through():
    stream = Resampler(RATE, RATE)
    assert stream.push(b"ab") == b"ab"
    assert stream.flush() == b""


def glide(start_hz: float, end_hz: float, milliseconds: int) -> bytes:
    """A voice whose pitch moves, with overtones."""
    hertz = np.linspace(start_hz, end_hz, RATE * milliseconds // 1000)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 8))
    return (3000 * wave).astype("<i2").tobytes()


@pytest.mark.parametrize(("sound", "expected"), [
    (glide(220, 220, 600) + glide(220, 130, 300) + silence(200), True),
    (glide(220, 220, 900) + silence(200), False),
    (glide(200, 200, 600) + glide(200, 280, 300) + silence(200), False),
    (glide(220, 130, 150), False), (silence(900), False), (b"", False),
], ids=["falls", "level", "rises", "too short", "silence", "nothing"])
def test_a_voice_that_goes_down_at_the_end_is_told(sound, expected):
    assert ends_low(sound) is expected
