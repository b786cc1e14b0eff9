"""Offer and answer (RFC 3264) for one G.711 audio stream with telephone events, 20 ms packets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from sip.errors import SdpError
from sip.sdp.description import (
    Attribute,
    MediaDescription,
    Origin,
    SessionDescription,
    is_ip,
    parse_sdp,
)

Codec = Literal["PCMA", "PCMU"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

#: What the other side's direction means for us (RFC 3264 section 6.1).
MIRROR: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_STATIC: dict[str, Codec] = {"0": "PCMU", "8": "PCMA"}
_PAYLOAD_TYPE: dict[Codec, int] = {"PCMU": 0, "PCMA": 8}
_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")
#: The payload type under which we offer telephone-event (RFC 4733); the usual choice of the world.
TELEPHONE_EVENT = 101


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides agreed on. `direction` is ours; `payload_type` goes into the packets we send."""

    remote: tuple[str, int]
    codec: Codec
    payload_type: int
    telephone_event: int | None
    direction: Direction


@dataclass(slots=True)
class OfferAnswer:
    """Our half of the session description of one call: makes offers and answers, reads the peer's.

    `codecs` is our order of preference in offers; in answers the offerer's order decides (RFC 3264 6.1).
    """

    local: tuple[str, int]
    session_id: int
    codecs: tuple[Codec, ...] = ("PCMA", "PCMU")
    direction: Direction = "sendrecv"
    _version: int = 0
    _written: SessionDescription | None = field(default=None, repr=False)

    def offer(self) -> bytes:
        formats = tuple(str(_PAYLOAD_TYPE[codec]) for codec in self.codecs)
        maps = tuple(("rtpmap", f"{_PAYLOAD_TYPE[codec]} {codec}/8000") for codec in self.codecs)
        return self._write((self._audio(formats, maps, TELEPHONE_EVENT, self.direction, "RTP/AVP"),))

    def answer(self, data: bytes) -> tuple[bytes, Negotiated]:
        """Answer an offer: the first usable audio stream is taken, every other one refused with port 0.

        Raises SdpError where nothing is usable.
        """
        offer = parse_sdp(data)
        chosen = next((media for media in offer.media if _is_usable(media)), None)
        if chosen is None:
            raise SdpError("no audio stream over plain RTP with PCMA or PCMU is offered")
        agreed = _agree(offer, chosen, self.direction)
        answers = [
            self._accepted(media, agreed) if media is chosen else replace(media, port=0, attributes=(), connection=None)
            for media in offer.media
        ]
        return self._write(tuple(answers)), agreed

    def accept(self, data: bytes) -> Negotiated:
        """Read the answer to our last offer. Raises SdpError where it refuses our audio."""
        answer = parse_sdp(data)
        if not answer.media or not _is_usable(answer.media[0]):
            raise SdpError("the answer takes none of our codecs")
        return _agree(answer, answer.media[0], self.direction)

    def _accepted(self, offered: MediaDescription, agreed: Negotiated) -> MediaDescription:
        maps = (("rtpmap", f"{agreed.payload_type} {agreed.codec}/8000"),)
        return self._audio(
            (str(agreed.payload_type),), maps, agreed.telephone_event, agreed.direction, offered.protocol
        )

    def _audio(
        self,
        formats: tuple[str, ...],
        maps: tuple[Attribute, ...],
        telephone_event: int | None,
        direction: Direction,
        protocol: str,
    ) -> MediaDescription:
        if telephone_event is not None:
            formats += (str(telephone_event),)
            maps += (
                ("rtpmap", f"{telephone_event} telephone-event/8000"),
                ("fmtp", f"{telephone_event} 0-15"),
            )
        attributes = (*maps, ("ptime", "20"), (direction, None))
        return MediaDescription("audio", self.local[1], protocol, formats, attributes)

    def _write(self, media: tuple[MediaDescription, ...]) -> bytes:
        """Same content, same version; changed content raises it by one (RFC 3264 section 8)."""
        if self._written is None or self._written.media != media:
            self._version += 1
            origin = Origin("-", str(self.session_id), str(self._version), self.local[0])
            self._written = SessionDescription(origin, media, self.local[0])
        return self._written.encode()


def _is_usable(media: MediaDescription) -> bool:
    return media.kind == "audio" and media.port > 0 and media.protocol in _PROTOCOLS and bool(_codecs(media))


def _codecs(media: MediaDescription) -> list[tuple[int, Codec]]:
    """(payload type, codec) of the G.711 formats of a stream, in the writer's order."""
    found: list[tuple[int, Codec]] = []
    for text in media.formats:
        mapping = media.rtpmap(text)
        codec = _STATIC.get(text) if mapping is None else _named(mapping)
        if codec is not None and text.isascii() and text.isdigit() and int(text) < 128:
            found.append((int(text), codec))
    return found


def _named(mapping: str) -> Codec | None:
    if mapping in ("PCMA/8000", "PCMA/8000/1"):
        return "PCMA"
    return "PCMU" if mapping in ("PCMU/8000", "PCMU/8000/1") else None


def _telephone_event(media: MediaDescription) -> int | None:
    for text in media.formats:
        if media.rtpmap(text) == "TELEPHONE-EVENT/8000" and text.isascii() and text.isdigit() and int(text) < 128:
            return int(text)
    return None


def _agree(theirs: SessionDescription, media: MediaDescription, ours: Direction) -> Negotiated:
    address = media.connection or theirs.connection
    if address is None or not is_ip(address):
        raise SdpError(f"no IP address to send audio to: {(address or '')[:60]!r}")
    payload_type, codec = _codecs(media)[0]
    direction = _direction(media.direction or theirs.direction or "sendrecv", ours)
    if address in ("0.0.0.0", "::"):
        # Hold as RFC 2543 did it: a connection to nowhere. There is no place to send to.
        direction = "recvonly" if direction in ("sendrecv", "recvonly") else "inactive"
    return Negotiated((address, media.port), codec, payload_type, _telephone_event(media), direction)


def _direction(theirs: str, ours: Direction) -> Direction:
    """What remains of our wish once the peer has said its own."""
    mirrored = MIRROR[theirs]
    send = "send" in mirrored and "send" in ours
    receive = "recv" in mirrored and "recv" in ours
    if send:
        return "sendrecv" if receive else "sendonly"
    return "recvonly" if receive else "inactive"
