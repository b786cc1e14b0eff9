"""Vault: sealed calls at rest under AES-256-GCM, each with a key of its own, wrapped by a master key.

    magic | length of header (4 bytes, big end first) | header (canonical JSON) | chunks

A chunk is 64 KiB of the zip under the call's key; its nonce is its number, and whether it is the last; the header is
what it is bound to. Nothing can be changed, cut, or put in another order without its noticing.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicebot.evidence.spelling import canonical
from voicebot.store.master_key import KeyRing, MasterKey, VaultLocked, load_master, master_key

__all__ = [
    "KeyRing", "Locking", "MasterKey", "VaultLocked", "load_master", "locked", "master_key", "unlocked",
    "unlocking",
]  # fmt: skip

MAGIC = b"VBVAULT1\n"
CHUNK = 64 * 1024
_TAG = 16


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


def unlocking(file: BinaryIO, master: MasterKey) -> Iterator[bytes]:
    """The chunks of a file that was locked, one after the other, for what is too large for memory. VaultLocked."""
    try:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("no vault file")
        header = file.read(int.from_bytes(file.read(4), "big"))
        told = json.loads(header)
        wrapped, width = base64.b64decode(told["wrapped"], validate=True), int(told["chunk"]) + _TAG
        cipher = AESGCM(master.unwrap(told["master"], wrapped, str(told["subject"]).encode()))
        number, piece = 0, file.read(width)
        while True:
            following = file.read(width)
            yield cipher.decrypt(_nonce(number, not following), piece, header)
            if not following:
                return
            number, piece = number + 1, following
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error, InvalidTag) as error:
        raise VaultLocked(f"the encrypted file was changed ({type(error).__name__})") from error


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
