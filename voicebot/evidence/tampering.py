"""By what pattern sound or journal were changed: cut, spliced, swapped, put in another order, re-sampled.

Called once something does not fit; each pattern has a code of its own, beside those that say what does not fit.
"""

from __future__ import annotations

import array
import hashlib
import json
import struct
from collections.abc import Sequence

from voicebot.evidence.format import FACT, RATE, TICK_BYTES, Spell, link

Patterns = list[tuple[str, str]]
_SECOND = 50 * TICK_BYTES * 2
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, struct.error)


def journal_pattern(data: bytes, rows: Sequence[bytes], start: bytes, spell: Spell) -> Patterns:
    """What was done to the journal, as far as its lines still tell."""
    try:
        lines = [json.loads(line) for line in data.splitlines()]
        numbers = [line["seq"] for line in lines]
        known = max((json.loads(row)["lines"] for row in rows), default=0)
        if lines and _whole_but_foreign(lines, start, spell):
            return [("spliced", "journal.jsonl follows the beginning of another call")]
    except _MALFORMED:
        return []
    if numbers != sorted(numbers) and sorted(set(numbers)) == sorted(numbers):
        return [("journal_reordered", "the lines of journal.jsonl stand in another order")]
    if len(numbers) != len(set(numbers)):
        return [("journal_repeated", "a line of journal.jsonl stands more than once")]
    if len(lines) < known:
        return [("journal_cut", f"journal.jsonl holds {len(lines)} of {known} lines")]
    return []


def _whole_but_foreign(lines: Sequence[dict[str, object]], start: bytes, spell: Spell) -> bool:
    """Each line follows from the one before, only the first does not follow from this call's header."""
    heads = [bytes.fromhex(str(line["hash"])) for line in lines]
    bodies = [{name: value for name, value in line.items() if name != "hash"} for line in lines]
    if link(FACT, start, bodies[0], spell) == heads[0] or len(lines) < 2:
        return False
    return all(link(FACT, heads[at - 1], bodies[at], spell) == heads[at] for at in range(1, len(lines)))


def sound_pattern(wav: bytes, rows: Sequence[bytes]) -> Patterns:
    """What was done to audio.wav as a whole."""
    try:
        told = [json.loads(row) for row in rows]
        wanted = [(row["left"], row["right"]) for row in told if row["ticks"]]
        expected = sum(row["ticks"] for row in told) * TICK_BYTES * 2
        if _says_other_rate(wav):
            return [("audio_resampled", "audio.wav says that it has another rate, width or number of channels")]
    except _MALFORMED:
        return []
    found = [_sides(wav[at : at + _SECOND]) for at in range(44, len(wav), _SECOND)]
    if found == wanted:
        return []
    if found == [(right, left) for left, right in wanted]:
        return [("channels_swapped", "left and right of audio.wav are exchanged")]
    if sorted(found) == sorted(wanted):
        return [("audio_reordered", "the seconds of audio.wav stand in another order")]
    return _by_length(len(wav) - 44, expected, found, wanted)


def _by_length(
    size: int, expected: int, found: Sequence[tuple[str, str]], wanted: Sequence[tuple[str, str]]
) -> Patterns:
    kept = len(set(found) & set(wanted))
    if size and expected and size != expected and not kept and (size * 2 == expected or size == expected * 2):
        return [("audio_resampled", f"audio.wav is {size / expected:g} times as long, and no second is the same")]
    if size < expected:
        return [("audio_cut", f"{expected - size} bytes of sound were cut away")]
    if size > expected:
        return [("audio_spliced", f"{size - expected} bytes of sound were put in")]
    if (kept and len(found) - kept > 1) or (len(found) > 1 and not kept):
        return [("audio_spliced", f"{len(found) - kept} seconds of sound were put in the place of others")]
    return []


def _says_other_rate(wav: bytes) -> bool:
    """A well-formed header of another sound format than ours."""
    if wav[:4] != b"RIFF" or wav[8:16] != b"WAVEfmt ":
        return False
    kind, channels, rate, bytes_per_second, _, bits = struct.unpack_from("<HHIIHH", wav, 20)
    others = (kind != 1, channels != 2, rate != RATE, bytes_per_second != RATE * 4, bits != 16)
    return sum(others) > 1 or (rate != RATE and rate in (6000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000))


def _sides(pcm: bytes) -> tuple[str, str]:
    samples = array.array("H", pcm[: len(pcm) // 4 * 4])
    return hashlib.sha256(samples[0::2].tobytes()).hexdigest(), hashlib.sha256(samples[1::2].tobytes()).hexdigest()
