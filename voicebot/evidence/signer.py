"""Signer: the Ed25519 key with which this installation seals its calls, the keys before it, and its log."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from voicebot.evidence.format import key_id
from voicebot.evidence.keys import endorsed
from voicebot.evidence.log import Log, replace
from voicebot.evidence.spelling import canonical

KEY_FILE = "evidence-ed25519.pem"
NEXT_KEY_FILE = KEY_FILE + ".next"
HISTORY_FILE = "evidence-keys.json"
LOG_FOLDER = "evidence-log"


class SigningKeyUnusable(Exception):
    """The operator's signing key cannot be read; the message names the file and the remedy."""


class Signer:
    """Signs manifests. `public` is the raw public key (32 bytes), `key_id` its short name, `history` as in keys.py."""

    def __init__(
        self, key: Ed25519PrivateKey, history: Sequence[dict[str, Any]] | None = None, folder: Path | None = None
    ) -> None:
        self._key = key
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public: bytes = key.public_key().public_bytes(*raw)
        self.key_id = key_id(self.public)
        self.history = list(history or [_entry(self.public, None)])
        self._folder = folder

    @classmethod
    def load_or_create(cls, folder: Path) -> Signer:
        """The key in `folder`, made on first use (mode 0600); safe when several processes start at once.

        Its log lies beside the folder.
        """
        path = folder / KEY_FILE
        if not path.exists():
            _create(path)
        key, history = _load(path), _history(folder)
        signer = cls(key, history, folder)
        if history and history[-1]["key_id"] != signer.key_id and (folder / NEXT_KEY_FILE).exists():
            (folder / NEXT_KEY_FILE).replace(path)  # killed in the middle of `rotate`
            return cls.load_or_create(folder)
        return signer

    @property
    def log(self) -> Log:
        """The log of this installation. SigningKeyUnusable: the key does not come from a folder."""
        if self._folder is None:
            raise SigningKeyUnusable("a key without a folder has no log; load it from one")
        return Log(self._folder.parent / LOG_FOLDER)

    @property
    def origin(self) -> str:
        """The name of the log: that of the first key."""
        return f"voicebot/{self.history[0]['key_id']}"

    def fresh(self) -> Signer:
        """The signer that counts now: another one after the key was rotated."""
        if self._folder is None or len(_history(self._folder) or self.history) == len(self.history):
            return self
        return Signer.load_or_create(self._folder)

    def rotate(self, now: dt.datetime) -> Signer:
        """Make a new key that counts from now on, endorsed by this one; running processes notice at the next seal."""
        if self._folder is None:
            raise SigningKeyUnusable("a key without a folder cannot be rotated")
        key = Ed25519PrivateKey.generate()
        entry = _entry(key.public_key().public_bytes_raw(), utc(now))
        entry["endorsement"] = self.sign(endorsed(entry, self.key_id)).hex()
        _write_private(self._folder / NEXT_KEY_FILE, key)
        replace(self._folder / HISTORY_FILE, canonical([*self.history, entry]))
        (self._folder / NEXT_KEY_FILE).replace(self._folder / KEY_FILE)
        return Signer.load_or_create(self._folder)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message)

    def key_document(self) -> bytes:
        """key.json of a bundle: public halves only."""
        told = {"algorithm": "Ed25519", "key_id": self.key_id, "public_key": self.public.hex()}
        return canonical({**told, "history": self.history})


def utc(at: dt.datetime) -> str:
    """ISO 8601, UTC, milliseconds."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds")


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """The same answer as the plain Python of ed25519.py, some thousand times as fast."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _entry(public: bytes, since: str | None) -> dict[str, Any]:
    return {"key_id": key_id(public), "public_key": public.hex(), "from": since, "endorsement": None}


def _history(folder: Path) -> list[dict[str, Any]] | None:
    """The keys so far; None while there has been only one."""
    path = folder / HISTORY_FILE
    try:
        found = json.loads(path.read_bytes()) if path.exists() else None
    except ValueError as error:
        raise SigningKeyUnusable(f"{path}: {error}; restore it from a backup") from error
    return found


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SigningKeyUnusable(f"{path}: {error}; restore it from a backup or move it away") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnusable(f"{path} is not an Ed25519 key; restore the right file or move it away")
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _write_private(draft, Ed25519PrivateKey.generate())
    with contextlib.suppress(FileExistsError):  # another process was first: its key counts
        os.link(draft, path)
    draft.unlink()


def _write_private(path: Path, key: Ed25519PrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
