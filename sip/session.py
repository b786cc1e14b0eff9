"""The session of one call: its media and our half of offer and answer, moved together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sip.errors import SipError
from sip.sdp import Codec, Direction, Negotiated, OfferAnswer

if TYPE_CHECKING:
    from sip.media import MediaPort, MediaStats

#: Port written into descriptions of a call without media (RFC 863).
DISCARD = 9


class Media(Protocol):
    """What a call needs of its media; `sip.media.MediaSession` is one."""

    on_dtmf: Callable[[str, int], None] | None

    @property
    def local_port(self) -> int: ...

    @property
    def gap(self) -> bool:
        """True when this tick's frame did not come from the peer."""
        ...

    @property
    def stats(self) -> MediaStats: ...

    async def open(self) -> None: ...

    def start(
        self,
        remote: tuple[str, int],
        codec: Codec,
        payload_type: int,
        telephone_event_pt: int | None,
        direction: Direction = "sendrecv",
    ) -> None: ...

    def set_port(self, port: MediaPort | None) -> None: ...

    def send_dtmf(self, digits: str) -> None: ...

    def close(self) -> None: ...


MediaFactory = Callable[[], Media]


class Session:
    """Life: open; then offer/accept or answer, again on every re-INVITE; close."""

    def __init__(self, factory: MediaFactory | None, session_id: int, codecs: tuple[Codec, ...]) -> None:
        self.media: Media | None = None
        self.agreed: Negotiated | None = None
        self._factory, self._session_id, self._codecs = factory, session_id, codecs
        self._half: OfferAnswer | None = None
        self._is_closed = False

    async def open(self, local_ip: str) -> None:
        """Create the media and bind its port. Raises SipError where there is none to be had."""
        port = DISCARD
        if self._factory is not None:
            self.media = self._factory()
            try:
                await self.media.open()
            except Exception as error:
                self.close()
                raise SipError(f"no media port: {error}") from error
            except BaseException:
                self.close()
                raise
            port = self.media.local_port
        self._half = OfferAnswer((local_ip, port), self._session_id, self._codecs)

    @property
    def half(self) -> OfferAnswer:
        if self._half is None:
            raise SipError("the session is not open")
        return self._half

    @property
    def direction(self) -> Direction:
        return self.agreed.direction if self.agreed else "sendrecv"

    def offer(self) -> bytes:
        return self.half.offer()

    def answer(self, offer: bytes) -> bytes:
        """Answer the peer's offer and move the media accordingly. Raises SdpError and changes nothing."""
        body, agreed = self.half.answer(offer)
        self._start(agreed)
        return body

    def accept(self, answer: bytes) -> None:
        """Take the peer's answer to our offer. Raises SdpError and changes nothing."""
        self._start(self.half.accept(answer))

    def close(self) -> None:
        """Free the media. An answer that comes later, crossing our goodbye, starts nothing again."""
        self._is_closed = True
        if self.media is not None:
            self.media.close()

    def _start(self, agreed: Negotiated) -> None:
        if agreed != self.agreed and self.media is not None and not self._is_closed:
            self.media.start(agreed.remote, agreed.codec, agreed.payload_type, agreed.telephone_event, agreed.direction)
        self.agreed = agreed
