"""Station: our stack and nothing else, in this process: it answers, plays its tone, and remembers what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from sip.call import Call
from sip.events import Answered, CallEvent, CallState, Dtmf, Ended
from sip.media import MediaSession, MediaWheel, PortPool
from sip.transport import TlsSettings
from sip.user_agent import UserAgent

from .certificate import Certificate
from .installation import free_port, media_ports
from .tones import tone, until_heard

FRAME_BYTES = 320
IP = "127.0.0.1"


class Talk:
    """One call with its sound: the tone for as long as it lasts."""

    def __init__(self, call: Call, hz: int) -> None:
        self.call = call
        self.heard = bytearray()
        self.seen: list[CallEvent] = []
        self._tone, self._at = tone(hz, 1.0), 0
        call.on_event = self._note
        self._connect()

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.heard += received
        self._at = (self._at + FRAME_BYTES) % len(self._tone)
        return self._tone[self._at : self._at + FRAME_BYTES]

    def _note(self, event: CallEvent) -> None:
        self.seen.append(event)
        self._connect()

    def _connect(self) -> None:
        if self.call.media is not None:
            self.call.media.set_port(self)

    def of(self, kind: type[CallEvent]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]

    async def until(self, *kinds: type[CallEvent], within_s: float = 12.0) -> Any:
        """The first event of these kinds, from the beginning of the call."""
        try:
            async with asyncio.timeout(within_s):
                async for event in self.call.events():
                    if isinstance(event, kinds):
                        return event
        except TimeoutError:
            raise AssertionError(f"none of {kinds} within {within_s} s: {self.seen}") from None
        raise AssertionError(f"the call ended before: {self.seen}")

    async def answered(self, within_s: float = 12.0) -> None:
        event = await self.until(Answered, Ended, within_s=within_s)
        assert isinstance(event, Answered), event

    async def ended(self, within_s: float = 12.0) -> Ended:
        event = await self.until(Ended, within_s=within_s)
        assert isinstance(event, Ended)
        return event

    async def keys(self, count: int, within_s: float = 5.0) -> str:
        """The keys pressed so far, as soon as there are so many or time is up."""
        for _ in range(round(within_s / 0.05)):
            if len(self.of(Dtmf)) >= count:
                break
            await asyncio.sleep(0.05)
        return "".join(event.digit for event in self.of(Dtmf))

    async def hears(self, hz: int, ms: int, share: float = 0.5) -> None:
        """Wait until more than `ms` of what comes in from now on are this tone; `share` as of tone_ms."""
        before = len(self.heard)
        await until_heard(lambda: self.heard[before:], hz, ms, share=share)

    async def hear(self, seconds: float) -> bytes:
        """What comes in during the next seconds."""
        before = len(self.heard)
        await asyncio.sleep(seconds)
        return bytes(self.heard[before:])


async def answer_at_once(call: Call) -> None:
    call.ring()
    await asyncio.sleep(0.05)  # a proxy with several processes may swap what follows at once
    if call.state is not CallState.ENDED:
        await call.answer()


class Station:
    """A user agent on a free port of 127.0.0.1, or of the option `ip`."""

    def __init__(self, hz: int, takes: Callable[[Call], Awaitable[None]], options: dict[str, Any]) -> None:
        self._hz, self._takes = hz, takes
        self.wheel: MediaWheel = options.pop("wheel", None) or MediaWheel()
        self._tls_port = (options.get("tls_listen") or (IP, 0))[1]
        ports = PortPool(*media_ports())
        self.calls: asyncio.Queue[Talk] = asyncio.Queue()
        self.talks: list[Talk] = []
        ip = self._ip = options.pop("ip", IP)
        options = {"name": "station", "media_factory": lambda: MediaSession(self.wheel, ip, ports), **options}
        self.agent = UserAgent((ip, 0), on_incoming=self._on_call, **options)

    async def _on_call(self, call: Call) -> None:
        talk = Talk(call, self._hz)
        self.talks.append(talk)
        self.calls.put_nowait(talk)
        await self._takes(call)

    @property
    def port(self) -> int:
        return self.agent.address[1]

    @property
    def uri(self) -> str:
        host = f"[{self._ip}]" if ":" in self._ip else self._ip
        return f"sip:station@{host}:{self.port}"

    @property
    def tls_uri(self) -> str:
        return f"sip:station@{IP}:{self._tls_port};transport=tls"

    async def call(self, within_s: float = 10.0) -> Talk:
        """The next incoming call."""
        return await asyncio.wait_for(self.calls.get(), within_s)

    async def hears_a_call(self, hz: int, ms: int) -> None:
        """Take the next call, wait until so much of this tone was heard in it, and hang up."""
        talk = await self.call()
        await talk.answered()
        await talk.hears(hz, ms)
        await talk.call.hangup()

    def dial(self, uri: str, **options: Any) -> Talk:
        talk = Talk(self.agent.call(uri, **{"from_uri": self.uri, **options}), self._hz)
        self.talks.append(talk)
        return talk

    async def is_idle(self, within_s: float = 5.0) -> bool:
        """Whether every call is over and forgotten."""
        for _ in range(round(within_s / 0.05)):
            if not self.agent.calls:
                return True
            await asyncio.sleep(0.05)
        return False


def with_tls(certificate: Certificate) -> dict[str, Any]:
    """Options of a station that also listens on TLS and trusts that certificate alone."""
    settings = TlsSettings(certificate.certificate, certificate.key, certificate.certificate)
    return {"tls": settings, "tls_listen": (IP, free_port(socket.SOCK_STREAM))}


@contextlib.asynccontextmanager
async def station(
    hz: int = 440, takes: Callable[[Call], Awaitable[None]] = answer_at_once, **options: Any
) -> AsyncIterator[Station]:
    one = Station(hz, takes, options)
    await one.agent.start()
    one.wheel.start()
    try:
        yield one
    finally:
        await one.agent.close()
        one.wheel.stop()
