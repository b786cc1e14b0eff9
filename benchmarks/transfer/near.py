"""The line under test: the product's, with a script in the brain's place that orders one hand-over per call."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.transfer.phones import hum
from voicebot.call.outcome import CallOutcome
from voicebot.call.runner import CallRunner, DialOrder
from voicebot.config import scripts_dir
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.domain.talk import BRIEFING, HandOver, Report
from voicebot.evidence.signer import Signer
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.store_desk import StoreDesk
from voicebot.store import Store
from voicebot.telephony.sip_line import SipLine
from voicebot.worker.commands import CommandTaker

BRIEFING_S = 6
WITHIN_S = 15.0


class Listener:
    """A brain that never speaks."""

    alive = True

    def report(self, report: Report) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None


class Near:
    """Line, queue and call book; `rows` tells of every transfer that came to a talk."""

    def __init__(self, url: str, home: Path, how: str) -> None:
        """`how` agents accept: key, or click by way of the table of commands."""
        self._how = how
        self._clock = SystemClock()
        self._store = Store.from_url(url)
        self._desk = StoreDesk(self._store, self._clock)
        self._line = SipLine(
            ("127.0.0.1", 0),
            rtp_ports=(47000, 48999),
            allowed=("127.0.0.0/8",),
            caller_id="voicebot",
            on_incoming=self._nobody_calls,
            refusal=lambda: 503,
        )
        self._runner = CallRunner(
            self._line, Listener(), self._desk, self, self._clock,
            recordings=home / "recordings", signer=Signer.load_or_create(home / "keys"), scripts=scripts_dir(),
            max_calls=200, inbound_script="inbound", worker="bench", rules=TransferRules(greets=False, by_key=True),
        )  # fmt: skip
        self._seen: dict[tuple[str, str], float] = {}
        self._news = asyncio.Event()
        self._rung: dict[str, str] = {}
        self._accept_ms: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.rows: list[dict[str, Any]] = []

    async def start(self, agents: int) -> None:
        self._phones = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.transfer.phones", self._how,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._phones.stdout is not None
        host, port = json.loads(await self._phones.stdout.readline())["address"]
        self._far = f"{host}:{port}"
        for number in range(agents):
            name = f"agent-{number}"
            record = AgentRecord(name, name, f"sip:{name}@{self._far}", ("general",), after_call_s=0)
            await self._store.agents.save(record)
            await self._store.agents.set_presence(name, "ready", self._clock.now())
        await self._line.start()
        taker = CommandTaker(self._store, self._runner, "bench", self._clock)
        work = (self._desk.run(), self._follow(), taker.run())
        self._tasks = [asyncio.create_task(one) for one in work]

    async def transfer(self, number: int) -> None:
        """One debtor: answered, handed over, joined, hung up."""
        call_id = f"call-{number:05}-{time.monotonic_ns()}"
        debtor = f"debtor-{number}"
        await self._store.calls.start(CallRecord(call_id, "outbound", debtor, self._clock.now(), worker="bench"))
        await self._runner.dial(DialOrder(call_id, f"sip:{debtor}@{self._far}", "reminder", None, None))
        session = self._runner.find(call_id)
        assert session is not None
        await self._until(lambda: session.answered)
        await asyncio.sleep(0.5)
        session.sound(BRIEFING, hum(700) * (50 * BRIEFING_S), True)
        triggered = time.monotonic()
        session.obey(HandOver(session.index, "asked", "general", "客户要求人工"))
        await self._until(lambda: call_id in self._rung)
        agent = self._rung[call_id]
        if self._how == "click":
            await self._click(call_id, agent)
        await self._until(lambda: call_id in self._accept_ms)
        await self._until(lambda: {(agent, "heard"), (debtor, "heard")} <= self._seen.keys())
        self._note(triggered, agent, debtor, self._accept_ms[call_id])
        await session.hang_up()
        await self._until(lambda: self._runner.find(call_id) is None)
        await self._store.calls.change(call_id, ended_at=self._clock.now())

    async def _click(self, call_id: str, agent: str) -> None:
        await self._until(lambda: (agent, "accepts") in self._seen)
        self._seen[agent, "accepts"] = time.monotonic()
        await self._store.commands.issue(call_id, "accept", self._clock.now(), by="bench", payload={"agent": agent})

    def _note(self, triggered: float, agent: str, debtor: str, accept_ms: float) -> None:
        rang, accepted = self._seen.pop((agent, "rang")), self._seen.pop((agent, "accepts"))
        self.rows.append(
            {
                "trigger_to_ring_ms": (rang - triggered) * 1000,
                "accept_to_debtor_hears_ms": (self._seen.pop((debtor, "heard")) - accepted) * 1000,
                "accept_to_agent_hears_ms": (self._seen.pop((agent, "heard")) - accepted) * 1000,
                "line_accept_ms": accept_ms,
            }
        )

    async def close(self) -> None:
        await self._runner.drain(2)
        await self._line.close()
        assert self._phones.stdin is not None
        self._phones.stdin.close()
        await self._phones.wait()
        for task in self._tasks:
            task.cancel()
        for agent in await self._store.agents.all():
            await self._store.agents.set_presence(agent.id, "offline", self._clock.now())
        await self._store.close()

    async def _until(self, condition: Any) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while not condition():
                    await self._news.wait()
                    self._news.clear()
        except TimeoutError:
            raise RuntimeError(f"nothing came for {WITHIN_S:.0f} s; so far: {self._seen}, rung {self._rung}") from None

    async def _follow(self) -> None:
        assert self._phones.stdout is not None
        async for line in self._phones.stdout:
            told = json.loads(line)
            self._seen.setdefault((told["who"], told["what"]), told["at"])
            self._news.set()

    async def _nobody_calls(self, leg: object) -> None: ...

    # --- the call book -------------------------------------------------------------------------------------

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None: ...

    def fact(self, call_id: str, fact: Fact) -> None:
        if fact.kind is FactKind.JOINED:
            self._accept_ms[call_id] = float(str(fact.data["accept_ms"]))
        elif fact.kind is FactKind.AGENT_RINGING:
            self._rung[call_id] = str(fact.data["agent"])
        self._news.set()

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None:
        self._news.set()
