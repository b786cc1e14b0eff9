"""Keys in session descriptions (SDES, RFC 4568): the `a=crypto` lines of one stream."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from sip.sdp.description import Attribute, MediaDescription

Srtp = Literal["off", "offer", "require"]
"""off: not asked for, but taken where RTP/SAVP is offered; offer: keys beside plain RTP; require: RTP/SAVP alone."""
Suite = Literal["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
SUITES: Final[tuple[Suite, ...]] = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
KEY_BYTES: Final = 30
"""Master key of 128 bits and salt of 112 (RFC 4568 section 6.2)."""
_LINE: Final = re.compile(r"(\d{1,9}) (\w{1,40}) inline:([A-Za-z0-9+/=]{1,80})(\|(?:2\^\d{1,2}|\d{1,15}))?((?: \S+)*)")
# What would change how packets look and is not carried out here (RFC 4568 section 6.3) makes a line unusable.
_UNUSABLE: Final = ("UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP", "FEC_", "KDR=")


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One offered or accepted suite with its master key and salt."""

    tag: int
    suite: Suite
    key: bytes = field(repr=False)

    def attribute(self) -> Attribute:
        return "crypto", f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What an encrypted stream runs on: each side encrypts with its own key (RFC 4568 section 6.1)."""

    suite: Suite
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


def read_crypto(media: MediaDescription) -> list[CryptoLine]:
    """The lines we can use, in the writer's order; a master key index (MKI) or several keys are not for us."""
    lines = (_read(value) for name, value in media.attributes if name == "crypto" and value is not None)
    return [line for line in lines if line is not None]


def _read(text: str) -> CryptoLine | None:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        return None
    tag, name, encoded, _, parameters = match.groups()
    suite = next((each for each in SUITES if each == name), None)
    if suite is None or any(word.upper().startswith(_UNUSABLE) for word in parameters.split()):
        return None
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return CryptoLine(int(tag), suite, key) if len(key) == KEY_BYTES else None


def no_keys() -> bytes:
    raise RuntimeError(f"an encrypted stream needs a source of {KEY_BYTES} random bytes: pass new_key")


class KeyRing:
    """Our own keys of one stream: made once per suite, so that a new offer does not change them."""

    def __init__(self, new_key: Callable[[], bytes]) -> None:
        self._new_key = new_key
        self._keys: dict[Suite, bytes] = {}

    def of(self, suite: Suite) -> bytes:
        if suite not in self._keys:
            self._keys[suite] = self._new_key()
        return self._keys[suite]

    def offered(self) -> list[CryptoLine]:
        return [CryptoLine(tag, suite, self.of(suite)) for tag, suite in enumerate(SUITES, 1)]

    def answering(self, lines: list[CryptoLine]) -> tuple[CryptoLine, Keys] | None:
        """Our line for the best of the peer's, with its tag (RFC 4568 section 5.1.2); None where there is none."""
        if not lines:
            return None
        theirs = lines[0]
        ours = self.of(theirs.suite)
        return CryptoLine(theirs.tag, theirs.suite, ours), Keys(theirs.suite, ours, theirs.key)

    def accepted(self, lines: list[CryptoLine]) -> Keys | None:
        """The keys where the answer takes one of our lines by its tag; None where it takes none."""
        for line in lines:
            if any(line.tag == ours.tag and line.suite == ours.suite for ours in self.offered()):
                return Keys(line.suite, self.of(line.suite), line.key)
        return None
