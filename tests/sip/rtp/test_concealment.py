"""Concealment: a lost frame of a tone sounds like the tone, a long loss like silence."""

import numpy as np

from sip.rtp import Concealment
from sip.rtp.concealment import SILENCE


def tone(hertz: float, frames: int) -> list[bytes]:
    samples = (8000 * np.sin(2 * np.pi * hertz * np.arange(160 * frames) / 8000)).astype("<i2")
    return [samples[at : at + 160].tobytes() for at in range(0, len(samples), 160)]


def test_a_lost_frame_of_a_voiced_sound_is_nearly_what_was_sent():
    frames = tone(125, 6)
    line = Concealment()
    for each in frames[:5]:
        assert line.heard(each) == each or each is frames[0]
    made_up = np.frombuffer(line.missing(), "<i2").astype(float)
    sent = np.frombuffer(frames[5], "<i2").astype(float)
    assert np.corrcoef(made_up, sent)[0, 1] > 0.97
    assert line.concealed == 1


def test_a_long_loss_fades_to_silence_within_60_ms():
    line = Concealment()
    for each in tone(200, 10):
        line.heard(each)
    power = [np.abs(np.frombuffer(line.missing(), "<i2").astype(int)).max() for _ in range(6)]
    assert power[0] > power[1] > power[2] > power[3] == power[4] == power[5] == 0
    assert line.concealed == 3


def test_nothing_is_made_up_before_anything_was_heard():
    line = Concealment()
    assert [line.missing() for _ in range(5)] == [SILENCE] * 5
    assert line.concealed == 0


def test_real_speech_takes_over_without_a_click():
    line = Concealment()
    frames = tone(230, 12)
    for each in frames[:10]:
        line.heard(each)
    joined = np.frombuffer(line.missing() + line.heard(frames[11]), "<i2").astype(int)
    steepest = np.abs(np.diff(np.frombuffer(b"".join(frames), "<i2").astype(int))).max()
    assert np.abs(np.diff(joined)).max() < 2 * steepest
    assert joined[200:].tolist() == np.frombuffer(frames[11], "<i2").tolist()[40:]
