"""G.722 and Opus as a telephone hears them, and the filters between the sample rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.codec import PCMA, speech
from sip.codec.opus_packet import opus_duration
from sip.codec.resample import Decimator, Interpolator


def tone(hertz: float, frames: int, rate: int = 8000) -> np.ndarray:
    at = np.arange(frames * rate // 50)
    return (8000 * np.sin(2 * np.pi * hertz * at / rate)).astype("<i2")


def purity_db(samples: np.ndarray, hertz: float, rate: int = 8000) -> float:
    """How far everything else lies under this tone."""
    settled = samples[len(samples) // 2 :].astype(float)
    power = np.abs(np.fft.rfft(settled * np.hanning(len(settled)))) ** 2
    peak = round(hertz * len(settled) / rate)
    there = power[peak - 3 : peak + 4].sum()
    return float(10 * np.log10(there / (power.sum() - there)))


@pytest.mark.parametrize(("name", "units"), [("G722", 160), ("opus", 960)])
def test_a_tone_survives_the_way_there_and_back(name, units):
    sender, receiver = speech(name), speech(name)
    heard = []
    for frame in tone(1000, 60).reshape(-1, 160):
        payload = sender.encode(frame.tobytes())
        assert receiver.duration(payload) == sender.units == units
        pcm = receiver.decode(payload)
        assert pcm is not None and len(pcm) == 320
        heard.append(np.frombuffer(pcm, "<i2"))
    samples = np.concatenate(heard)
    assert purity_db(samples, 1000) > 25
    assert 6000 < samples[len(samples) // 2 :].max() < 10_000


def test_each_stream_has_its_own_memory_and_g711_needs_none():
    assert speech("PCMA") is speech("PCMA") is PCMA
    assert speech("G722") is not speech("G722")
    with pytest.raises(KeyError):
        speech("GSM")


@given(st.binary(max_size=80))
def test_any_bytes_decode_to_20_ms_or_nothing(data):
    for each in CODECS:
        pcm = each.decode(data)
        assert pcm is None or len(pcm) == 320


CODECS = [speech("G722"), speech("opus")]


@pytest.mark.parametrize(("packet", "samples"), [
    (b"", 0), (b"\x00", 480), (b"\x08x", 960), (b"\x18x", 2880), (b"\x09xx", 1920), (b"\x0b\x03xxx", 2880),
    (b"\x0b", 0), (b"\xfc", 960), (b"\x68", 960), (b"\x1b\x03xxx", 0), (b"\xe3\x30" + bytes(48), 5760)])
def test_the_length_of_an_opus_packet_is_in_its_first_bytes(packet, samples):
    assert opus_duration(packet) == samples


def test_a_long_opus_packet_comes_out_frame_by_frame():
    av = pytest.importorskip("av")
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 8000, "mono", "s16"
    encoder.options = {"frame_duration": "60"}
    frame = av.AudioFrame(format="s16", layout="mono", samples=480)
    frame.planes[0].update(tone(500, 3).tobytes())
    frame.sample_rate, frame.pts = 8000, 0
    payload = bytes(encoder.encode(frame)[0])
    receiver = speech("opus")
    assert receiver.duration(payload) == 3 * 960
    pieces = [receiver.decode(each) for each in (payload, b"", b"", b"")]
    assert [None if each is None else len(each) for each in pieces] == [320, 320, 320, None]


@pytest.mark.parametrize("hertz", [300, 1000, 2500])
def test_frames_join_without_clicks_and_mirror_images(hertz):
    up, down = Interpolator(2), Decimator(2)
    wide = np.concatenate([up(frame) for frame in tone(hertz, 60).reshape(-1, 160)])
    back = np.concatenate([down(frame) for frame in wide.reshape(-1, 320)])
    assert len(wide) == 2 * len(back) == 60 * 320
    assert purity_db(wide, hertz, 16_000) > 55
    assert purity_db(back, hertz) > 55


def test_what_is_above_4_khz_does_not_fold_back():
    down = Decimator(6)
    narrow = np.concatenate([down(frame) for frame in tone(6000, 40, 48_000).reshape(-1, 960)])
    assert np.abs(narrow[200:]).max() < 40


def test_length_of_frames_does_not_matter_to_the_filter():
    once, piecewise = Decimator(6), Decimator(6)
    sound = tone(700, 6, 48_000)
    pieces = [piecewise(sound[:960]), piecewise(sound[960:2880]), piecewise(sound[2880:])]
    assert np.array_equal(np.concatenate(pieces), once(sound))
