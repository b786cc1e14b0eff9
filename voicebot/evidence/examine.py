#!/usr/bin/env python3
"""What makes a bundle valid. Travels in every bundle as `verify.py`, joined with the modules it imports.

Standard library only, offline, no secret.
Usage: python verify.py [BUNDLE.zip | FOLDER]... [--json] [--key PUBLIC_KEY_HEX]     exit status 0: all valid
"""

from __future__ import annotations

import array
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from voicebot.evidence.ed25519 import ed25519_verify
from voicebot.evidence.format import (
    FACT,
    FORMAT,
    HEADER,
    MEMBERS,
    SECOND,
    SIGNED,
    TICK_BYTES,
    TICKS_PER_SECOND,
    canonical,
    figures,
    key_id,
    link,
    wav_header,
)
from voicebot.evidence.stored_zip import unzip

Failure = tuple[str, str]
Verify = Callable[[bytes, bytes, bytes], bool]


def _document(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    value = json.loads(members[name])
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise ValueError("the last line is torn")
    return lines


def _check_names(members: Mapping[str, bytes]) -> list[Failure]:
    missing = [("file_missing", name) for name in MEMBERS if name not in members]
    return missing + [("file_extra", name) for name in sorted(members) if name not in MEMBERS]


def _check_manifest(members: Mapping[str, bytes]) -> list[Failure]:
    manifest = _document(members, "manifest.json")
    failures: list[Failure] = []
    if canonical(manifest) != members["manifest.json"]:
        failures.append(("manifest_not_canonical", "manifest.json is not in canonical form"))
    if manifest["format"] != FORMAT:
        failures.append(("manifest_format", f"this verifier reads {FORMAT}, not {manifest['format']!r}"))
    if sorted(manifest["files"]) != sorted(SIGNED):
        failures.append(("manifest_files", "manifest.json does not list exactly the files of a bundle"))
    return failures


def _check_signature(members: Mapping[str, bytes], trusted: str | None, verify: Verify) -> list[Failure]:
    key = _document(members, "key.json")
    public = bytes.fromhex(key["public_key"])
    failures: list[Failure] = []
    if key["key_id"] != key_id(public) or _document(members, "manifest.json")["key_id"] != key["key_id"]:
        failures.append(("key_mismatch", "key.json is not the key that the manifest names"))
    if trusted is not None and trusted.lower() != public.hex():
        failures.append(("key_untrusted", f"signed with {public.hex()}, not with the trusted key"))
    if not verify(public, members["manifest.json"], members["manifest.sig"]):
        failures.append(("signature_bad", "manifest.sig does not fit manifest.json and key.json"))
    return failures


def _check_hashes(members: Mapping[str, bytes]) -> list[Failure]:
    failures: list[Failure] = []
    for name, entry in sorted(_document(members, "manifest.json")["files"].items()):
        body = members.get(name)
        signed = (entry["size"], entry["sha256"])
        if body is not None and (len(body), hashlib.sha256(body).hexdigest()) != signed:
            failures.append(("hash_mismatch", f"{name} is not the file that was signed"))
    return failures


def read_header(line: bytes) -> tuple[dict[str, Any], bytes]:
    """First line of chain.jsonl and the hash from which both chains start; ValueError if it was altered."""
    header = json.loads(line)
    if not isinstance(header, dict) or canonical(header) != line:
        raise ValueError("the header is not canonical")
    start = bytes.fromhex(header.pop("hash"))
    if header["format"] != FORMAT or link(HEADER, bytes(32), header) != start:
        raise ValueError("the header was altered")
    return header, start


def _follows(row: dict[str, Any], line: bytes, tag: bytes, previous: bytes) -> bool:
    body = {name: value for name, value in row.items() if name != "hash"}
    return canonical(row) == line and link(tag, previous, body).hex() == row["hash"]


def check_fact(line: bytes, number: int, previous: bytes) -> tuple[bytes, str | None]:
    """The hash that journal line `number` states, and what is wrong with the line (None: nothing)."""
    row = json.loads(line)
    stated = bytes.fromhex(row["hash"])
    if row["seq"] == number and _follows(row, line, FACT, previous):
        return stated, None
    return stated, f"line {number + 1} does not follow from the one before"


def check_second(line: bytes, number: int, previous: bytes, pcm: bytes) -> tuple[bytes, list[Failure]]:
    """The hash that row `number` of the chain states, and what is wrong with it or with its stereo `pcm`."""
    row = json.loads(line)
    failures: list[Failure] = []
    if row["second"] != number or not _follows(row, line, SECOND, previous):
        failures.append(("chain_broken", f"second {number} does not follow from the one before"))
    samples = array.array("H", pcm[: len(pcm) // 4 * 4])
    for side, offset in (("left", 0), ("right", 1)):
        if hashlib.sha256(samples[offset::2].tobytes()).hexdigest() != row[side]:
            failures.append(("audio_altered", f"second {number}, {side} channel"))
    if not 0 <= row["ticks"] <= TICKS_PER_SECOND or int(row["gap"], 16) >> row["ticks"]:
        failures.append(("chain_broken", f"second {number} has impossible figures"))
    return bytes.fromhex(row["hash"]), failures


def _check_journal(members: Mapping[str, bytes], start: bytes) -> tuple[list[str], list[Failure]]:
    """Heads after 0, 1, 2 … lines, and failures."""
    heads, failures = [start.hex()], []
    ms = 0
    for number, line in enumerate(_lines(members["journal.jsonl"])):
        try:
            stated, wrong = check_fact(line, number, bytes.fromhex(heads[-1]))
            later = int(json.loads(line)["ms"])
            if wrong is None and later < ms:
                wrong = f"line {number + 1} runs back in time"
            ms = max(ms, later)
        except _UNREADABLE:
            stated, wrong = bytes(32), f"line {number + 1} cannot be read"
        heads.append(stated.hex())
        if wrong:
            failures.append(("journal_broken", wrong))
    return heads, failures


def _check_chain(wav: bytes, lines: list[bytes], start: bytes, heads: list[str]) -> list[Failure]:
    """Rows against the sound and against the journal whose `heads` are given."""
    pcm, previous, ticks, known = wav[44:], start, 0, 0
    failures: list[Failure] = []
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
            width = row["ticks"] * TICK_BYTES * 2
            at = ticks * TICK_BYTES * 2
            previous, wrong = check_second(line, number, previous, pcm[at : at + width])
            failures += wrong
            if not known <= row["lines"] < len(heads) or heads[row["lines"]] != row["journal"]:
                failures.append(("journal_broken", f"the journal is not the one that second {number} saw"))
            if row["ticks"] and ticks % TICKS_PER_SECOND:
                failures.append(("chain_broken", f"second {number} follows one that is not full"))
            ticks, known = ticks + row["ticks"], row["lines"]
        except _UNREADABLE:
            failures.append(("chain_broken", f"second {number} cannot be read"))
            break
    if known != len(heads) - 1:
        failures.append(("journal_broken", "the journal holds more lines than the chain has seen"))
    if len(pcm) != ticks * TICK_BYTES * 2:
        failures.append(("audio_length", f"{len(pcm)} bytes of sound, chain: {ticks * TICK_BYTES * 2}"))
    if wav[:44] != wav_header(len(pcm)):
        failures.append(("audio_header", "the header of audio.wav was altered"))
    return failures


def _check_content(members: Mapping[str, bytes]) -> list[Failure]:
    lines = _lines(members["chain.jsonl"])
    header, start = read_header(lines[0])
    heads, failures = _check_journal(members, start)
    failures += _check_chain(members["audio.wav"], lines[1:], start, heads)
    manifest = _document(members, "manifest.json")
    last = json.loads(lines[-1])
    told = {name: manifest[name] for name in ("call_id", "started_at", "environment")}
    found = {name: header[name] for name in told}
    told |= {name: manifest[name] for name in ("chain", "journal", "audio")}
    found |= figures(last["hash"], len(lines) - 1, heads[-1], len(heads) - 1, len(members["audio.wav"]) - 44)
    if told != found:
        failures.append(("manifest_figures", "the manifest states other figures than the files hold"))
    return failures


_UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def examine(
    members: Mapping[str, bytes], trusted: str | None = None, verify: Verify = ed25519_verify
) -> list[Failure]:
    """Reasons not to believe these members; none means valid. Any bytes give an answer, never an error."""
    failures = _check_names(members)
    steps: tuple[tuple[str, str, Callable[[], list[Failure]]], ...] = (
        ("manifest_unreadable", "manifest.json cannot be read", lambda: _check_manifest(members)),
        ("signature_bad", "the signature cannot be read", lambda: _check_signature(members, trusted, verify)),
        ("hash_mismatch", "the manifest's list of files cannot be read", lambda: _check_hashes(members)),
        ("content_unreadable", "audio, chain or journal cannot be read", lambda: _check_content(members)),
    )
    for code, what, step in steps:
        try:
            failures += step()
        except _UNREADABLE as error:
            failures.append((code, f"{what} ({type(error).__name__}: {error})"))
    return failures


def read_members(path: str) -> tuple[dict[str, bytes], list[Failure]]:
    """Members of a zip or of an unpacked folder, and what is wrong with the container."""
    try:
        if os.path.isdir(path):
            members: dict[str, bytes] = {}
            for name in sorted(os.listdir(path)):
                full = os.path.join(path, name)
                members[name] = b"" if os.path.isdir(full) else _read(full)
            return members, []
        return unzip(_read(path))
    except OSError as error:
        return {}, [("unreadable", f"cannot read {path}: {error.strerror}")]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def judge(path: str, trusted: str | None = None, verify: Verify = ed25519_verify) -> list[Failure]:
    """Reasons not to believe the bundle or folder at `path`, in order, without repetition."""
    members, failures = read_members(path)
    if not failures or members:
        failures += examine(members, trusted, verify)
    return list(dict.fromkeys(failures))


def main(arguments: list[str]) -> int:
    paths, as_json, trusted = [], False, None
    while arguments:
        word = arguments.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--key" and arguments:
            trusted = arguments.pop(0)
        elif word.startswith("-"):
            print(__doc__)
            return 2
        else:
            paths.append(word)
    worst = 0
    for path in paths or [os.path.dirname(os.path.abspath(__file__))]:
        failures = judge(path, trusted)
        worst = max(worst, 1 if failures else 0)
        row = {"path": path, "valid": not failures, "failures": [{"code": c, "what": w} for c, w in failures]}
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{'有效 VALID  ' if not failures else '无效 INVALID'} {path}")
            for code, what in failures:
                print(f"  {code}: {what}")
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
