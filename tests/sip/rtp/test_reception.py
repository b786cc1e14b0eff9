"""Reception statistics (RFC 3550 appendix A)."""

import pytest

from sip.rtp import Reception


def test_loss_is_counted_across_the_wrap_of_sequence_numbers():
    reception = Reception()
    for sequence in range(65500, 65500 + 100):
        if sequence % 10:
            reception.note(1, sequence & 0xFFFF)
    assert (reception.received, reception.lost) == (90, 9)  # the first one is not known to be missing


def test_duplicates_are_told_and_not_counted_as_received():
    reception = Reception()
    fresh = [reception.note(1, sequence) for sequence in (10, 11, 11, 13, 12, 13, 10)]
    assert fresh == [True, True, False, True, True, False, False]
    assert (reception.received, reception.duplicates, reception.lost) == (4, 3, 0)


def test_a_restarted_sender_is_not_thirty_thousand_lost_packets():
    reception = Reception()
    for sequence in (1, 2, 4, 40_000, 40_001):
        assert reception.note(1, sequence)
    assert (reception.received, reception.lost) == (5, 1)
    assert reception.note(2, 7)
    assert reception.lost == 1


def test_jitter_follows_the_formula_of_appendix_a8():
    reception = Reception()
    expected, before = 0.0, None
    for index, wobble in enumerate([0, 40, 0, 24, 8, 80, 0]):
        reception.time(160 * index, (160 * index + wobble) / 8000)
        if before is not None:
            expected += (abs(wobble - before) - expected) / 16
        before = wobble
    assert reception.jitter_ms == pytest.approx(expected / 8)


def test_a_report_tells_the_loss_since_the_last_one():
    reception = Reception()
    assert reception.report() is None
    for sequence in range(100):
        reception.note(5, sequence)
    first = reception.report()
    for sequence in range(100, 200, 2):
        reception.note(5, sequence)
    second = reception.report()
    assert first is not None and second is not None
    assert (first.fraction_lost, first.cumulative_lost, first.highest_sequence) == (0, 0, 99)
    assert (second.ssrc, second.cumulative_lost, second.highest_sequence) == (5, 49, 198)
    assert second.fraction_lost == 49 * 256 // 99
