"""What redaction.json must say: which spans were taken out of a copy, by whom and why, signed by the same house."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from voicebot.evidence.format import REDACTION
from voicebot.evidence.keys import Verify, history_fault, public_key_of, unhex
from voicebot.evidence.spelling import canonical

REDACTION_FORMAT = "voicebot-redaction-1"
CHANNELS = ("left", "right", "third")


def read_redaction(members: Mapping[str, bytes]) -> dict[str, Any] | None:
    """The document, None where nothing was taken out. ValueError when it is no object."""
    if REDACTION not in members:
        return None
    found = json.loads(members[REDACTION])
    if not isinstance(found, dict):
        raise ValueError("redaction.json is not an object")
    return found


def spans_of(redaction: Mapping[str, Any] | None) -> frozenset[tuple[str, int]]:
    """Channels and seconds that were taken out."""
    spans = redaction["spans"] if redaction else ()
    return frozenset((str(one["channel"]), second) for one in spans for second in range(one["from"], one["to"]))


def listed_files(manifest: Mapping[str, Any], redaction: Mapping[str, Any] | None) -> dict[str, Any]:
    """Sizes and hashes that the members must have: the manifest's, and the copy's where it differs."""
    return {**manifest["files"], **(redaction["files"] if redaction else {})}


def check_redaction(
    members: Mapping[str, bytes], manifest: Mapping[str, Any], redaction: Mapping[str, Any], verify: Verify
) -> list[tuple[str, str]]:
    """Reasons not to believe that the house that sealed the call took these spans out."""
    whats = []
    if redaction["format"] != REDACTION_FORMAT or canonical(redaction) != members[REDACTION]:
        whats.append("redaction.json is not spelled as it was written")
    if redaction["manifest_sha256"] != hashlib.sha256(members["manifest.json"]).hexdigest():
        whats.append("redaction.json belongs to another bundle")
    if any(one["channel"] not in CHANNELS for one in redaction["spans"]):
        whats.append("redaction.json names an unknown channel")
    keys = redaction["keys"]
    told = {name: value for name, value in redaction.items() if name != "signature"}
    public = public_key_of(keys, redaction["key_id"])
    signed = public is not None and verify(public, canonical(told), unhex(redaction["signature"]))
    ours = public_key_of(keys, manifest["key_id"])
    if not signed or ours is None or history_fault(keys, verify):
        whats.append("redaction.json is not signed by the house that sealed the call")
    return [("redaction_bad", what) for what in whats]
