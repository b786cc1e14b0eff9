"""Master key: what encrypts secrets at rest, here and in the vault of recordings; keys in memory, or a device's."""

from __future__ import annotations

import base64
import binascii
import importlib
import os
from functools import cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicebot.config import load_settings

_NONCE = 12
_MARK = "vbsecret1:"


class VaultLocked(Exception):
    """Something encrypted that cannot be read here; the message says what the operator must do."""


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
            raise VaultLocked(f"this needs master key {name}: add it to VOICEBOT_VAULT_KEY")
        try:
            return AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag as error:
            raise VaultLocked("the wrapped key was changed, or belongs to something else") from error


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
    """The master key of this installation; None where nothing is encrypted."""
    where = load_settings().vault_key
    return load_master(where) if where else None


def locked_text(text: str, context: str, master: MasterKey | None = None) -> str:
    """A short secret as the database keeps it: for `context` alone, or as it is where there is no master key."""
    master = master or master_key()
    if master is None or text.startswith(_MARK):
        return text
    data_key, bound = os.urandom(32), context.encode()
    # One key per secret: the nonce needs no chance.
    parts = (master.wrap(data_key, bound), AESGCM(data_key).encrypt(bytes(_NONCE), text.encode(), bound))
    return _MARK + ":".join([master.name, *(base64.b64encode(part).decode("ascii") for part in parts)])


def under_current(text: str) -> bool:
    """Whether a kept secret is locked by today's master key, or there is none to lock it by."""
    master = master_key()
    return master is None or text.startswith(f"{_MARK}{master.name}:")


def opened_text(text: str, context: str, master: MasterKey | None = None) -> str:
    """What was locked for `context`; a text that was never locked as it is. VaultLocked."""
    if not text.startswith(_MARK):
        return text
    master = master or master_key()
    if master is None:
        raise VaultLocked("a secret in the database is encrypted: set VOICEBOT_VAULT_KEY to the master key")
    try:
        name, wrapped, body = text[len(_MARK) :].split(":")
        bound = context.encode()
        data_key = master.unwrap(name, base64.b64decode(wrapped, validate=True), bound)
        return AESGCM(data_key).decrypt(bytes(_NONCE), base64.b64decode(body, validate=True), bound).decode()
    except (ValueError, binascii.Error, InvalidTag) as error:
        raise VaultLocked(f"a secret in the database was changed ({context})") from error


def _name(key: bytes) -> str:
    """The short name of a master key, which tells nothing of it."""
    return AESGCM(key).encrypt(bytes(_NONCE), b"voicebot master key", None)[:8].hex()
