"""Store: everything the program remembers, one attribute per concern."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from voicebot.store.addresses import Addresses
from voicebot.store.agent_callbacks import AgentCallbacks
from voicebot.store.agent_figures import Figures
from voicebot.store.agents import Agents
from voicebot.store.alerts import Alerts
from voicebot.store.assignments import Assignments
from voicebot.store.attempts import Attempts
from voicebot.store.cadence import Cadence
from voicebot.store.caller_ids import CallerIds
from voicebot.store.calls import Calls
from voicebot.store.campaigns import Campaigns
from voicebot.store.cases import Cases
from voicebot.store.checks import Checks
from voicebot.store.cohorts import Cohorts
from voicebot.store.commands import Commands
from voicebot.store.contacts import Contacts
from voicebot.store.database import Database
from voicebot.store.decisions import Decisions
from voicebot.store.dialling import Dialling
from voicebot.store.escalations import Escalations
from voicebot.store.events import Events
from voicebot.store.facts import Facts
from voicebot.store.forecast import Forecasts
from voicebot.store.imports import Imports
from voicebot.store.inbound import Inbound
from voicebot.store.leadership import Leadership
from voicebot.store.load import Load
from voicebot.store.lockouts import Lockouts
from voicebot.store.lost_calls import LostCalls
from voicebot.store.operations import Holds, Operations
from voicebot.store.outbox import Outbox
from voicebot.store.papers import Papers
from voicebot.store.payments import Payments
from voicebot.store.policies import Policies
from voicebot.store.portfolio import Portfolio
from voicebot.store.previews import Previews
from voicebot.store.promise_care import PromiseCare
from voicebot.store.promises import Promises
from voicebot.store.receipts import Receipts
from voicebot.store.replays import Replays
from voicebot.store.report_calls import ReportCalls
from voicebot.store.report_figures import ReportFigures
from voicebot.store.report_money import ReportMoney
from voicebot.store.report_plans import ReportPlans
from voicebot.store.reviews import Reviews
from voicebot.store.risks import Risks
from voicebot.store.schema import settings
from voicebot.store.schema_workers import NOW
from voicebot.store.script_figures import ScriptCalls
from voicebot.store.script_versions import ScriptVersions
from voicebot.store.second_factors import SecondFactors
from voicebot.store.segments import Segments
from voicebot.store.sessions import Sessions
from voicebot.store.softphones import Softphones
from voicebot.store.tickets import Tickets
from voicebot.store.timeline import Timeline
from voicebot.store.tokens import Tokens
from voicebot.store.transcripts import Transcripts
from voicebot.store.trunk_shares import TrunkShares
from voicebot.store.uploads import Uploads
from voicebot.store.users import Users
from voicebot.store.waiting import Waiting
from voicebot.store.webhooks import Webhooks
from voicebot.store.workers import Workers
from voicebot.store.wrapups import Wrapups


class Store:
    """The database of one process. Use it in one event loop, `async with Store.from_url(url) as store`.

    Any method raises sqlalchemy.exc.OperationalError when the server is away; what was begun is rolled back.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.cases = Cases(database)
        self.imports = Imports(database)
        self.timeline = Timeline(database)
        self.contacts = Contacts(database)
        self.decisions = Decisions(database)
        self.caller_ids = CallerIds(database)
        self.campaigns = Campaigns(database)
        self.dialling = Dialling(database)
        self.trunk_shares = TrunkShares(database)
        self.workers = Workers(database)
        self.lost_calls = LostCalls(database)
        self.inbound = Inbound(database)
        self.attempts = Attempts(database)
        self.calls = Calls(database)
        self.facts = Facts(database)
        self.commands = Commands(database)
        self.promises = Promises(database)
        self.promise_care = PromiseCare(database)
        self.payments = Payments(database)
        self.tickets = Tickets(database)
        self.events = Events(database)
        self.webhooks = Webhooks(database)
        self.outbox = Outbox(database)
        self.addresses = Addresses(database)
        self.receipts = Receipts(database)
        self.cadence = Cadence(database)
        self.agents = Agents(database)
        self.waiting = Waiting(database)
        self.alerts = Alerts(database)
        self.softphones = Softphones(database)
        self.wrapups = Wrapups(database)
        self.portfolio = Portfolio(database)
        self.previews = Previews(database)
        self.agent_callbacks = AgentCallbacks(database)
        self.figures = Figures(database)
        self.load = Load(database)
        self.segments = Segments(database)
        self.forecasts = Forecasts(database)
        self.cohorts = Cohorts(database)
        self.policies = Policies(database)
        self.risks = Risks(database)
        self.escalations = Escalations(database)
        self.assignments = Assignments(database)
        self.operations = Operations(database)
        self.holds = Holds(database)
        self.papers = Papers(database)
        self.uploads = Uploads(database)
        self.users = Users(database)
        self.lockouts = Lockouts(database)
        self.sessions = Sessions(database)
        self.second_factors = SecondFactors(database)
        self.tokens = Tokens(database)
        self.script_versions = ScriptVersions(database)
        self.script_calls = ScriptCalls(database)
        self.checks = Checks(database)
        self.reviews = Reviews(database)
        self.transcripts = Transcripts(database)
        self.replays = Replays(database)
        self.report_calls = ReportCalls(database)
        self.report_figures = ReportFigures(database)
        self.report_money = ReportMoney(database)
        self.report_plans = ReportPlans(database)

    @classmethod
    def from_url(cls, url: str, pool_size: int = 5) -> Store:
        """Opens no connection yet. Raises ValueError when `url` is not a PostgreSQL URL."""
        return cls(Database(url, pool_size))

    async def close(self) -> None:
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def listen(self, channel: str) -> AsyncIterator[str]:
        """Payloads of NOTIFY on a channel, for ever; "" first and after a lost connection: read afresh."""
        return self._database.listen(channel)

    async def notify(self, channel: str, payload: str) -> None:
        """Wake the listeners of a channel; `payload` at most 7999 bytes."""
        await self._database.notify(channel, payload)

    async def alive(self) -> bool:
        """One round trip; raises when the server is away."""
        async with self._database.begin() as connection:
            return bool((await connection.execute(text("SELECT true"))).scalar_one())

    async def time(self) -> dt.datetime:
        """The database's clock, by which all machines agree."""
        async with self._database.begin() as connection:
            at: dt.datetime = (await connection.execute(select(NOW))).scalar_one()
        return at

    async def setting(self, key: str, make: Callable[[], str]) -> str:
        """A value all processes share, made once: the first to ask decides."""
        async with self._database.begin() as connection:
            await connection.execute(insert(settings).values(key=key, value=make()).on_conflict_do_nothing())
            query = select(settings.c.value).where(settings.c.key == key)
            return str((await connection.execute(query)).scalar_one())

    def lead(self, role: str) -> Leadership:
        """A claim to be the one process that does `role`; holds nothing yet."""
        return Leadership(self._database, role)
