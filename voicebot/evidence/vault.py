"""Vault: sealed calls at rest under AES-256-GCM, each with a key of its own, wrapped by a master key.

    magic | length of header (4 bytes, big end first) | header (canonical JSON) | chunks

A chunk is 64 KiB of the zip under the call's key; its nonce is its number, and whether it is the last; the header is
what it is bound to. Nothing can be changed, cut, or put in another order without its noticing.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import io
import json
import os
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicebot.config import load_settings
from voicebot.evidence.spelling import canonical

MAGIC = b"VBVAULT1\n"
CHUNK = 64 * 1024
_TAG, _NONCE = 16, 12


class VaultLocked(Exception):
    """An encrypted recording that cannot be read here; the message says what the operator must do."""


class MasterKey(Protocol):
    """The seam for keys that never leave their device, such as PKCS#11: only data keys of 32 bytes pass."""

    name: str

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """The data key, readable by this master key alone and in this context alone."""
        ...

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        """The data key that the master key called `name` wrapped. VaultLocked."""
        ...


class KeyRing:
    """Master keys of 32 bytes in memory; the first wraps, all of them unwrap, so that keys can be changed."""

    def __init__(self, *keys: bytes) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise VaultLocked("a master key is 32 bytes, 64 hexadecimal digits; make one with: openssl rand -hex 32")
        self._keys = {_name(key): key for key in keys}
        self.name = next(iter(self._keys))

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Hexadecimal keys, one per line, the current one first. VaultLocked."""
        try:
            return cls(*(bytes.fromhex(line) for line in text.split()))
        except ValueError as error:
            raise VaultLocked("master keys are hexadecimal, one per line") from error

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._keys[self.name]).encrypt(nonce, data_key, context)

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        key = self._keys.get(name)
        if key is None:
            raise VaultLocked(f"this recording needs master key {name}: add it to VOICEBOT_VAULT_KEY")
        try:
            return AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag as error:
            raise VaultLocked("the recording's key was changed") from error


def load_master(where: str) -> MasterKey:
    """The master key that VOICEBOT_VAULT_KEY names: a file, `env:NAME`, or `python:module:factory`. VaultLocked."""
    kind, _, rest = where.partition(":")
    try:
        if kind == "env":
            return KeyRing.parse(os.environ[rest])
        if kind == "python":
            module, _, factory = rest.partition(":")
            made: MasterKey = getattr(importlib.import_module(module), factory)()
            return made
        return KeyRing.parse(Path(where).expanduser().read_text("ascii"))
    except (OSError, KeyError, ImportError, AttributeError, UnicodeDecodeError) as error:
        raise VaultLocked(f"VOICEBOT_VAULT_KEY={where}: {error!r}; restore the key from its backup") from error


@cache
def master_key() -> MasterKey | None:
    """The master key of this installation; None where recordings are not encrypted."""
    where = load_settings().vault_key
    return load_master(where) if where else None


class Locking:
    """Writes a file that only the master key opens. Call `finish` at the end."""

    def __init__(self, file: BinaryIO, subject: str, master: MasterKey) -> None:
        data_key = os.urandom(32)
        wrapped = base64.b64encode(master.wrap(data_key, subject.encode())).decode("ascii")
        self._header = canonical({"subject": subject, "master": master.name, "wrapped": wrapped, "chunk": CHUNK})
        self._file, self._cipher = file, AESGCM(data_key)
        self._rest, self._number = bytearray(), 0
        file.write(MAGIC + len(self._header).to_bytes(4, "big") + self._header)

    def write(self, data: bytes) -> None:
        """Add bytes; whole chunks go to the file at once."""
        self._rest += data
        while len(self._rest) > CHUNK:
            self._chunk(bytes(self._rest[:CHUNK]), last=False)
            del self._rest[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk; a file without one cannot be read."""
        self._chunk(bytes(self._rest), last=True)

    def _chunk(self, data: bytes, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), data, self._header))
        self._number += 1


def locked(data: bytes, subject: str, master: MasterKey) -> bytes:
    """`data` as the vault keeps it."""
    file = io.BytesIO()
    locking = Locking(file, subject, master)
    locking.write(data)
    locking.finish()
    return file.getvalue()


def unlocked(data: bytes, master: MasterKey | None = None) -> bytes:
    """What was locked; bytes that the vault did not write are returned as they are. VaultLocked."""
    if not data.startswith(MAGIC):
        return data
    master = master or master_key()
    if master is None:
        raise VaultLocked("the recording is encrypted: set VOICEBOT_VAULT_KEY to the installation's master key")
    at = len(MAGIC) + 4
    header = data[at : at + int.from_bytes(data[at - 4 : at], "big")]
    try:
        told = json.loads(header)
        wrapped, chunk = base64.b64decode(told["wrapped"], validate=True), int(told["chunk"])
        data_key = master.unwrap(told["master"], wrapped, str(told["subject"]).encode())
        return _opened(data[at + len(header) :], AESGCM(data_key), header, chunk)
    except (KeyError, TypeError, ValueError, binascii.Error, InvalidTag) as error:
        raise VaultLocked(f"the encrypted recording was changed ({type(error).__name__})") from error


def _opened(body: bytes, cipher: AESGCM, header: bytes, chunk: int) -> bytes:
    if not 0 < chunk <= 1 << 24 or not body:
        raise ValueError("no chunk")
    width = chunk + _TAG
    starts = range(0, len(body), width)
    return b"".join(
        cipher.decrypt(_nonce(number, at == starts[-1]), body[at : at + width], header)
        for number, at in enumerate(starts)
    )


def _nonce(number: int, last: bool) -> bytes:
    return bytes(3) + bytes([last]) + number.to_bytes(8, "big")


def _name(key: bytes) -> str:
    """The short name of a master key, which tells nothing of it."""
    return AESGCM(key).encrypt(bytes(_NONCE), b"voicebot master key", None)[:8].hex()
