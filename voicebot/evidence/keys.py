"""Key history: which key sealed when, each new key endorsed by the one before it.

An entry is {"key_id","public_key","from","endorsement"}. The first has neither `from` (it counts since ever) nor
`endorsement`; a later one is signed, without `endorsement` and with "previous" (a key_id), by its predecessor.
A key counts until the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from voicebot.evidence.format import key_id
from voicebot.evidence.spelling import canonical

Entry = Mapping[str, Any]
Verify = Callable[[bytes, bytes, bytes], bool]


def unhex(text: str) -> bytes:
    """Bytes of hexadecimal in its one spelling. ValueError for capitals and blanks."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("hexadecimal is spelled with small letters and nothing between")
    return found


def endorsed(entry: Entry, previous: str) -> bytes:
    """The bytes that the predecessor `previous` signs."""
    told = {name: entry[name] for name in ("key_id", "public_key", "from")}
    return canonical({**told, "previous": previous})


def history_fault(history: Sequence[Entry], verify: Verify) -> str | None:
    """What is wrong with a key history; None: every key is endorsed by the one before."""
    if not history or history[0]["from"] is not None or history[0]["endorsement"] is not None:
        return "it does not begin with a first key"
    previous: Entry | None = None
    for number, entry in enumerate(history, 1):
        public = bytes.fromhex(entry["public_key"])
        if entry["key_id"] != key_id(public):
            return f"key {number} has another name"
        if previous is not None:
            signer = bytes.fromhex(previous["public_key"])
            signed = endorsed(entry, previous["key_id"])
            if not verify(signer, signed, unhex(entry["endorsement"])):
                return f"key {number} is not endorsed by the one before"
            if previous["from"] is not None and entry["from"] <= previous["from"]:
                return f"key {number} begins before its predecessor"
        previous = entry
    return None


def public_key_of(history: Sequence[Entry], name: str) -> bytes | None:
    """The raw public key of this name."""
    return next((bytes.fromhex(entry["public_key"]) for entry in history if entry["key_id"] == name), None)


def counted(history: Sequence[Entry], name: str, at: str) -> bool:
    """Whether the key of this name was the one in use at `at` (ISO 8601, UTC)."""
    names = [entry["key_id"] for entry in history]
    if name not in names:
        return False
    place = names.index(name)
    since, until = history[place]["from"], history[place + 1]["from"] if place + 1 < len(names) else None
    return (since is None or since <= at) and (until is None or at < until)


def descends(history: Sequence[Entry], name: str, trusted: str) -> bool:
    """Whether the key of this name is the public key `trusted` (hexadecimal) or was endorsed by those after it."""
    names = [entry["key_id"] for entry in history]
    before = history[: names.index(name) + 1] if name in names else []
    return any(entry["public_key"] == trusted.lower() for entry in before)
