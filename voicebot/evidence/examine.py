#!/usr/bin/env python3
"""What makes a bundle valid. Travels in every bundle as `verify.py`, joined with the modules it imports.

Standard library only, offline, no secret.
Usage: python verify.py [BUNDLE.zip | FOLDER]... [--json] [--key PUBLIC_KEY_HEX]     exit status 0: all valid
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from voicebot.evidence.content import UNREADABLE, check_content
from voicebot.evidence.ed25519 import ed25519_verify
from voicebot.evidence.format import (
    CASE_FORMAT,
    CONSULT,
    FIRST_FORMAT,
    FORMAT,
    REDACTION,
    SIGNED,
    SPELLINGS,
    UNLISTED,
    key_id,
)
from voicebot.evidence.keys import counted, descends, history_fault, public_key_of
from voicebot.evidence.proofs import check_proof
from voicebot.evidence.redacted import check_redaction, listed_files, read_redaction, spans_of
from voicebot.evidence.stored_zip import unzip

Failure = tuple[str, str]
Verify = Callable[[bytes, bytes, bytes], bool]


def _document(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    value = json.loads(members[name])
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _format(members: Mapping[str, bytes]) -> str:
    """The format that the manifest names; ours where it names none that is known."""
    try:
        named = _document(members, "manifest.json")["format"]
    except UNREADABLE:
        return FORMAT
    return named if named in SPELLINGS else FORMAT


def _listed(members: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        return listed_files(_document(members, "manifest.json"), read_redaction(members))
    except UNREADABLE:
        return {}


def _check_names(members: Mapping[str, bytes]) -> list[Failure]:
    named = _format(members)
    needed = {*SIGNED[named], *UNLISTED[named]}
    listed = _listed(members)
    allowed = needed | ({REDACTION} if named != FIRST_FORMAT else set()) | ({CONSULT} & set(listed))
    missing = sorted((needed | ({CONSULT} & set(listed))) - set(members))
    extra = sorted(set(members) - allowed)
    failures = [("file_missing", name) for name in missing] + [("file_extra", name) for name in extra]
    lost = {listed[name]["sha256"]: name for name in missing if name in listed}
    for name in extra:
        was = lost.get(hashlib.sha256(members[name]).hexdigest())
        if was:
            failures.append(("file_renamed", f"{name} was {was}"))
    return failures


def _check_manifest(members: Mapping[str, bytes]) -> list[Failure]:
    manifest = _document(members, "manifest.json")
    failures: list[Failure] = []
    if manifest["format"] not in SPELLINGS:
        failures.append(("manifest_format", f"this verifier reads {FORMAT}, not {manifest['format']!r}"))
    elif SPELLINGS[manifest["format"]](manifest) != members["manifest.json"]:
        failures.append(("manifest_not_canonical", "manifest.json is not in canonical form"))
    if not set(SIGNED[_format(members)]) <= set(manifest["files"]) <= {*SIGNED[_format(members)], CONSULT}:
        failures.append(("manifest_files", "manifest.json does not list exactly the files of a bundle"))
    return failures


def _check_signature(members: Mapping[str, bytes], trusted: str | None, verify: Verify) -> list[Failure]:
    key, manifest = _document(members, "key.json"), _document(members, "manifest.json")
    public = bytes.fromhex(key["public_key"])
    failures: list[Failure] = []
    if key["key_id"] != key_id(public) or manifest["key_id"] != key["key_id"]:
        failures.append(("key_mismatch", "key.json is not the key that the manifest names"))
    history = key.get("history") or [{"key_id": key["key_id"], "public_key": key["public_key"], "from": None}]
    if manifest["format"] != FIRST_FORMAT:
        failures += _check_history(key["history"], public, manifest, verify)
    if trusted is not None and trusted.lower() != public.hex() and not descends(history, key["key_id"], trusted):
        failures.append(("key_untrusted", f"signed with {public.hex()}, not with the trusted key"))
    if not verify(public, members["manifest.json"], members["manifest.sig"]):
        failures.append(("signature_bad", "manifest.sig does not fit manifest.json and key.json"))
    return failures


def _check_history(history: Any, public: bytes, manifest: Any, verify: Verify) -> list[Failure]:
    fault = history_fault(history, verify)
    if fault is None and public_key_of(history, key_id(public)) != public:
        fault = "it does not hold the key that signed"
    if fault:
        return [("key_history_bad", f"the key history of key.json: {fault}")]
    if not counted(history, key_id(public), manifest["sealed_at"]):
        return [("key_period", f"the key was not the one in use at {manifest['sealed_at']}")]
    return []


def _check_hashes(members: Mapping[str, bytes]) -> list[Failure]:
    failures: list[Failure] = []
    listed = listed_files(_document(members, "manifest.json"), read_redaction(members))
    for name, entry in sorted(listed.items()):
        body = members.get(name)
        signed = (entry["size"], entry["sha256"])
        if body is not None and (len(body), hashlib.sha256(body).hexdigest()) != signed:
            failures.append(("hash_mismatch", f"{name} is not the file that was signed"))
    return failures


def _check_redaction(members: Mapping[str, bytes], verify: Verify) -> list[Failure]:
    redaction = read_redaction(members)
    if redaction is None:
        return []
    return check_redaction(members, _document(members, "manifest.json"), redaction, verify)


def _check_content(members: Mapping[str, bytes]) -> list[Failure]:
    return check_content(members, _document(members, "manifest.json"), spans_of(read_redaction(members)))


def examine(
    members: Mapping[str, bytes], trusted: str | None = None, verify: Verify = ed25519_verify
) -> list[Failure]:
    """Reasons not to believe these members; none means valid. Any bytes give an answer, never an error."""
    if _is_case(members):
        return _examine_case(members, trusted, verify)
    failures = _check_names(members)
    steps: list[tuple[str, str, Callable[[], list[Failure]]]] = [
        ("manifest_unreadable", "manifest.json cannot be read", lambda: _check_manifest(members)),
        ("signature_bad", "the signature cannot be read", lambda: _check_signature(members, trusted, verify)),
        ("redaction_bad", "redaction.json cannot be read", lambda: _check_redaction(members, verify)),
        ("hash_mismatch", "the manifest's list of files cannot be read", lambda: _check_hashes(members)),
        ("content_unreadable", "audio, chain or journal cannot be read", lambda: _check_content(members)),
    ]
    if _format(members) == FORMAT:
        steps.append(("proof_altered", "proof.json cannot be read", lambda: check_proof(members, verify)))
    for code, what, step in steps:
        try:
            failures += step()
        except UNREADABLE as error:
            failures.append((code, f"{what} ({type(error).__name__}: {error})"))
    return failures


def _is_case(members: Mapping[str, bytes]) -> bool:
    try:
        return bool(_document(members, "manifest.json")["format"] == CASE_FORMAT)
    except UNREADABLE:
        return False


def _examine_case(members: Mapping[str, bytes], trusted: str | None, verify: Verify) -> list[Failure]:
    """A case file: its list of files, its signature, and each bundle inside."""
    steps: list[tuple[str, Callable[[], list[Failure]]]] = [
        ("manifest_unreadable", lambda: _check_case_names(members)),
        ("signature_bad", lambda: _check_signature(members, trusted, verify)),
        ("hash_mismatch", lambda: _check_hashes(members)),
    ]
    failures: list[Failure] = []
    for code, step in steps:
        try:
            failures += step()
        except UNREADABLE as error:
            failures.append((code, f"the case file cannot be read ({type(error).__name__}: {error})"))
    for name in sorted(name for name in members if name.endswith(".zip")):
        inside, wrong = unzip(members[name])
        found = wrong + (examine(inside, trusted, verify) if not _is_case(inside) else [("file_extra", "a case file")])
        failures += [(code, f"{name}: {what}") for code, what in found]
    return failures


def _check_case_names(members: Mapping[str, bytes]) -> list[Failure]:
    manifest = _document(members, "manifest.json")
    listed = {*manifest["files"], "manifest.json", "manifest.sig"}
    failures = [("file_missing", name) for name in sorted(listed - set(members))]
    failures += [("file_extra", name) for name in sorted(set(members) - listed)]
    if SPELLINGS[FORMAT](manifest) != members["manifest.json"]:
        failures.append(("manifest_not_canonical", "manifest.json is not in canonical form"))
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
    return judge_members(*read_members(path), trusted, verify)


def judge_members(
    members: dict[str, bytes], failures: list[Failure], trusted: str | None = None, verify: Verify = ed25519_verify
) -> list[Failure]:
    """Reasons not to believe these members, behind those that their container gave."""
    if not failures or members:
        failures = failures + examine(members, trusted, verify)
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
