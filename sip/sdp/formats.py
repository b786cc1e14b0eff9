"""Payload formats: the codecs we speak, their names and numbers in SDP (RFC 3551, RFC 7587, RFC 4733)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sip.sdp.description import Attribute, MediaDescription

Codec = Literal["PCMA", "PCMU", "G722", "opus"]
TELEPHONE_CODECS: Final[tuple[Codec, ...]] = ("PCMA", "PCMU")
"""What every telephone has; what we speak where nobody says otherwise."""
TELEPHONE_EVENT: Final = 101
"""The payload type under which we offer telephone-event (RFC 4733); the usual choice of the world."""
EVENT_NUMBERS: Final = {8000: TELEPHONE_EVENT, 48000: 110}


@dataclass(frozen=True, slots=True)
class Format:
    """How a codec is written. `clock`: of its RTP timestamps, 8000 for G.722 by an old mistake (RFC 3551 4.5.2)."""

    codec: Codec
    mapping: str
    clock: int
    number: int
    """The static payload type, or the dynamic one that we offer."""
    parameters: str | None = None


FORMATS: Final[dict[Codec, Format]] = {
    "PCMU": Format("PCMU", "PCMU/8000", 8000, 0),
    "PCMA": Format("PCMA", "PCMA/8000", 8000, 8),
    "G722": Format("G722", "G722/8000", 8000, 9),
    # Two channels in the name, always; one in what we send and wish for (RFC 7587 sections 6.1 and 7).
    "opus": Format("opus", "opus/48000/2", 48000, 111, "stereo=0;sprop-stereo=0;useinbandfec=0"),
}
_STATIC: Final = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
_BY_MAPPING: Final = {each.mapping.upper(): each for each in FORMATS.values()}
_DYNAMIC: Final = range(96, 128)


@dataclass(frozen=True, slots=True)
class Event:
    """A telephone-event format; `clock` must be that of the audio beside it (RFC 4733 section 2.1)."""

    number: int
    clock: int

    @property
    def mapping(self) -> str:
        return f"telephone-event/{self.clock}"


def formats_of(media: MediaDescription, wanted: Iterable[Codec]) -> list[tuple[int, Format]]:
    """(payload type, format) of a stream's formats that are among the wanted, in the writer's order."""
    allowed = set(wanted)
    found = []
    for text in media.formats:
        mapping = mapping_of(media, text)
        known = _BY_MAPPING.get(mapping.removesuffix("/1")) if mapping else None
        if known is not None and known.codec in allowed and _is_number(text):
            found.append((int(text), known))
    return found


def event_of(media: MediaDescription, clock: int) -> Event | None:
    """The telephone-event of this clock; where there is none, that of 8000 Hz, as old phones mean it."""
    events: dict[int, int] = {}
    for text in media.formats:
        name, _, rate = (media.rtpmap(text) or "").partition("/")
        if name == "TELEPHONE-EVENT" and rate.isdigit() and len(rate) < 7 and _is_number(text):
            events.setdefault(int(rate), int(text))
    for rate_hz in (clock, 8000):
        if rate_hz in events:
            return Event(events[rate_hz], rate_hz)
    return None


def mapping_of(media: MediaDescription, text: str) -> str | None:
    """`PCMA/8000` for format "8", in upper case, from the attributes or the static table."""
    return media.rtpmap(text) or _STATIC.get(text)


class Numbers:
    """Payload types of one stream. What a number meant once, it means for good (RFC 3264 section 8.3.2)."""

    def __init__(self) -> None:
        self._meaning: dict[int, str] = {}

    def learn(self, media: MediaDescription) -> None:
        """Numbers that the peer wrote."""
        for text in media.formats:
            mapping = mapping_of(media, text)
            if mapping is not None and _is_number(text):
                self._meaning.setdefault(int(text), mapping.upper().removesuffix("/1"))

    def of(self, mapping: str, usual: int) -> int:
        """The number of this mapping: that of the peer, or else the usual one, or else a free one."""
        wanted = mapping.upper()
        for number, meaning in self._meaning.items():
            if meaning == wanted:
                return number
        free = (number for number in (usual, *reversed(_DYNAMIC)) if number not in self._meaning)
        chosen = next(free, usual)
        self._meaning[chosen] = wanted
        return chosen


def written(number: int, form: Format) -> list[Attribute]:
    """The attributes of a codec's format."""
    lines: list[Attribute] = [("rtpmap", f"{number} {form.mapping}")]
    return [*lines, ("fmtp", f"{number} {form.parameters}")] if form.parameters else lines


def written_event(event: Event) -> list[Attribute]:
    return [("rtpmap", f"{event.number} {event.mapping}"), ("fmtp", f"{event.number} 0-15")]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:4]) < 128
