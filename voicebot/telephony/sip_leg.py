"""SipLeg: a CallLeg on one SIP call, and on the call that takes its place (Replaces)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import sip.events
from sip.call import Call
from sip.errors import SipError
from sip.message import NameAddr
from sip.outgoing_call import OutgoingCall
from voicebot.telephony.leg import (
    Answered,
    AudioPort,
    CallLeg,
    EarlyMedia,
    Ended,
    Held,
    KeyPressed,
    Keys,
    LegEvent,
    Resumed,
    Ringing,
    TransferWanted,
)
from voicebot.telephony.trunk import Trunk


class SipLeg:
    """`trunk` is the one it goes over, None for a call that goes straight to an address."""

    def __init__(self, call: Call, trunk: Trunk | None = None) -> None:
        self._call = call
        self._trunk = trunk
        self._port: AudioPort | None = None
        call.on_event = self._on_event

    @property
    def id(self) -> str:
        return self._call.id

    @property
    def remote(self) -> str:
        return self._asserted() or self._call.remote_uri

    @property
    def local(self) -> str:
        return self._call.local_uri

    @property
    def trunk(self) -> str | None:
        return self._trunk.name if self._trunk else None

    @property
    def refers(self) -> bool:
        return self._trunk is not None and self._trunk.transfer == "refer"

    @property
    def media_gap(self) -> bool:
        media = self._call.media
        return media is None or media.gap

    @property
    def contacted(self) -> bool:
        """Anything at all came back to our INVITE."""
        return not isinstance(self._call, OutgoingCall) or self._call.contacted

    @property
    def called(self) -> str:
        """The number that the caller dialled, as the request names it; '' where it names none."""
        return self._call.local.uri.user or ""

    def connect(self, port: AudioPort) -> None:
        self._port = port
        self._plug()

    async def events(self) -> AsyncIterator[LegEvent]:
        call, answered, held = self._call, False, False
        while True:
            async for event in call.events():
                if isinstance(event, sip.events.Replaced):
                    call = self._go_on_with(event.by)
                    if held:  # whoever passed us on had put us on hold first; the new party talks
                        held = False
                        yield Resumed()
                    break
                held = isinstance(event, sip.events.Held) or (held and not isinstance(event, sip.events.Resumed))
                translated = self._translate(event, answered)
                answered = answered or isinstance(event, sip.events.Answered)
                if translated is not None:
                    yield translated
            else:
                return

    def ring(self) -> None:
        with contextlib.suppress(SipError):  # the caller has gone meanwhile, the events tell
            self._call.ring()

    async def answer(self) -> None:
        """Where the caller has gone meanwhile, or no port is free, the events tell of the end."""
        with contextlib.suppress(SipError):
            await self._call.answer()

    def reject(self, status: int, retry_after_s: int | None = None) -> None:
        headers = [("Retry-After", str(retry_after_s))] if retry_after_s is not None else []
        self._call.reject(status, headers=headers)

    async def hang_up(self, why: str | None = None) -> None:
        if why is not None and self._call.state is sip.events.CallState.CONFIRMED:
            self._call.fail(why)
        await self._call.hangup()

    def send_keys(self, digits: str, how: Keys = "auto") -> None:
        wanted = self._trunk.dtmf if self._trunk is not None and how == "auto" else how
        self._call.send_dtmf(digits, wanted)

    async def hold(self) -> None:
        """Where the other party refuses, or has gone, the call goes on as it is."""
        with contextlib.suppress(SipError):
            await self._call.hold()

    async def resume(self) -> None:
        with contextlib.suppress(SipError):
            await self._call.resume()

    async def refer(self, target: str | CallLeg) -> bool:
        """False also where the other party refuses, or reports that the target could not be reached."""
        replaced = getattr(target, "sip_call", None)
        uri = target if isinstance(target, str) else _address_of(target)
        try:
            result = await self._call.refer(uri, replaces=replaced)
        except SipError:
            return False
        return result.succeeded

    @property
    def sip_call(self) -> Call:
        """The SIP call underneath, for Replaces."""
        return self._call

    def _go_on_with(self, call: Call) -> Call:
        self._call = call
        call.on_event = self._on_event
        self._plug()
        return call

    def _on_event(self, event: sip.events.CallEvent) -> None:
        if isinstance(event, sip.events.EarlyMedia | sip.events.Answered):
            self._plug()
        elif isinstance(event, sip.events.TransferRequested):
            with contextlib.suppress(SipError):
                self._call.decline_transfer(603)

    def _plug(self) -> None:
        early = self._call.state is sip.events.CallState.EARLY
        if early and self._trunk is not None and not self._trunk.early_media:
            return
        if self._port is not None and self._call.media is not None:
            self._call.media.set_port(self._port)

    def _translate(self, event: sip.events.CallEvent, answered: bool) -> LegEvent | None:
        match event:
            case sip.events.Ringing(status):
                return Ringing(status)
            case sip.events.EarlyMedia():
                return EarlyMedia() if self._trunk is None or self._trunk.early_media else None
            case sip.events.Answered():
                return None if answered else Answered()
            case sip.events.Dtmf(digit=digit):
                return KeyPressed(digit)
            case sip.events.Held():
                return Held()
            case sip.events.Resumed():
                return Resumed()
            case sip.events.TransferRequested(target=target):
                return TransferWanted(target)
            case sip.events.Ended():
                return Ended(
                    event.by, event.status, event.reason, event.q850, event.retry_after_s, event.sip_cause
                )
            case _:
                return None

    def _asserted(self) -> str | None:
        """Who calls in, as a trunk of ours asserts it (RFC 3325); From may be anonymous or anything."""
        if self._trunk is None or self._call.direction != "in":
            return None
        for text in self._call.headers.all("P-Asserted-Identity"):
            with contextlib.suppress(SipError):
                return str(NameAddr.parse(text).uri)
        return None


def _address_of(leg: CallLeg) -> str:
    call = getattr(leg, "sip_call", None)
    target = call.remote_target if isinstance(call, Call) else None
    return target or leg.remote
