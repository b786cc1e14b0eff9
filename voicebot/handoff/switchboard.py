"""Switchboard: brings people into one call, and obeys those who are in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.handoff.audibility import Part
from voicebot.handoff.consultation import Consultation, seat_of
from voicebot.handoff.desk import Desk, Seat, Wanted
from voicebot.handoff.finders import Finder, NamedFinder, QueueFinder, SupervisorFinder
from voicebot.handoff.hold import GREETING, HoldLoop, place_sentence, ringback
from voicebot.handoff.levels import Mixer
from voicebot.handoff.phone import Phone
from voicebot.handoff.room import Host, Room
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.states import Event, State, after
from voicebot.handoff.supervision import Supervision
from voicebot.handoff.transfer import Accepted, Briefing, Failed, WarmTransfer
from voicebot.handoff.urgent import first_of
from voicebot.telephony.leg import CallLeg, Ended, Held, LegEvent, Line, Resumed, TransferWanted

log = structlog.get_logger(__name__)


class Switchboard:
    """The people of one call. `leg` is the debtor's; its sound goes through `exchange` while `engaged`."""

    def __init__(self, host: Host, desk: Desk, line: Line, leg: CallLeg, rules: TransferRules) -> None:
        self._host = host
        self._room = Room(host, desk, line, leg, rules)
        self._consultation = Consultation(self._room)
        self._supervision = Supervision(self._room, self._take)
        self._searches: set[WarmTransfer] = set()
        self._fetching: asyncio.Task[None] | None = None
        self._announcing: asyncio.Task[None] | None = None
        self._briefing = Briefing()
        self._referring = False
        self._passing = False
        self._before: int | None = None
        self._accepted_at: float | None = None
        self._beside = Mixer()
        self.state = State.BOT

    @property
    def engaged(self) -> bool:
        """Somebody else is in the call, or waited for with music."""
        return len(self._room.conference.parties) > 1 or self._room.conference.debtor.music is not None

    @property
    def joined(self) -> bool:
        """A person talks with the debtor."""
        return self._room.agent is not None

    @property
    def fetching(self) -> bool:
        return self._fetching is not None

    # --- sound ---------------------------------------------------------------------------------------------

    def exchange(self, received: bytes, bot: bytes | None) -> bytes | None:
        """The debtor's 20 ms: what they said goes to the others, what they hear comes out."""
        conference = self._room.conference
        if bot is not None:
            conference.spread(None, bot)
        if self._accepted_at is not None:
            self._note_joined(self._accepted_at)
        return conference.debtor.exchange(received, 0)

    def agent_said(self) -> bytes | None:
        """The agent's last 20 ms, where the debtor hears them."""
        agent = self._room.agent
        said = agent.party.take_said() if agent is not None else None
        return None if self._room.conference.floor.held else said

    def consulted(self) -> bytes | None:
        """The last 20 ms on the leg of whoever is asked, with the agent where the debtor can't hear them; else None."""
        phone, agent = self._consultation.phone, self._room.agent
        if phone is None:
            return None
        apart = agent.party.said if agent is not None and self._room.conference.floor.held else None
        return self._beside([frame for frame in (phone.party.take_said(), apart) if frame is not None])

    def _note_joined(self, accepted_at: float) -> None:
        """Both hear each other from the tick in which the agent's sound first reaches the debtor."""
        agent = self._room.agent
        if agent is not None and self._room.conference.debtor.has_from(agent.party):
            self._accepted_at = None
            accept_ms = round((asyncio.get_running_loop().time() - accepted_at) * 1000)
            data = {"agent": agent.seat.id, "name": agent.seat.name, "accept_ms": accept_ms}
            self._host.journal(FactKind.JOINED, data)

    # --- fetching a person ---------------------------------------------------------------------------------

    def fetch(self, wanted: Wanted, briefing: Briefing, *, waits: bool = True) -> bool:
        """Begin to fetch a person; False while that goes on already, or one is here.

        The debtor `waits` to music, or talks with the bot meanwhile.
        """
        if self.joined or self.state is State.OVER:
            return False
        if waits and self._announcing is None:
            self._room.conference.debtor.music = HoldLoop().next
            self._announcing = self._room.spawn(self._announce())
        if self.fetching:
            return False
        if self.state is State.BOT:
            self.state = after(self.state, Event.TRIGGERED)
        self._briefing = briefing
        self._fetching = self._room.spawn(self._fetch(wanted))
        return True

    async def _fetch(self, wanted: Wanted) -> None:
        data = {"reason": wanted.reason, "skill": wanted.skill, "language": wanted.language, "urgent": wanted.urgent}
        self._host.journal(FactKind.TRANSFER_STARTED, data)
        try:
            result = await self._search(wanted)
        finally:
            self._fetching = None
            announcing, self._announcing = self._announcing, None
            if announcing is not None:
                self._room.conference.debtor.music = None
                announcing.cancel()
        if isinstance(result, Accepted):
            self.state = State.JOINED
            self._take(result.phone, result.how)
        else:
            self.state = State.BOT
            await self._failed(wanted, result)

    async def _failed(self, wanted: Wanted, failed: Failed) -> None:
        self._host.journal(FactKind.TRANSFER_FAILED, {"agent": None, "why": failed.why})
        self._host.not_taken(failed.why)
        text = f"转人工没有接通：{wanted.reason}"
        await self._room.desk.alert(AlertKind.TRANSFER_FAILED, text, self._host.call_id)

    async def _search(self, wanted: Wanted) -> Accepted | Failed:
        rules, desk = self._room.rules, self._room.desk
        wait_s = rules.urgent_wait_s if wanted.urgent else rules.wait_s
        ring_s = rules.urgent_ring_s if wanted.urgent else rules.ring_s
        agents = self._searching(QueueFinder(desk, wanted, wait_s, self._placed), ring_s)
        if not wanted.urgent:
            try:
                return await agents.run(self._briefing)
            finally:
                self._searches.discard(agents)
        supervisors = self._searching(SupervisorFinder(desk, self._host.call_id), rules.ring_s)
        try:
            return await first_of(agents, supervisors, rules.supervisors_after_s, self._briefing)
        finally:
            self._searches -= {agents, supervisors}

    def _searching(self, finder: Finder, ring_s: float) -> WarmTransfer:
        room = self._room
        search = WarmTransfer(
            finder, room.desk, room.line, room.conference, self._host.journal, room.rules, ring_s=ring_s
        )
        self._searches.add(search)
        return search

    def _placed(self, before: int) -> None:
        if before != self._before:
            self._before = before
            self._host.journal(FactKind.QUEUED, {"position": before})

    async def _announce(self) -> None:
        """Tell the debtor now and then how long it may take."""
        while True:
            await asyncio.sleep(self._room.rules.position_every_s)
            self._host.say(place_sentence(self._before or 0))

    # --- who talks with the debtor -------------------------------------------------------------------------

    def preview(self, seat: Seat, leg: CallLeg) -> None:
        """The agent is here before the debtor: they dialled, the bot stays out of it."""
        phone = Phone(leg, seat, self._room.conference.join(Part.BRIEFED, seat.id))
        phone.party.music = HoldLoop(ringback()).next
        self._host.journal(FactKind.AGENT_ANSWERED, {"agent": seat.id})
        self._take(phone, "preview")
        self._accepted_at = None

    def debtor_answered(self) -> None:
        """From now on an agent who dialled can be joined."""
        agent = self._room.agent
        if agent is not None and self._accepted_at is None:
            agent.party.music = None
            self._accepted_at = asyncio.get_running_loop().time()

    def _take(self, phone: Phone, how: str) -> None:
        """`phone` is the agent from this moment; who was it before leaves."""
        room, before = self._room, self._room.agent
        if self.state is State.OVER:  # the call ended while this phone rang
            room.spawn(room.dismiss(phone, talked=False))
            return
        fetching = self._fetching
        if fetching is not None:
            fetching.cancel()
        if before is not None or self.state is not State.JOINED:
            self.state = after(self.state, Event.PASSED_ON)
        if before is not None:
            room.host.journal(FactKind.AGENT_LEFT, {"agent": before.seat.id, "by": how})
            room.spawn(room.dismiss(before, talked=True))
        phone.party.part = Part.AGENT
        room.agent = phone
        room.hold(False)
        room.admit(phone, self._on_agent)
        self._accepted_at = asyncio.get_running_loop().time()
        self._host.taken_over()
        if room.rules.greets and how != "preview":
            self._host.say(GREETING)
        if room.leg.refers and how != "preview":
            room.spawn(self._leave_us(phone))

    def _on_agent(self, phone: Phone, event: LegEvent) -> None:
        """What the agent does with the buttons of their phone counts as what they do on the desk."""
        if phone is not self._room.agent or self.state is State.OVER:
            return
        match event:
            case Held() | Resumed():
                self._consultation.hold(isinstance(event, Held))
            case TransferWanted(target=target):
                self._room.spawn(self._pass_on(target))
            case Ended() if not self._referring:
                self._agent_left(phone, event)

    def _agent_left(self, phone: Phone, ended: Ended) -> None:
        room = self._room
        room.agent, self._accepted_at = None, None
        gone = ended.by == "remote" and not ended.lost
        self._host.journal(FactKind.AGENT_LEFT, {"agent": phone.seat.id, "by": ended.by})
        self._consultation.end()
        room.hold(False)
        room.spawn(room.dismiss(phone, talked=gone))
        barging = self._supervision.barging()
        if barging is not None:
            self._supervision.give_up(barging)
            self._take(barging, "barge")
        elif gone and self._passing:
            room.hold(True)
        else:
            self._without_agent(Event.AGENT_GONE if gone else Event.AGENT_LOST)

    def _without_agent(self, event: Event) -> None:
        self.state = after(self.state, event)
        if event is Event.AGENT_GONE:
            self._room.spawn(self._host.hang_up())
        else:
            self._host.left_alone()

    async def _leave_us(self, phone: Phone) -> None:
        await self._refer(phone.leg, phone.seat.id)

    async def _refer(self, target: str | CallLeg, name: str) -> bool:
        """Let the call leave us, where the trunk wants that; on failure it stays bridged."""
        self._referring = True
        try:
            gone = await self._room.leg.refer(target)
        finally:
            self._referring = False
        self._host.journal(FactKind.REFERRED, {"target": name, "status": 200 if gone else None, "accepted": gone})
        if gone:
            self.state = after(self.state, Event.REFERRED)
            await self._host.hang_up()
        elif (agent := self._room.agent) is not None and agent.ended is not None:
            self._agent_left(agent, agent.ended)
        return gone

    # --- commands ------------------------------------------------------------------------------------------

    def obey(self, verb: str, payload: Mapping[str, object]) -> bool:
        """Carry out what somebody clicked; False for a verb that is none of ours."""
        agent = str(payload.get("agent", ""))
        match verb:
            case "accept" | "decline":
                self._click(agent, accept=verb == "accept")
            case "agent_hold":
                self._consultation.hold(bool(payload.get("on")))
            case "consult":
                self._consultation.start(str(payload.get("target", "")))
            case "three_way":
                self._consultation.three_way()
            case "end_consult":
                self._consultation.end()
            case "transfer":
                self._room.spawn(self._pass_on(str(payload.get("target") or "")))
            case "supervise":
                self._supervision.supervise(agent, str(payload.get("mode", "")))
            case "fetch_person":
                reason, skill = str(payload.get("reason", "")), str(payload.get("skill", "general"))
                self.fetch(Wanted(self._host.call_id, reason, skill), Briefing(reason), waits=False)
            case _:
                return False
        return True

    def _click(self, agent_id: str, *, accept: bool) -> None:
        for search in self._searches:
            if search.phone is not None and search.phone.seat.id == agent_id:
                search.phone.click(accept=accept)

    async def _pass_on(self, target: str) -> None:
        """The agent hands the call on; they may hang up meanwhile, then the debtor waits to music."""
        agent = self._room.agent
        if agent is None or self._passing:
            return
        consulted = self._consultation.hand_over()
        self._passing = True
        try:
            phone = consulted or await self._next_for(target)
        finally:
            self._passing = False
        if phone is not None and self._room.agent in (agent, None):
            self._take(phone, "transfer")
        elif phone is not None:  # a supervisor was faster
            await self._room.dismiss(phone, talked=False)
        elif self._room.agent is None and self.state is State.JOINED:
            self._without_agent(Event.AGENT_LOST)

    async def _next_for(self, target: str) -> Phone | None:
        """The phone of who takes the call: an agent is fetched warm, a number is referred to or rung."""
        try:
            if await self._room.desk.find(target) is not None:
                return await self._fetch_named(target)
            if not target or (self._room.leg.refers and await self._refer(target, target)):
                return None
            rung = await self._room.ring(Seat(target, target, target))
        except Exception:
            log.exception("a call can't be handed on", call_id=self._host.call_id)
            rung = "failed"
        if isinstance(rung, str):
            self._host.journal(FactKind.TRANSFER_FAILED, {"agent": target, "why": rung})
            return None
        return rung

    async def _fetch_named(self, agent_id: str) -> Phone | None:
        seat = await seat_of(self._room, agent_id)
        if seat is None:
            self._host.journal(FactKind.TRANSFER_FAILED, {"agent": agent_id, "why": Event.BUSY.value})
            return None
        search = self._searching(NamedFinder(seat), self._room.rules.ring_s)
        try:
            result = await search.run(self._briefing)
        finally:
            self._searches.discard(search)
        return result.phone if isinstance(result, Accepted) else None

    async def close(self) -> None:
        """The debtor is gone. Everybody is hung up and free at once."""
        if self.state is not State.OVER:
            self.state = after(self.state, Event.DEBTOR_GONE)
        await self._room.close()
