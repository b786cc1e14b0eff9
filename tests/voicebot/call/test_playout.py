"""Playout: what leaves the line, in what order, and how much of it was heard."""

from hypothesis import given
from hypothesis import strategies as st

from voicebot.call.playout import Began, Finished, Playout, Utterance


def utterance(name: str, *, interruptible: bool = True, answers: int | None = None) -> Utterance:
    return Utterance(name, name, "node", interruptible, answers)


def drain(playout: Playout, ticks: int, start: int = 0) -> list[bytes | None]:
    return [playout.next(start + tick) for tick in range(ticks)]


def test_sound_leaves_in_frames_and_the_last_is_filled_up() -> None:
    playout = Playout()
    playout.add(utterance("a"))
    playout.sound("a", b"\x01\x00" * 200, True)
    first, second, third = drain(playout, 3)
    assert first == b"\x01\x00" * 160
    assert second == b"\x01\x00" * 40 + bytes(240)
    assert third is None
    began, finished = playout.changes()
    assert isinstance(began, Began) and began.tick == 0
    assert isinstance(finished, Finished)
    assert (finished.heard_ms, finished.total_ms, finished.interrupted) == (25, 25, False)
    assert finished.heard_samples == 200


def test_an_utterance_waits_for_its_sound_and_does_not_stutter() -> None:
    playout = Playout()
    playout.add(utterance("a"))
    playout.sound("a", bytes(100), False)
    assert drain(playout, 2) == [None, None]
    playout.sound("a", bytes(300), True)
    assert drain(playout, 3)[:2] == [bytes(320), bytes(320)]


def test_an_empty_utterance_is_over_at_once_and_the_next_plays() -> None:
    playout = Playout()
    playout.add(utterance("a"))
    playout.add(utterance("b"))
    playout.sound("a", b"", True)
    playout.sound("b", bytes(320), True)
    assert playout.next(0) == bytes(320)
    assert [change.utterance.id for change in playout.changes() if isinstance(change, Finished)] == ["a", "b"]


def test_a_flush_reports_what_was_heard_to_the_sample() -> None:
    playout = Playout()
    playout.add(utterance("a"))
    playout.add(utterance("b"))
    playout.sound("a", bytes(3200), True)
    drain(playout, 3)
    playout.flush()
    finished = [change for change in playout.changes() if isinstance(change, Finished)]
    assert [(f.utterance.id, f.heard_ms, f.total_ms, f.interrupted) for f in finished] == [
        ("a", 60, 200, True),
        ("b", 0, 0, True),
    ]
    assert playout.idle
    assert playout.sound("a", bytes(320), True) is False


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8), st.integers(1, 60))
def test_nothing_is_lost_or_invented(samples: list[int], ticks: int) -> None:
    playout = Playout()
    for number, count in enumerate(samples):
        playout.add(utterance(str(number)))
        playout.sound(str(number), bytes([number + 1, 0]) * count, True)
    drain(playout, ticks)
    playout.flush()
    finished = [change for change in playout.changes() if isinstance(change, Finished)]
    assert [f.utterance.id for f in finished] == [str(number) for number in range(len(samples))]
    for one, count in zip(finished, samples, strict=True):
        assert one.total_ms == count // 8
        assert one.heard_ms <= one.total_ms
        assert one.interrupted or one.heard_ms == one.total_ms
