"""For tests: legs whose other party is the test, and a line that hands them out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from voicebot.audio.frames import SILENCE
from voicebot.telephony.leg import (
    Answered,
    AudioPort,
    CallLeg,
    Capabilities,
    Ended,
    Keys,
    LegEvent,
    NotWantedError,
    Wanted,
    always,
)
from voicebot.telephony.leg_events import EventLog


class SimulatedLeg:
    """A CallLeg; `tell` is what the network tells, `tick` carries 20 ms of sound each way."""

    def __init__(self, remote: str = "sip:somebody@192.0.2.7") -> None:
        self.id = f"leg-{id(self):x}"
        self.remote = remote
        self.local = "sip:voicebot@192.0.2.1:5060"
        self.media_gap = False
        self.port: AudioPort | None = None
        self.keys = ""
        self.rings = False
        self.refused: tuple[int, int | None] | None = None
        self.trunk: str | None = None
        self.refers = False
        self.accepts_refer = True
        self.referred: str | None = None
        self.held = False
        self._log = EventLog()

    # --- CallLeg -------------------------------------------------------------------------------------------

    def connect(self, port: AudioPort) -> None:
        self.port = port

    def events(self) -> AsyncIterator[LegEvent]:
        return self._log.read()

    def ring(self) -> None:
        self.rings = True

    async def answer(self) -> None:
        self.tell(Answered())

    def reject(self, status: int, retry_after_s: int | None = None) -> None:
        self.refused = (status, retry_after_s)
        self.tell(Ended("local", status, "rejected"))

    async def hang_up(self, why: str | None = None) -> None:
        self.tell(Ended("error" if why else "local", None, why or "hung up"))

    def send_keys(self, digits: str, how: Keys = "auto") -> None:
        self.keys += digits

    async def hold(self) -> None:
        self.held = True

    async def resume(self) -> None:
        self.held = False

    async def refer(self, target: str | CallLeg) -> bool:
        self.referred = target if isinstance(target, str) else target.remote
        if self.accepts_refer:
            self.tell(Ended("remote", None, "handed on"))
        return self.accepts_refer

    # --- the other party -----------------------------------------------------------------------------------

    @property
    def ended(self) -> Ended | None:
        return self._log.ended

    def tell(self, event: LegEvent) -> None:
        """Something happens on the leg; after its end nothing does."""
        self._log.tell(event)

    def tick(self, number: int, said: bytes = SILENCE) -> bytes:
        """The other party says 20 ms and hears 20 ms."""
        if self.port is None or self.ended is not None:
            return SILENCE
        return self.port.exchange(said, number) or SILENCE


class SimulatedLine:
    """A Line; `on_dial` sees every leg as it is rung, and may tell it what happens."""

    def __init__(self, on_dial: Callable[[SimulatedLeg], None] = lambda leg: None) -> None:
        self.address = ("192.0.2.1", 5060)
        self.capabilities = Capabilities()
        self.legs: list[SimulatedLeg] = []
        self.on_dial = on_dial

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> SimulatedLeg:  # fmt: skip
        if not wanted():
            raise NotWantedError("wanted no more")
        leg = SimulatedLeg(target)
        leg.trunk = trunk
        self.legs.append(leg)
        self.on_dial(leg)
        return leg

    async def close(self) -> None:
        for leg in self.legs:
            await leg.hang_up()
