"""G.711 against the reference algorithm of ITU-T G.191, written out sample by sample."""

import numpy as np
import pytest

from sip.codec import PCMA, PCMU, law


def compress_alaw(sample: int) -> int:
    value = (~sample if sample < 0 else sample) >> 4
    if value > 15:
        exponent = 1
        while value > 16 + 15:
            value >>= 1
            exponent += 1
        value = value - 16 + (exponent << 4)
    return (value | (0x80 if sample >= 0 else 0)) ^ 0x55


def expand_alaw(code: int) -> int:
    code ^= 0x55
    value = ((code & 0x0F) << 4) + 8
    segment = (code & 0x70) >> 4
    if segment:
        value = (value + 0x100) << (segment - 1)
    return value if code & 0x80 else -value


def compress_ulaw(sample: int) -> int:
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment, rest = 1, magnitude >> 6
    while rest:
        segment += 1
        rest >>= 1
    code = (8 - segment) << 4 | 0x0F - (magnitude >> segment & 0x0F)
    return code | (0x80 if sample >= 0 else 0)


def expand_ulaw(code: int) -> int:
    sign = -1 if code < 0x80 else 1
    mantissa = ~code
    exponent = (mantissa >> 4) & 7
    step = 4 << (exponent + 1)
    return sign * ((0x80 << exponent) + step * (mantissa & 15) + step // 2 - 4 * 33)


def every_sample() -> list[int]:
    return list(range(-32768, 32768))


@pytest.mark.parametrize(("codec", "reference"), [(PCMA, compress_alaw), (PCMU, compress_ulaw)])
def test_every_sample_is_compressed_as_the_reference_does(codec, reference):
    pcm = np.array(every_sample(), "<i2").tobytes()
    assert codec.encode(pcm) == bytes(map(reference, every_sample()))


@pytest.mark.parametrize(("codec", "reference"), [(PCMA, expand_alaw), (PCMU, expand_ulaw)])
def test_every_code_is_expanded_as_the_reference_does(codec, reference):
    heard = np.frombuffer(codec.decode(bytes(range(256))), "<i2").tolist()
    assert heard == [reference(code) for code in range(256)]


@pytest.mark.parametrize("codec", [PCMA, PCMU])
def test_a_second_round_trip_changes_nothing(codec):
    once = codec.decode(bytes(range(256)))
    assert codec.decode(codec.encode(once)) == once


@pytest.mark.parametrize("codec", [PCMA, PCMU])
def test_a_quiet_tone_keeps_35_db_of_signal_to_noise(codec):
    tone = (1000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype("<i2")
    heard = np.frombuffer(codec.decode(codec.encode(tone.tobytes())), "<i2")
    noise = heard.astype(float) - tone
    assert 10 * np.log10((tone.astype(float) ** 2).mean() / (noise**2).mean()) > 33


def test_silence_is_the_idle_code_of_each_law():
    assert (PCMA.silent_frame, PCMU.silent_frame) == (b"\xd5" * 160, b"\xff" * 160)
    assert not any(PCMU.decode(PCMU.silent_frame))


def test_speech_of_the_other_law_is_recoded_within_a_quantisation_step():
    table = PCMA.recode_from(PCMU)
    ulaw = np.frombuffer(PCMU.decode(bytes(range(256))), "<i2").astype(int)
    alaw = np.frombuffer(PCMA.decode(bytes(range(256)).translate(table)), "<i2").astype(int)
    assert np.all(np.abs(ulaw - alaw) <= np.maximum(np.abs(ulaw) / 16, 16))


def test_names_are_those_of_sdp_in_any_case():
    assert law("pcma") is PCMA
    assert law("PCMU") is PCMU
    with pytest.raises(KeyError):
        law("opus")
