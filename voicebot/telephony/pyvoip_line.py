"""PyVoipLine: a Line on pyVoIP, for the simplest case: one registered extension, UDP, PCMU, few calls."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from sip.media import Lateness, MediaWheel
from sip.media.lateness import BOUNDS_MS
from voicebot.audio.frames import SILENCE
from voicebot.config import SettingsError
from voicebot.telemetry.logs import mask
from voicebot.telephony.leg import (
    Answered,
    AudioPort,
    CallLeg,
    Capabilities,
    Ended,
    IncomingHandler,
    KeyPressed,
    Keys,
    LegEvent,
    NotWantedError,
    UndiallableError,
    Wanted,
    always,
)
from voicebot.telephony.leg_events import EventLog
from voicebot.telephony.numbers import spelt
from voicebot.telephony.pyvoip_engine import PyVoipEngine, require_pyvoip
from voicebot.telephony.pyvoip_wire import Kind, Message, WireError, message
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import Registered
from voicebot.telephony.trunk_desk import TrunkDesk

log = structlog.get_logger(__name__)

MOST_CALLS = 20
CAPABILITIES = Capabilities(
    transfer=False, hold=False, early_media=False, dtmf=False, tls=False, srtp=False, max_calls=MOST_CALLS
)
DIAL_HUNG_S = 8.0
"""pyVoIP's `call` that has not come back by then never will (407, 183 or 486 as first answer), and deafens it."""
MOST_AHEAD = 10
"""Frames of received sound kept; what is older is dropped, for nobody listens to the past."""


class PyVoipLeg:
    """A CallLeg; what pyVoIP can't do is done without, as its capabilities say."""

    def __init__(self, line: PyVoipLine, number: int, remote: str, local: str, called: str = "") -> None:
        self.id = f"pyvoip-{number}"
        self.number, self.remote, self.local, self.called = number, remote, local, called
        self.trunk: str | None = line.trunk.name
        self.refers = False
        self.media_gap = False
        self.answered = False
        self.is_ours = not called
        self._line = line
        self._port: AudioPort | None = None
        self._heard: deque[bytes] = deque(maxlen=MOST_AHEAD)
        self.log = EventLog()

    def connect(self, port: AudioPort) -> None:
        self._port = port

    def events(self) -> AsyncIterator[LegEvent]:
        return self.log.read()

    def ring(self) -> None:
        """pyVoIP has said 180 already."""

    async def answer(self) -> None:
        self._line.engine.say(message(Kind.ANSWER, self.number))

    def reject(self, status: int, retry_after_s: int | None = None) -> None:
        """pyVoIP can only say 486."""
        self._line.engine.say(message(Kind.REJECT, self.number))
        self._line.over(self, Ended("local", status, "rejected"))

    async def hang_up(self, why: str | None = None) -> None:
        if self.log.ended is None:
            self._line.engine.say(message(Kind.HANG_UP, self.number))
            self._line.over(self, Ended("local", None if self.answered else 487, "hung up"))

    def send_keys(self, digits: str, how: Keys = "auto") -> None:
        log.warning("pyVoIP sends no keys", keys=len(digits))

    async def hold(self) -> None:
        """pyVoIP has no hold: the bridge is silent instead."""

    async def resume(self) -> None:
        """See hold."""

    async def refer(self, target: str | CallLeg) -> bool:
        return False

    def heard(self, pcm: bytes) -> None:
        self._heard.append(pcm)

    def tick(self, tick: int) -> None:
        """20 ms each way, called by the wheel."""
        if not self.answered:
            return
        self.media_gap = not self._heard
        received = self._heard.popleft() if self._heard else SILENCE
        sent = self._port.exchange(received, tick) if self._port is not None else None
        self._line.engine.say(Message(Kind.SOUND, self.number, sent or SILENCE))


class PyVoipLine:
    """One trunk that registers; everything else about it must be plain. SettingsError says what is not."""

    def __init__(
        self,
        listen: tuple[str, int],
        *,
        rtp_ports: tuple[int, int],
        trunks: Sequence[Trunk],
        on_incoming: IncomingHandler,
        refusal: Callable[[], int | None],
    ) -> None:
        require_pyvoip()
        self.trunk = fitting(trunks)
        self.trunks = TrunkDesk([self.trunk])
        self._listen, self._on_incoming, self._refusal = listen, on_incoming, refusal
        self._wheel = MediaWheel()
        self._legs: dict[int, PyVoipLeg] = {}
        self._numbers = itertools.count(1)
        self._watchers: set[asyncio.Task[None]] = set()
        account = self.trunk.account
        assert account is not None  # fitting has looked
        settings = {
            "server": self.trunk.host, "port": str(self.trunk.port), "user": account.user,
            "password": account.password, "host": listen[0], "sip_port": str(listen[1]),
            "rtp_low": str(rtp_ports[0]), "rtp_high": str(rtp_ports[1]),
        }  # fmt: skip
        self.engine = PyVoipEngine(settings, self._hear, self._lost)

    @property
    def address(self) -> tuple[str, int]:
        return self._listen

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def lateness(self) -> Lateness:
        return self._wheel.lateness

    @property
    def late_ticks(self) -> tuple[tuple[str, int], ...]:
        bounds = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]
        return tuple(zip(bounds, itertools.accumulate(self.lateness.counts), strict=True))

    def after_tick(self, callback: Callable[[int], None]) -> None:
        self._wheel.after(callback)

    def script_of(self, leg: CallLeg) -> str | None:
        return self.trunk.script_for(getattr(leg, "called", ""))

    async def start(self, *, register: bool = True) -> None:
        """Start process and clock; `register` is not asked, for without it pyVoIP can do nothing."""
        self.trunks.registered(self.trunk, Registered.WAITING)
        self._wheel.start()
        self.engine.start()

    def registers(self, trunk: str, ours: bool) -> None:
        """Not asked either: one extension is registered by one line."""

    async def withdraw(self) -> None:
        """pyVoIP can't unregister without ending its calls: who calls in meanwhile is refused."""

    async def close(self) -> None:
        for leg in list(self._legs.values()):
            await leg.hang_up()
        for watcher in list(self._watchers):
            watcher.cancel()
        await self.engine.stop()
        self._wheel.stop()

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> PyVoipLeg:  # fmt: skip
        if target.startswith(("sip:", "sips:")):
            remedy = "pyVoIP rings numbers of its registrar only; use VOICEBOT_LINE_ENGINE=sip"
            raise UndiallableError(f"{mask(target)!r} can't be rung: {remedy}")
        await self.trunks.wait(trunk)
        if not wanted():
            raise NotWantedError(f"{mask(target)!r} is not to be rung any more")
        number = next(self._numbers)
        user = spelt(target, self.trunk.numbers)
        leg = self._legs[number] = PyVoipLeg(
            self, number, f"sip:{user}@{self.trunk.uri_host}", f"sip:{self.trunk.caller.numbers[0]}@{self._listen[0]}"
        )
        self.trunks.sent(self.trunk)
        self._wheel.add(leg)
        self.engine.say(message(Kind.DIAL, number, number=user))
        self._spawn(self._watch_over(leg, ring_timeout_s))
        return leg

    async def _watch_over(self, leg: PyVoipLeg, ring_timeout_s: float) -> None:
        """End a call that nobody answers, and the process when `call` hangs in it."""
        await asyncio.sleep(min(DIAL_HUNG_S, ring_timeout_s))
        if leg.log.ended is None and leg.id == f"pyvoip-{leg.number}":
            self.engine.restart("pyVoIP hung in call()")
            return
        await asyncio.sleep(max(0.0, ring_timeout_s - DIAL_HUNG_S))
        if leg.log.ended is None and not leg.answered:
            self.over(leg, Ended("local", 487, "no answer"))
            if not any(one.answered for one in self._legs.values()):
                self.engine.restart("pyVoIP can't cancel a call")  # the phone would ring on

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    # --- what the process says -----------------------------------------------------------------------------

    def _hear(self, said: Message) -> None:
        try:
            self._take(said)
        except (WireError, KeyError, TypeError) as error:
            log.warning("the pyVoIP process said what can't be understood", kind=said.kind.name, error=repr(error))

    def _take(self, said: Message) -> None:
        if said.kind is Kind.READY:
            self.trunks.registered(self.trunk, Registered.DONE)
        elif said.kind is Kind.FAILED:
            self.trunks.registered(self.trunk, Registered.FAILED, str(said.data["why"]))
        elif said.kind is Kind.INCOMING:
            self._incoming(said)
        elif (leg := self._legs.get(said.call)) is not None:
            self._of_leg(leg, said)

    def _of_leg(self, leg: PyVoipLeg, said: Message) -> None:
        if said.kind is Kind.HEARD:
            leg.heard(said.body)
        elif said.kind is Kind.DIALLED:
            leg.id = str(said.data["id"])
        elif said.kind is Kind.ANSWERED:
            leg.answered = True
            if leg.is_ours:
                self.trunks.rang(self.trunk, answered=True)
            leg.log.tell(Answered())
        elif said.kind is Kind.KEY:
            leg.log.tell(KeyPressed(str(said.data["digit"])))
        elif said.kind is Kind.ENDED:
            data = said.data
            self.over(leg, Ended(str(data["by"]), data["status"], str(data["reason"])))

    def _incoming(self, said: Message) -> None:
        data = said.data
        called = str(data["called"])
        local = f"sip:{called}@{self._listen[0]}"
        leg = self._legs[said.call] = PyVoipLeg(self, said.call, str(data["remote"]), local, called)
        leg.id = str(data["id"])
        self.trunks.received(self.trunk)
        self._wheel.add(leg)
        if self._refusal() is not None:
            leg.reject(486)
        else:
            self._spawn(self._attend(leg))

    async def _attend(self, leg: PyVoipLeg) -> None:
        await self._on_incoming(leg)

    def _lost(self, why: str) -> None:
        self.trunks.registered(self.trunk, Registered.WAITING)
        for leg in list(self._legs.values()):
            self.over(leg, Ended("error", None, why))

    def over(self, leg: PyVoipLeg, ended: Ended) -> None:
        """The leg is over for us, whatever pyVoIP still does about it."""
        if self._legs.pop(leg.number, None) is not None:
            self._wheel.remove(leg)
            self.trunks.over(self.trunk, ended, rung=leg.answered)
            leg.answered = False
            leg.log.tell(ended)


def fitting(trunks: Sequence[Trunk]) -> Trunk:
    """The one trunk, with a cap on its calls; SettingsError where pyVoIP can't do what it asks."""
    if len(trunks) != 1 or trunks[0].registering is None:
        raise SettingsError("VOICEBOT_LINE_ENGINE=pyvoip needs exactly one trunk, with register = true")
    trunk = trunks[0]
    if trunk.transport != "udp" or trunk.srtp == "require" or "PCMU" not in trunk.codecs or trunk.proxy:
        raise SettingsError(f"trunk {trunk.name!r}: pyVoIP speaks UDP and PCMU without SRTP or proxy; use engine sip")
    return replace(trunk, max_calls=min(trunk.max_calls, MOST_CALLS), transfer="bridge", options_every_s=0.0)
