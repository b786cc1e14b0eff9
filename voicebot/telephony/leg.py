"""CallLeg and Line: one party on the phone, and the thing that rings parties. Engines implement these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol


class AudioPort(Protocol):
    """What a leg's sound is connected to."""

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Take 20 ms of received sound (320 bytes, s16le, 8 kHz), give 20 ms to send or None for silence."""
        ...


@dataclass(frozen=True, slots=True)
class Ringing:
    status: int


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """Sound before the answer: ringback or a carrier's announcement."""


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class TrunkTried:
    """A trunk could not take the call before anybody was rung; `next` is the trunk that is tried now."""

    trunk: str
    status: int | None
    reason: str
    next: str
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """The other party put us on hold."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The other party talks to us again."""


@dataclass(frozen=True, slots=True)
class TransferWanted:
    """The other party asked us to go on with `target`, a URI, in its place (REFER); it was told 603."""

    target: str


_BROKEN = frozenset({27, 38, 41})
"""Destination out of order, network out of order, temporary failure (ITU-T Q.850 table 1)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The leg is over. `by`: local, remote or error; `status`: final SIP status if there was one."""

    by: str
    status: int | None
    reason: str
    q850: int | None = None
    retry_after_s: int | None = None
    sip_cause: int | None = None

    @property
    def lost(self) -> bool:
        """Whether the line broke rather than somebody hung up: an error, or a cause of the other side that says so."""
        return self.by == "error" or (self.by == "remote" and self.q850 in _BROKEN)


LegEvent = Ringing | EarlyMedia | Answered | KeyPressed | TrunkTried | Held | Resumed | TransferWanted | Ended
Keys = Literal["auto", "rfc4733", "info"]
"""How digits are sent: as telephone events (RFC 4733), as INFO, or as the trunk wants it."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do; what it can't, the rest does without: no transfer means bridge, no hold means silence."""

    transfer: bool = True
    hold: bool = True
    early_media: bool = True
    dtmf: bool = True
    tls: bool = True
    srtp: bool = True
    max_calls: int | None = None


class CallLeg(Protocol):
    """One party's leg."""

    @property
    def id(self) -> str:
        """The Call-ID on the wire."""
        ...

    @property
    def remote(self) -> str:
        """The other party's URI."""
        ...

    @property
    def local(self) -> str:
        """The URI we ring with, or are rung at."""
        ...

    @property
    def trunk(self) -> str | None:
        """The trunk it goes over; None where it goes over none."""
        ...

    @property
    def refers(self) -> bool:
        """True where its trunk wants a call that is handed on to leave us (`refer`); else bridge it."""
        ...

    @property
    def media_gap(self) -> bool:
        """True when the sound of the last tick had to be concealed or was absent."""
        ...

    def connect(self, port: AudioPort) -> None:
        """From now on the leg's sound goes through `port`."""
        ...

    def events(self) -> AsyncIterator[LegEvent]: ...

    def ring(self) -> None:
        """Tell the caller that the phone rings here (180)."""
        ...

    async def answer(self) -> None: ...

    def reject(self, status: int, retry_after_s: int | None = None) -> None: ...

    async def hang_up(self, why: str | None = None) -> None:
        """End it. `why`: nobody wanted that, such as a browser that is gone; the other side is told so (Q.850 41)."""
        ...

    def send_keys(self, digits: str, how: Keys = "auto") -> None: ...

    async def hold(self) -> None:
        """Put the other party on hold; without that capability nothing happens and the bridge is silent."""
        ...

    async def resume(self) -> None: ...

    async def refer(self, target: str | CallLeg) -> bool:
        """Hand the call on: to a URI or number, or into another leg's place (Replaces). False: it stays with us."""
        ...


class UndiallableError(ValueError):
    """A number or address that this line can't ring; the message says who must do what about it."""


class NotWantedError(RuntimeError):
    """Whoever wanted a number rung wants it no more, and nothing was sent."""


IncomingHandler = Callable[[CallLeg], Awaitable[None]]
Wanted = Callable[[], bool]
"""Whether a number is still to be rung: asked right before anything is sent, however long it took to come to that."""


def always() -> bool:
    return True


class Line(Protocol):
    """The phone line of a worker."""

    @property
    def address(self) -> tuple[str, int]: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> CallLeg:  # fmt: skip
        """Ring `target`, a sip: URI or a number for a trunk; returns at once, events tell the rest.

        `caller_id` is shown where the trunk's pool holds it; `trunk` names the only trunk to be used.
        UndiallableError when there is no way to ring it from here; NotWantedError when it is `wanted` no more.
        """
        ...

    async def close(self) -> None: ...
