"""Sound, chain and journal of a bundle against each other."""

from __future__ import annotations

import array
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from voicebot.evidence.format import (
    CONSULT,
    FACT,
    HEADER,
    SECOND,
    SPELLINGS,
    TICK_BYTES,
    TICKS_PER_SECOND,
    Spell,
    figures,
    link,
    wav_header,
)
from voicebot.evidence.spelling import canonical
from voicebot.evidence.tampering import journal_pattern, sound_pattern

Failure = tuple[str, str]
Redacted = frozenset[tuple[str, int]]
"""Channels and seconds whose sound was taken out."""
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
NOTHING: Redacted = frozenset()


def split_lines(data: bytes) -> list[bytes]:
    """Whole lines of a file; ValueError when the last one is torn."""
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise ValueError("the last line is torn")
    return lines


def read_header(line: bytes) -> tuple[dict[str, Any], bytes]:
    """First line of chain.jsonl and the hash from which both chains start; ValueError if it was altered."""
    header = json.loads(line)
    if not isinstance(header, dict) or header.get("format") not in SPELLINGS:
        raise ValueError("the header is of no known format")
    spell = SPELLINGS[header["format"]]
    if spell(header) != line:
        raise ValueError("the header is not canonical")
    start = bytes.fromhex(header.pop("hash"))
    if link(HEADER, bytes(32), header, spell) != start:
        raise ValueError("the header was altered")
    return header, start


def _follows(row: dict[str, Any], line: bytes, tag: bytes, previous: bytes, spell: Spell) -> bool:
    body = {name: value for name, value in row.items() if name != "hash"}
    return spell(row) == line and link(tag, previous, body, spell).hex() == row["hash"]


def check_fact(
    line: bytes, number: int, previous: bytes, spell: Spell = canonical, redacted: bool = False
) -> tuple[bytes, str | None]:
    """The hash that journal line `number` states, and what is wrong with the line (None: nothing).

    `redacted`: lines may have been taken out, all but their place and their hash.
    """
    row = json.loads(line)
    stated = bytes.fromhex(row["hash"])
    taken_out = redacted and set(row) == {"hash", "ms", "redacted", "seq"} and spell(row) == line
    if row["seq"] == number and (taken_out or _follows(row, line, FACT, previous, spell)):
        return stated, None
    return stated, f"line {number + 1} does not follow from the one before"


def check_second(
    line: bytes,
    number: int,
    previous: bytes,
    pcm: bytes,
    third: bytes = b"",
    spell: Spell = canonical,
    redacted: Redacted = NOTHING,
) -> tuple[bytes, list[Failure]]:
    """The hash that row `number` of the chain states, and what is wrong with it or with its sound.

    `pcm` is stereo, `third` the sound of a consulted leg where the row has one.
    """
    row = json.loads(line)
    failures: list[Failure] = []
    if row["second"] != number or not _follows(row, line, SECOND, previous, spell):
        failures.append(("chain_broken", f"second {number} does not follow from the one before"))
    samples = array.array("H", pcm[: len(pcm) // 4 * 4])
    sides = {"left": samples[0::2].tobytes(), "right": samples[1::2].tobytes()}
    if "third" in row:
        sides["third"] = third
    for side, sound in sides.items():
        if (side, number) in redacted:
            if sound.strip(b"\0"):
                failures.append(("redaction_bad", f"second {number}, {side} channel holds sound, though taken out"))
        elif hashlib.sha256(sound).hexdigest() != row[side]:
            failures.append(("audio_altered", f"second {number}, {side} channel"))
    gaps = int(row["gap"], 16) | int(row.get("third_gap", "0"), 16)
    if not 0 <= row["ticks"] <= TICKS_PER_SECOND or gaps >> row["ticks"]:
        failures.append(("chain_broken", f"second {number} has impossible figures"))
    return bytes.fromhex(row["hash"]), failures


def _check_journal(data: bytes, start: bytes, spell: Spell, redacted: bool) -> tuple[list[str], list[Failure]]:
    """Heads after 0, 1, 2 … lines, and failures."""
    heads, failures = [start.hex()], []
    ms = 0
    for number, line in enumerate(split_lines(data)):
        try:
            stated, wrong = check_fact(line, number, bytes.fromhex(heads[-1]), spell, redacted)
            later = int(json.loads(line)["ms"])
            if wrong is None and later < ms:
                wrong = f"line {number + 1} runs back in time"
            ms = max(ms, later)
        except UNREADABLE:
            stated, wrong = bytes(32), f"line {number + 1} cannot be read"
        heads.append(stated.hex())
        if wrong:
            failures.append(("journal_broken", wrong))
    return heads, failures


class _Sounds:
    """Cuts audio.wav and consult.wav as the rows of the chain say."""

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self.stereo, self.third = members["audio.wav"], members.get(CONSULT, b"")
        self.at = self.third_at = 44

    def take(self, row: Mapping[str, Any]) -> tuple[bytes, bytes]:
        width = row["ticks"] * TICK_BYTES
        third_width = width if "third" in row else 0
        pcm = self.stereo[self.at : self.at + 2 * width]
        third = self.third[self.third_at : self.third_at + third_width]
        self.at, self.third_at = self.at + 2 * width, self.third_at + third_width
        return pcm, third

    def check_ends(self) -> list[Failure]:
        failures = []
        files = [("audio.wav", self.stereo, self.at, 2)]
        if self.third or self.third_at > 44:
            files.append((CONSULT, self.third, self.third_at, 1))
        for name, wav, at, channels in files:
            if len(wav) != at:
                failures.append(("audio_length", f"{name} holds {len(wav) - 44} bytes of sound, chain: {at - 44}"))
            if wav[:44] != wav_header(len(wav) - 44, channels):
                failures.append(("audio_header", f"the header of {name} was altered"))
        return failures


def _check_chain(
    members: Mapping[str, bytes], lines: Sequence[bytes], start: bytes, heads: Sequence[str], spell: Spell,
    redacted: Redacted,
) -> list[Failure]:  # fmt: skip
    """Rows against the sound and against the journal whose `heads` are given."""
    sounds, previous, ticks, known = _Sounds(members), start, 0, 0
    failures: list[Failure] = []
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
            pcm, third = sounds.take(row)
            previous, wrong = check_second(line, number, previous, pcm, third, spell, redacted)
            failures += wrong
            if not known <= row["lines"] < len(heads) or heads[row["lines"]] != row["journal"]:
                failures.append(("journal_broken", f"the journal is not the one that second {number} saw"))
            if row["ticks"] and ticks % TICKS_PER_SECOND:
                failures.append(("chain_broken", f"second {number} follows one that is not full"))
            ticks, known = ticks + row["ticks"], row["lines"]
        except UNREADABLE:
            failures.append(("chain_broken", f"second {number} cannot be read"))
            break
    if known != len(heads) - 1:
        failures.append(("journal_broken", "the journal holds more lines than the chain has seen"))
    return failures + sounds.check_ends()


def check_content(members: Mapping[str, bytes], manifest: Mapping[str, Any], redacted: Redacted) -> list[Failure]:
    """Reasons not to believe sound, chain and journal, and by what pattern they were changed."""
    lines = split_lines(members["chain.jsonl"])
    header, start = read_header(lines[0])
    spell = SPELLINGS[header["format"]]
    heads, failures = _check_journal(members["journal.jsonl"], start, spell, bool(redacted))
    failures += _check_chain(members, lines[1:], start, heads, spell, redacted)
    if failures:
        failures += journal_pattern(members["journal.jsonl"], lines[1:], start, spell)
        failures += sound_pattern(members["audio.wav"], lines[1:])
    if header["call_id"] != manifest["call_id"]:
        failures.append(("replayed", f"the manifest is that of call {manifest['call_id']}, not of {header['call_id']}"))
    return failures + _check_figures(members, manifest, header, lines, heads)


def _check_figures(
    members: Mapping[str, bytes], manifest: Mapping[str, Any], header: Mapping[str, Any], lines: Sequence[bytes],
    heads: Sequence[str],
) -> list[Failure]:  # fmt: skip
    last = json.loads(lines[-1])
    told = {name: manifest[name] for name in ("format", "call_id", "started_at", "environment")}
    found = {name: header[name] for name in told}
    told |= {name: manifest[name] for name in ("chain", "journal", "audio")}
    found |= figures(last["hash"], len(lines) - 1, heads[-1], len(heads) - 1, len(members["audio.wav"]) - 44)
    if told != found:
        return [("manifest_figures", "the manifest states other figures than the files hold")]
    return []
