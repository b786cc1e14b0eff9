"""Witnesses: others who say that a head of the log existed, first of all time-stamp authorities (RFC 3161).

One that is away is asked again later about the newest head, which covers all calls before it: that is the queue.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import structlog
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from voicebot.domain.clock import Clock
from voicebot.evidence.log import Log
from voicebot.evidence.notary import Head, keep_token, sign_head, testimonies_of, tokens_of
from voicebot.evidence.signer import Signer
from voicebot.evidence.spelling import canonical

log = structlog.get_logger(__name__)
MOST_BYTES = 64 * 1024
WAITS_S = 20.0


class WitnessAway(Exception):
    """The witness gave no usable answer; ask again later. The message says what was wrong."""


class Witness(Protocol):
    """The seam for a second anchor, such as a notary's platform or a public chain.

    VOICEBOT_WITNESSES names factories of such; what they say is kept as it came and travels in the proofs of exports.
    """

    @property
    def name(self) -> str:
        """How it is called in proofs, such as its URL."""
        ...

    @property
    def kind(self) -> str:
        """What its testimony is, for whoever checks it: a short word; empty for a time-stamp of RFC 3161."""
        ...

    async def testify(self, statement: bytes) -> bytes:
        """What the witness says about these bytes, to be kept. WitnessAway."""
        ...


@dataclass(frozen=True, slots=True)
class TimeStampAuthority:
    """A TSA by URL. With `roots` (PEM) its signature is checked at once; imprint and nonce always are."""

    name: str
    roots: Path | None = None
    kind: str = ""

    async def testify(self, statement: bytes) -> bytes:
        """A token, DER (RFC 3161 ContentInfo), over the SHA-256 of the statement."""
        asked = TimestampRequestBuilder().data(statement).hash_algorithm(HashAlgorithm.SHA256)
        request = asked.nonce(nonce=True).cert_request(cert_request=True).build()
        try:
            async with httpx.AsyncClient(timeout=WAITS_S) as client:
                headers = {"Content-Type": "application/timestamp-query"}
                answer = await client.post(self.name, content=request.as_bytes(), headers=headers)
            answer.raise_for_status()
            if len(answer.content) > MOST_BYTES:
                raise ValueError(f"an answer of {len(answer.content)} bytes")
            response = decode_timestamp_response(answer.content)
            if response.status != 0 or response.tst_info.nonce != request.nonce:
                raise ValueError(f"status {response.status} {response.status_string}, or another nonce")
            if bytes(response.tst_info.message_imprint.message) != bytes(request.message_imprint.message):
                raise ValueError("a token about something else")
            token = bytes(response.time_stamp_token())
        except (httpx.HTTPError, ValueError) as error:
            raise WitnessAway(f"{self.name}: {error}") from error
        if self.roots is not None:
            check_token(answer.content, statement, self.roots)
        return token


def check_token(response: bytes, statement: bytes, roots: Path) -> None:
    """Check the signature of a TimeStampResp against trusted roots (PEM). WitnessAway: it does not hold."""
    builder = VerifierBuilder()
    for certificate in x509.load_pem_x509_certificates(roots.read_bytes()):
        builder = builder.add_root_certificate(certificate)
    try:
        builder.build().verify_message(decode_timestamp_response(response), statement)
    except (VerificationError, ValueError) as error:
        raise WitnessAway(f"the time-stamp is not signed by an authority of {roots}: {error}") from error


def load_witness(where: str) -> Witness:
    """The witness that `module:factory` makes. ValueError: there is none of this name."""
    module, _, factory = where.partition(":")
    try:
        made: Witness = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"VOICEBOT_WITNESSES: {where!r} is no module:factory of a witness ({error})") from error
    return made


class Witnessing:
    """Asks each witness about the newest head, and keeps asking those that were away."""

    def __init__(self, signer: Signer, witnesses: Sequence[Witness], clock: Clock) -> None:
        self._signer, self._witnesses, self._clock = signer, tuple(witnesses), clock
        self.waiting: tuple[str, ...] = ()
        """Witnesses that owe a word on the newest head."""

    async def round(self) -> int:
        """One round; how many new tokens."""
        signer = self._signer.fresh()
        if not signer.log.size:
            return 0
        head = await asyncio.to_thread(self._head, signer)
        size = head["head"]["size"]
        heard = {entry["authority"] for entry in tokens_of(signer.log, size)}
        heard |= {entry["witness"] for entry in testimonies_of(signer.log, size)}
        owing, got = [], 0
        for witness in self._witnesses:
            if witness.name in heard:
                continue
            try:
                token = await witness.testify(canonical(head["head"]))
            except WitnessAway as away:
                owing.append(witness.name)
                log.warning("a witness of the log is away, it is asked again later", why=str(away))
            else:
                await asyncio.to_thread(keep_token, signer.log, size, witness.name, token, witness.kind)
                got += 1
        self.waiting = tuple(owing)
        return got

    def _head(self, signer: Signer) -> Head:
        """The head that was given to the witnesses already, while the log has not grown."""
        given = witnessed_head(signer.log)
        if given is not None and given["head"]["size"] == signer.log.size:
            return given
        head = sign_head(signer, self._clock.now())
        signer.log.give(canonical(head))
        return head

    async def run(self, every: dt.timedelta) -> None:
        """Rounds for ever."""
        while True:
            try:
                await self.round()
            except OSError as error:
                log.error("the log of the evidence cannot be written, see to the disk", error=str(error))
            await asyncio.sleep(every.total_seconds())


def witnessed_head(of: Log, beyond: int = -1) -> Head | None:
    """The newest head that was given to witnesses; with `beyond` the first with a token that covers that leaf."""
    given = of.given()
    if beyond < 0:
        return given[-1] if given else None
    covering = (head for head in given if head["head"]["size"] > beyond)
    return next((head for head in covering if _was_heard(of, head["head"]["size"])), None)


def _was_heard(of: Log, size: int) -> bool:
    return bool(tokens_of(of, size) or testimonies_of(of, size))
