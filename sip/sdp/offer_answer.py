"""Offer and answer (RFC 3264) for one audio stream with telephone events, 20 ms packets, plain or encrypted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from sip.errors import SdpError
from sip.sdp.crypto import CryptoLine, KeyRing, Keys, Srtp, no_keys, read_crypto
from sip.sdp.description import (
    Attribute,
    MediaDescription,
    Origin,
    SessionDescription,
    is_ip,
    parse_sdp,
)
from sip.sdp.formats import (
    EVENT_NUMBERS,
    FORMATS,
    TELEPHONE_CODECS,
    Codec,
    Event,
    Format,
    Numbers,
    event_of,
    formats_of,
    written,
    written_event,
)

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

#: What the other side's direction means for us (RFC 3264 section 6.1).
MIRROR: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_PLAIN, _SECURE = ("RTP/AVP", "RTP/AVPF"), ("RTP/SAVP", "RTP/SAVPF")


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides agreed on. `direction` is ours; `payload_type` goes into the packets we send."""

    remote: tuple[str, int]
    codec: Codec
    payload_type: int
    telephone_event: int | None = None
    direction: Direction = "sendrecv"
    #: Clock of the telephone events; that of the audio is FORMATS[codec].clock.
    event_clock: int = 8000
    #: None: plain RTP.
    keys: Keys | None = None
    #: RTCP comes and goes on the RTP port (RFC 5761).
    rtcp_mux: bool = False
    #: Where the peer reads RTCP (RFC 3605); None: on the port above its RTP port.
    rtcp: tuple[str, int] | None = None


@dataclass(slots=True)
class OfferAnswer:
    """Our half of the session description of one call: makes offers and answers, reads the peer's.

    `codecs` is our order of preference in offers; in answers the offerer's order decides (RFC 3264 6.1).
    `public_address` is written in place of the local one, for a host behind a NAT with fixed ports.
    """

    local: tuple[str, int]
    session_id: int
    codecs: tuple[Codec, ...] = TELEPHONE_CODECS
    direction: Direction = "sendrecv"
    srtp: Srtp = "off"
    public_address: str | None = None
    rtcp_mux: bool = False
    #: 30 random bytes for a master key and its salt.
    new_key: Callable[[], bytes] = field(default=no_keys, repr=False)
    _version: int = 0
    _written: SessionDescription | None = field(default=None, repr=False)
    _numbers: Numbers = field(default_factory=Numbers, repr=False)
    _ring: KeyRing = field(init=False, repr=False)
    _slot: int = 0
    _is_secure: bool = False
    _spoken: Codec | None = None

    def __post_init__(self) -> None:
        self._ring = KeyRing(self.new_key)

    def offer(self) -> bytes:
        """Our offer; inside a call it keeps the number of streams and the meaning of every payload type."""
        forms = [FORMATS[codec] for codec in sorted(self.codecs, key=lambda codec: codec != self._spoken)]
        formats = [(self._numbers.of(form.mapping, form.number), form) for form in forms]
        clocks = dict.fromkeys(form.clock for form in forms)
        events = [
            Event(self._numbers.of(f"telephone-event/{clock}", EVENT_NUMBERS[clock]), clock) for clock in clocks
        ]
        protocol = "RTP/SAVP" if self.srtp == "require" or self._is_secure else "RTP/AVP"
        crypto = [] if self.srtp == "off" and not self._is_secure else self._ring.offered()
        audio = self._audio(formats, events, self.direction, protocol, crypto, mux=self.rtcp_mux)
        streams = list(self._written.media) if self._written else [audio]
        return self._write(
            tuple(audio if place == self._slot else _refused(each) for place, each in enumerate(streams))
        )

    def answer(self, data: bytes) -> tuple[bytes, Negotiated]:
        """Answer an offer: the first usable audio stream is taken, every other one refused with port 0.

        An encrypted stream outranks a plain one. Raises SdpError where nothing is usable.
        """
        offer = parse_sdp(data)
        chosen = self._choose(offer)
        answered = self._ring.answering(read_crypto(chosen)) if self._encrypts(chosen) else None
        agreed = self._agree(offer, chosen, answered[1] if answered else None)
        self._remember(chosen, offer.media.index(chosen), agreed)
        crypto = [answered[0]] if answered else []
        accepted = self._accepted(chosen, agreed, crypto)
        return self._write(tuple(accepted if each is chosen else _refused(each) for each in offer.media)), agreed

    def check(self, data: bytes) -> None:
        """Raise the SdpError that `answer` would, and change nothing."""
        offer = parse_sdp(data)
        self._agree(offer, self._choose(offer), None)

    def _choose(self, offer: SessionDescription) -> MediaDescription:
        usable = [media for media in offer.media if self._is_usable(media)]
        chosen = next((media for media in usable if media.protocol in _SECURE), usable[0] if usable else None)
        if chosen is None:
            keys = " and SDES keys" if self.srtp == "require" else ""
            raise SdpError(f"no audio stream with {', '.join(self.codecs)}{keys} is offered")
        return chosen

    def accept(self, data: bytes) -> Negotiated:
        """Read the answer to our last offer. Raises SdpError where it refuses our audio."""
        answer = parse_sdp(data)
        media = answer.media[self._slot] if len(answer.media) > self._slot else None
        if media is None or not self._is_usable(media):
            raise SdpError(f"the answer takes none of our codecs{' or keys' if self.srtp == 'require' else ''}")
        keys = self._ring.accepted(read_crypto(media)) if self._encrypts(media) else None
        if keys is None and (self.srtp == "require" or media.protocol in _SECURE):
            raise SdpError("the answer takes none of our keys")
        agreed = self._agree(answer, media, keys)
        agreed = replace(agreed, rtcp_mux=agreed.rtcp_mux and self.rtcp_mux)
        self._remember(media, self._slot, agreed)
        return agreed

    def _remember(self, media: MediaDescription, slot: int, agreed: Negotiated) -> None:
        self._numbers.learn(media)
        self._slot, self._spoken = slot, agreed.codec
        self._is_secure = media.protocol in _SECURE

    def _encrypts(self, media: MediaDescription) -> bool:
        """Keys beside plain RTP are only looked at where we asked for them."""
        return media.protocol in _SECURE or self.srtp != "off"

    def _is_usable(self, media: MediaDescription) -> bool:
        if media.kind != "audio" or media.port == 0 or not formats_of(media, self.codecs):
            return False
        if media.protocol in _SECURE:
            return bool(read_crypto(media))
        return media.protocol in _PLAIN and (self.srtp != "require" or bool(read_crypto(media)))

    def _accepted(self, offered: MediaDescription, agreed: Negotiated, crypto: list[CryptoLine]) -> MediaDescription:
        event = None if agreed.telephone_event is None else Event(agreed.telephone_event, agreed.event_clock)
        return self._audio(
            [(agreed.payload_type, FORMATS[agreed.codec])],
            [event] if event else [],
            agreed.direction,
            offered.protocol,
            crypto,
            mux=agreed.rtcp_mux,
        )

    def _audio(
        self,
        formats: list[tuple[int, Format]],
        events: list[Event],
        direction: Direction,
        protocol: str,
        crypto: list[CryptoLine],
        *,
        mux: bool,
    ) -> MediaDescription:
        numbers = [number for number, _ in formats] + [event.number for event in events]
        attributes: list[Attribute] = [line for number, form in formats for line in written(number, form)]
        attributes += [line for event in events for line in written_event(event)]
        attributes += [line.attribute() for line in crypto]
        attributes += [("rtcp-mux", None)] if mux else []
        attributes += [("ptime", "20"), (direction, None)]
        return MediaDescription("audio", self.local[1], protocol, tuple(map(str, numbers)), tuple(attributes))

    def _write(self, media: tuple[MediaDescription, ...]) -> bytes:
        """Same content, same version; changed content raises it by one (RFC 3264 section 8)."""
        if self._written is None or self._written.media != media:
            self._version += 1
            address = self.public_address or self.local[0]
            origin = Origin("-", str(self.session_id), str(self._version), address)
            self._written = SessionDescription(origin, media, address)
        return self._written.encode()

    def _agree(self, theirs: SessionDescription, media: MediaDescription, keys: Keys | None) -> Negotiated:
        address = media.connection or theirs.connection
        if address is None or not is_ip(address):
            raise SdpError(f"no IP address to send audio to: {(address or '')[:60]!r}")
        payload_type, form = formats_of(media, self.codecs)[0]
        event = event_of(media, form.clock)
        return Negotiated(
            (address, media.port),
            form.codec,
            payload_type,
            event.number if event else None,
            _direction(_their_direction(theirs, media, address), self.direction),
            event.clock if event else form.clock,
            keys,
            any(name == "rtcp-mux" for name, _ in media.attributes),
            _rtcp_address(media, address),
        )


def _refused(media: MediaDescription) -> MediaDescription:
    return replace(media, port=0, attributes=(), connection=None)


def _their_direction(theirs: SessionDescription, media: MediaDescription, address: str) -> str:
    direction = media.direction or theirs.direction or "sendrecv"
    if address not in ("0.0.0.0", "::"):
        return direction
    # Hold as RFC 2543 did it: a connection to nowhere. There is no place to send to.
    return "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"


def _rtcp_address(media: MediaDescription, address: str) -> tuple[str, int] | None:
    """`a=rtcp:53020 IN IP4 203.0.113.9` (RFC 3605); anything else is as good as absent."""
    for name, value in media.attributes:
        words = (value or "").split()
        if name != "rtcp" or not words or not words[0].isascii() or not words[0].isdigit():
            continue
        host = words[3] if len(words) == 4 and is_ip(words[3]) else address
        if 0 < int(words[0][:6]) < 65536:
            return host, int(words[0][:6])
    return None


def _direction(theirs: str, ours: Direction) -> Direction:
    """What remains of our wish once the peer has said its own."""
    mirrored = MIRROR[theirs]
    send = "send" in mirrored and "send" in ours
    receive = "recv" in mirrored and "recv" in ours
    if send:
        return "sendrecv" if receive else "sendonly"
    return "recvonly" if receive else "inactive"
