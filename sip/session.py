"""The session of one call: its media and our half of offer and answer, moved together."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sip.errors import SipError
from sip.sdp import Codec, Direction, Negotiated, OfferAnswer, Srtp
from sip.sdp.crypto import KEY_BYTES

if TYPE_CHECKING:
    from sip.media import MediaPort, MediaStats

#: Port written into descriptions of a call without media (RFC 863).
DISCARD = 9


class Media(Protocol):
    """What a call needs of its media; `sip.media.MediaSession` is one."""

    on_dtmf: Callable[[str, int], None] | None
    #: Called once when the peer has sent nothing for MEDIA_TIMEOUT_S; not while we hold.
    on_silent: Callable[[], None] | None

    @property
    def local_port(self) -> int: ...

    @property
    def gap(self) -> bool:
        """True when this tick's frame did not come from the peer."""
        ...

    @property
    def stats(self) -> MediaStats: ...

    async def open(self) -> None: ...

    def start(self, agreed: Negotiated) -> None: ...

    def set_port(self, port: MediaPort | None) -> None: ...

    def send_dtmf(self, digits: str) -> None: ...

    def close(self) -> None: ...


MediaFactory = Callable[[], Media]


class Session:
    """Life: open; then offer/accept or answer, again on every re-INVITE; close."""

    def __init__(
        self,
        factory: MediaFactory | None,
        session_id: int,
        codecs: tuple[Codec, ...],
        *,
        srtp: Srtp = "off",
        public_address: str | None = None,
    ) -> None:
        self.media: Media | None = None
        self.agreed: Negotiated | None = None
        self._factory, self._session_id, self._codecs = factory, session_id, codecs
        self._srtp, self._public_address = srtp, public_address
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
        self._half = OfferAnswer(
            (local_ip, port),
            self._session_id,
            self._codecs,
            srtp=self._srtp,
            public_address=self._public_address,
            new_key=lambda: secrets.token_bytes(KEY_BYTES),
        )

    @property
    def half(self) -> OfferAnswer:
        if self._half is None:
            raise SipError("the session is not open")
        return self._half

    @property
    def direction(self) -> Direction:
        return self.agreed.direction if self.agreed else "sendrecv"

    def offer(self, wish: Direction | None = None) -> bytes:
        """Our offer. `wish` is the direction that we want from now on (hold: sendonly; resume: sendrecv)."""
        if wish is not None:
            self.half.direction = wish
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
            self.media.start(agreed)
        self.agreed = agreed
