"""Signer: the Ed25519 key with which this installation seals its calls."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from voicebot.evidence.format import canonical, key_id

KEY_FILE = "evidence-ed25519.pem"


class SigningKeyUnusable(Exception):
    """The operator's signing key cannot be read; the message names the file and the remedy."""


class Signer:
    """Signs manifests. `public` is the raw public key (32 bytes), `key_id` its short name."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public: bytes = key.public_key().public_bytes(*raw)
        self.key_id = key_id(self.public)

    @classmethod
    def load_or_create(cls, folder: Path) -> Signer:
        """The key in `folder`, made on first use (mode 0600); safe when several processes start at once."""
        path = folder / KEY_FILE
        if not path.exists():
            _create(path)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise SigningKeyUnusable(f"{path}: {error}; restore it from a backup or move it away") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyUnusable(f"{path} is not an Ed25519 key; restore the right file or move it away")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(message)

    def key_document(self) -> bytes:
        """key.json of a bundle: the public half only."""
        return canonical({"algorithm": "Ed25519", "key_id": self.key_id, "public_key": self.public.hex()})


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """The same answer as the plain Python of ed25519.py, some thousand times as fast."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):  # another process was first: its key counts
        os.link(draft, path)
    os.unlink(draft)
