"""The call to ourselves: heard over real SIP and RTP, and not heard where a side is deaf."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.doctor import loop_call
from voicebot.doctor.finding import Health
from voicebot.doctor.loop_call import ANSWERED_HZ, ASKED_HZ, LoopCall, Tone, audio_path, ring_ourselves


async def test_both_sides_hear_each_other_over_the_loopback() -> None:
    call = await ring_ourselves()
    assert call.is_heard and call.there > 0.5 and call.back > 0.5 and call.ticks > 20


def test_only_the_right_tone_counts() -> None:
    port = Tone(ASKED_HZ)
    time = np.arange(8000) / 8000
    sound = (8000 * np.sin(2 * np.pi * ANSWERED_HZ * time)).astype("<i2").tobytes()
    for start in range(0, len(sound), 320):
        port.exchange(sound[start : start + 320], start)
    assert port.share_of(ANSWERED_HZ) > 0.95 and port.share_of(ASKED_HZ) < 0.05


def test_silence_and_noise_are_no_tone() -> None:
    silent, noisy = Tone(ASKED_HZ), Tone(ASKED_HZ)
    noise = np.random.default_rng(1).integers(-8000, 8000, 8000).astype("<i2").tobytes()
    for start in range(0, len(noise), 320):
        silent.exchange(bytes(320), start)
        noisy.exchange(noise[start : start + 320], start)
    assert silent.share_of(ANSWERED_HZ) == 0.0 and noisy.share_of(ANSWERED_HZ) < 0.1


@pytest.mark.parametrize(
    ("call", "health"),
    [
        (LoopCall(0.9, 0.9, 0, 60), Health.OK),
        (LoopCall(0.9, 0.0, 0, 60), Health.FAIL),
        (LoopCall(0.0, 0.9, 0, 60), Health.FAIL),
        (LoopCall(0.9, 0.9, 30, 60), Health.WARN),
        (TimeoutError(), Health.FAIL),
        (OSError("no ports"), Health.FAIL),
    ],
)
async def test_what_is_said_of_it(
    monkeypatch: pytest.MonkeyPatch, call: LoopCall | Exception, health: Health
) -> None:
    async def rang() -> LoopCall:
        if isinstance(call, Exception):
            raise call
        return call

    monkeypatch.setattr(loop_call, "ring_ourselves", rang)
    found = await audio_path()
    assert found.health is health and bool(found.remedy) == (health is not Health.OK)
