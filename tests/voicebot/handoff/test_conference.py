"""Conference: who hears whom, whatever is said and whatever their parts; nothing lost, nothing wrapped around."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicebot.audio.frames import SILENCE
from voicebot.handoff.audibility import SUPERVISING, Floor, Part, hears
from voicebot.handoff.conference import Conference, Party
from voicebot.handoff.hold import HoldLoop
from voicebot.handoff.levels import LOUD_RMS, QUIET_RMS, LevelControl, Mixer

PEOPLE = [part for part in Part if part is not Part.BOT]
parts = st.sampled_from(PEOPLE)
floors = st.builds(Floor, held=st.booleans(), three_way=st.booleans())


def voice(number: int) -> bytes:
    """A frame that can be told from all others, of speech at a usual level."""
    t = np.arange(160) / 8000
    return (2500 * np.sin(2 * np.pi * (300 + 110 * number) * t)).astype("<i2").tobytes()


def rms(frame: bytes) -> float:
    samples = np.frombuffer(frame, "<i2").astype(float)
    return float(np.sqrt(np.mean(samples * samples)))


@given(listener=parts, speaker=parts, floor=floors)
def test_the_table_keeps_secrets(listener: Part, speaker: Part, floor: Floor) -> None:
    audible = hears(listener, speaker, floor)
    if speaker in (Part.LISTENER, Part.BRIEFED) or listener is Part.BRIEFED:
        assert not audible
    if speaker is Part.WHISPERER:
        assert audible == (listener is Part.AGENT)
    if listener is Part.DEBTOR and (floor.held or speaker is Part.CONSULT):
        assert audible == (floor.three_way and not floor.held and speaker is Part.CONSULT) or speaker is Part.BOT
    if Part.CONSULT in (listener, speaker) and listener not in SUPERVISING and not floor.three_way:
        assert audible <= (Part.AGENT in (listener, speaker))


@given(
    others=st.lists(parts.filter(lambda part: part is not Part.DEBTOR), max_size=4),
    floor=floors,
    order=st.randoms(use_true_random=False),
)
def test_everybody_hears_exactly_whom_the_table_says_and_never_themselves(
    others: list[Part], floor: Floor, order: random.Random
) -> None:
    room = Conference()
    room.floor = floor
    everybody = [room.debtor, *(room.join(part, str(number)) for number, part in enumerate(others))]
    turns = list(everybody)
    order.shuffle(turns)
    spoken = {party: voice(number) for number, party in enumerate(everybody)}
    heard: dict[Party, bytes | None] = {}
    for tick in range(4):
        heard = {party: party.exchange(spoken[party], tick) for party in turns}
    for party in everybody:
        audible = [spoken[one] for one in everybody if one is not party and hears(party.part, one.part, floor)]
        expected = sum((np.frombuffer(frame, "<i2").astype(int) for frame in audible), start=np.zeros(160, int))
        got = np.frombuffer(heard[party] or SILENCE, "<i2").astype(int)
        assert (heard[party] is None) == (not audible)
        assert np.max(np.abs(got - expected)) <= 1


def test_sound_arrives_in_the_same_tick_or_the_next() -> None:
    room = Conference()
    agent = room.join(Part.AGENT, "a")
    for tick in range(200):  # the debtor's leg has its turn first
        heard = room.debtor.exchange(voice(tick % 9), tick)
        assert agent.exchange(voice(tick % 7), tick) == voice(tick % 9)
        assert heard == (voice((tick - 1) % 7) if tick else None)


def test_what_was_whispered_just_before_a_change_of_parts_is_not_heard_by_the_debtor_after_it() -> None:
    room = Conference()
    agent, supervisor = room.join(Part.AGENT, "a"), room.join(Part.WHISPERER, "s")
    supervisor.exchange(voice(1), 0)
    supervisor.part = Part.BARGER
    assert room.debtor.exchange(SILENCE, 0) is None
    supervisor.exchange(voice(2), 1)
    assert room.debtor.exchange(SILENCE, 1) == voice(2)
    room.floor = Floor(held=True)
    agent.exchange(voice(3), 2)
    room.floor = Floor()
    assert room.debtor.exchange(SILENCE, 2) is None, "what the agent said while the debtor was on hold came through"


def test_on_hold_the_debtor_hears_music_and_the_agent_nothing_of_them() -> None:
    room = Conference()
    agent = room.join(Part.AGENT, "a")
    room.floor, room.debtor.music = Floor(held=True), HoldLoop().next
    frames = [room.debtor.exchange(voice(1), tick) for tick in range(100)]
    assert sum(frame != SILENCE for frame in frames) > 60
    assert agent.exchange(voice(2), 100) is None


def test_a_briefing_is_heard_by_the_agent_alone_and_counted() -> None:
    room = Conference()
    agent = room.join(Part.BRIEFED, "a")
    agent.play(voice(1) + voice(2)[:100])
    assert not agent.played.is_set()
    assert agent.exchange(SILENCE, 0) == voice(1)
    assert room.debtor.exchange(voice(5), 0) is None
    assert agent.exchange(SILENCE, 1) == voice(2)[:100].ljust(320, b"\0")
    assert agent.played.is_set() and agent.heard_ms == 40
    assert agent.exchange(SILENCE, 2) is None


@given(levels=st.lists(st.floats(0, 32767), min_size=1, max_size=5))
def test_a_sum_is_never_wrapped_around(levels: list[float]) -> None:
    mix = Mixer()
    t = np.arange(160) / 8000
    waves = [level * np.sin(2 * np.pi * 400 * t) for level in levels]
    for _ in range(5):
        out = np.frombuffer(mix([wave.astype("<i2").tobytes() for wave in waves]) or SILENCE, "<i2").astype(float)
    exact = np.sum(waves, axis=0)
    loud = np.abs(exact) > 200
    assert np.all(np.sign(out[loud]) == np.sign(exact[loud]))
    assert np.max(np.abs(out)) <= min(32767, np.max(np.abs(exact)) + len(levels))


def test_the_limiter_lets_go_again() -> None:
    mix = Mixer()
    loud = (30000 * np.ones(160)).astype("<i2").tobytes()
    mix([loud, loud])
    for _ in range(40):
        mix([voice(1), SILENCE])
    assert mix([voice(1)]) == voice(1)


def test_levels_are_brought_nearer_and_usual_ones_left_alone() -> None:
    for scale, low, high in ((0.12, QUIET_RMS * 0.8, QUIET_RMS * 1.1), (4.0, LOUD_RMS * 0.8, LOUD_RMS * 1.1)):
        level, frame = LevelControl(), (np.frombuffer(voice(1), "<i2") * scale).astype("<i2").tobytes()
        outs = [rms(level(frame)) for _ in range(150)]
        assert low <= outs[-1] <= high
        steps = [after / before for before, after in pairwise(outs)]
        assert max(steps) < 1.05 and min(steps) > 0.95, "the level jumps"
    assert LevelControl()(voice(1)) is not None and LevelControl()(voice(1)) == voice(1)


def test_noise_between_words_is_not_made_loud() -> None:
    level = LevelControl()
    noise = (np.random.default_rng(1).normal(0, 60, 160)).astype("<i2").tobytes()
    assert all(level(noise) == noise for _ in range(200))
