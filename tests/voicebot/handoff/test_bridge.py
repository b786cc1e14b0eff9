"""The bridge: each side hears the other, a clock that runs ahead costs the oldest frame, never growing delay."""

from voicebot.handoff.bridge import Bridge, Monologue
from voicebot.handoff.hold import HoldLoop, hold_sound


def frame(number: int) -> bytes:
    return bytes([number]) * 320


def test_each_side_hears_the_other() -> None:
    bridge = Bridge()
    assert bridge.from_callee(frame(1)) is None
    assert bridge.exchange(frame(101), 0) == frame(1)
    assert bridge.from_callee(frame(2)) == frame(101)
    assert bridge.exchange(frame(102), 1) == frame(2)


def test_delay_never_grows_beyond_three_frames() -> None:
    bridge = Bridge()
    for number in range(100):
        bridge.from_callee(frame(number))
    heard = [bridge.exchange(frame(0), tick) for tick in range(4)]
    assert heard == [frame(97), frame(98), frame(99), None]


def test_a_monologue_ends_only_after_its_last_frame_has_left() -> None:
    monologue = Monologue(bytes(400))
    assert [monologue.exchange(frame(0), tick) for tick in range(2)] == [bytes(320), bytes(320)]
    assert not monologue.played.is_set()
    assert monologue.exchange(frame(0), 2) is None
    assert monologue.played.is_set()


def test_waiting_never_sounds_like_a_dead_line_and_never_shouts() -> None:
    loop = HoldLoop()
    frames = [loop.next() for _ in range(len(hold_sound()) // 320 * 2 + 5)]
    assert all(len(one) == 320 for one in frames)
    loud = [max(abs(sample) for sample in memoryview(one).cast("h")) for one in frames]
    assert max(loud) < 4000
    quiet = longest = 0
    for level in loud:
        quiet = quiet + 1 if level < 20 else 0
        longest = max(longest, quiet)
    assert longest * 20 <= 2000
