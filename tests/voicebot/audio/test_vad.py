"""Voice activity: speech is found in time, other sound is not, and a batch is as good as single runs."""

import subprocess
import sys

import pytest

from voicebot.audio import silero
from voicebot.audio.frames import cut
from voicebot.audio.silero import ModelMissingError, SileroScorer
from voicebot.audio.vad import Hysteresis, VadStream, VoiceActivity, VoiceChange

from .sounds import mix, noise, silence, speech, tone

HELLO = "喂,你好,请问你是哪一位?"


@pytest.fixture(scope="module")
def activity() -> VoiceActivity:
    return VoiceActivity()


def changes(activity: VoiceActivity, sound: bytes) -> list[VoiceChange]:
    stream = activity.open()
    return [change for frame in cut(sound) for _, change in activity.process([(stream, frame)])]


def test_speech_is_found_where_it_is(activity):
    said = speech(HELLO)
    began, ended = changes(activity, silence(1000) + said + silence(1000))
    assert began.speaking and not ended.speaking
    assert began.at_ms == pytest.approx(1000, abs=150)
    assert ended.at_ms == pytest.approx(1000 + len(said) // 16, abs=250)


@pytest.mark.parametrize("sound", [silence(3000), tone(450, 3000), tone(1000, 3000), noise(3000, -40)],
                         ids=["silence", "ringback", "beep", "noise"])
def test_what_is_not_speech_is_not_taken_for_it(activity, sound):
    assert changes(activity, sound) == []


def test_speech_is_found_in_noise(activity):
    sound = mix(silence(500) + speech(HELLO) + silence(500), noise(4000, -38))
    assert any(change.speaking for change in changes(activity, sound))


def test_speech_after_half_a_minute_of_noise_is_found_in_time(activity):
    found = changes(activity, noise(30_000, -45) + speech(HELLO))
    starts = [change.at_ms for change in found if change.speaking]
    assert starts and starts[-1] == pytest.approx(30_000, abs=500)


def test_a_batch_hears_what_each_stream_alone_would_hear(activity):
    sounds = [cut(silence(20 * lead) + speech(HELLO) + silence(200)) for lead in (0, 1, 2, 7, 30)]
    alone: list[list[float]] = []
    for frames in sounds:
        stream = activity.open()
        alone.append([])
        for frame in frames:
            activity.process([(stream, frame)])
            alone[-1].append(stream.speech_prob)
    streams = [activity.open() for _ in sounds]
    together: list[list[float]] = [[] for _ in sounds]
    for tick in range(max(map(len, sounds))):
        here = [index for index, frames in enumerate(sounds) if tick < len(frames)]
        activity.process([(streams[index], sounds[index][tick]) for index in here])
        for index in here:
            together[index].append(streams[index].speech_prob)
    for one, other in zip(alone, together, strict=True):
        assert other == pytest.approx(one, abs=1e-4)


def test_pieces_longer_than_a_frame_count_every_window(activity):
    stream = activity.open()
    activity.process([(stream, speech(HELLO)[:16_000])])
    assert stream.speaking


def test_hysteresis_needs_time_to_start_and_to_stop():
    stream = VadStream(None, 30, Hysteresis(enter=0.5, leave=0.3, start_ms=90, stop_ms=120))
    script = [0.6, 0.6, 0.1, 0.6, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1, 0.1]
    found = [stream.judge(probability) for probability in script]
    assert [each for each in found if each] == [VoiceChange(True, 90), VoiceChange(False, 420)]
    assert found[5] == VoiceChange(True, 90)
    assert found[17] == VoiceChange(False, 420)


def test_webrtc_is_there_behind_the_same_interface():
    activity = VoiceActivity("webrtc")
    found = changes(activity, silence(1000) + speech(HELLO) + silence(1500))
    assert found[0].speaking
    assert found[0].at_ms == pytest.approx(1000, abs=250)
    assert not found[-1].speaking


def test_the_model_is_found_without_importing_pipecat():
    code = "import sys, voicebot.audio.vad as v; v.VoiceActivity(); sys.exit('pipecat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_model_says_what_to_install(monkeypatch):
    monkeypatch.setattr(silero, "find_spec", lambda name: None)
    with pytest.raises(ModelMissingError, match="pip install pipecat-ai"):
        SileroScorer()
