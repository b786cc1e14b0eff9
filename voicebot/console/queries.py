"""ConsoleData: exactly what the pages and the REST API read and command, as frozen values."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from voicebot.domain.campaign import Hours, Segment
from voicebot.domain.journal import Fact
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import DayFigures
from voicebot.domain.strategy import Strategy

if TYPE_CHECKING:
    from voicebot.console.desk_data import DeskData
    from voicebot.console.floor_data import FloorData
    from voicebot.console.people_data import PeopleData
    from voicebot.console.report_data import ReportData
    from voicebot.console.script_data import ScriptsData

PER_PAGE = 25
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PromiseView:
    """A promise as the pages show it; `kept` is None until the day is over and the money was looked for."""

    date: dt.date
    amount_fen: int
    confirmed: bool = False
    kept: bool | None = None
    call_id: str | None = None
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call, running (`ended_at` None) or over. `number_masked` never holds a whole number."""

    call_id: str
    started_at: dt.datetime
    direction: str = "outbound"
    case_id: str | None = None
    debtor_name: str = ""
    number_masked: str = ""
    campaign: str | None = None
    script: str = ""
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    duration_s: float = 0.0
    disposition: Disposition | None = None
    verified: bool = False
    handoff: bool = False
    emotion: str | None = None
    promise: PromiseView | None = None
    bundle: str | None = None

    @property
    def running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class CallSearch:
    """What the call search asks for; dates are whole days of the law's zone, both ends included."""

    text: str = ""
    disposition: Disposition | None = None
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def active(self) -> bool:
        return bool(self.text or self.disposition or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a longer list; `number` counts from 1."""

    rows: Sequence[Row]
    total: int
    number: int = 1
    size: int = PER_PAGE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One overdue bill in the list of cases."""

    case_id: str
    debtor_name: str
    creditor: str
    product: str
    amount_fen: int
    overdue_days: int
    numbers_masked: tuple[str, ...] = ()
    attempts: int = 0
    last_disposition: Disposition | None = None
    status: str = "open"


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try to reach somebody; `call_id` is None when no call came of it."""

    at: dt.datetime
    state: str
    number_masked: str = ""
    disposition: Disposition | None = None
    call_id: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A short message to the debtor; `at`: when it was sent, or is due. `text` is empty until it was sent."""

    kind: str
    state: str
    at: dt.datetime
    text: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case with everything that was tried, promised and written for it, newest first."""

    case: CaseRow
    attempts: tuple[AttemptRow, ...] = ()
    promises: tuple[PromiseView, ...] = ()
    stops: tuple[str, ...] = ()
    messages: tuple[MessageView, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign and how far it is: `total` cases, `done` of them without an open attempt, `running` rung now."""

    campaign_id: str
    name: str
    script: str
    active: bool
    total: int = 0
    done: int = 0
    running: int = 0
    dispositions: Mapping[Disposition, int] = field(default_factory=dict)
    hours: Hours | None = None
    strategy: str | None = None

    @property
    def promises(self) -> int:
        wanted = (Disposition.PROMISE_TO_PAY, Disposition.PARTIAL_PROMISE)
        return sum(self.dispositions.get(name, 0) for name in wanted)

    @property
    def waiting(self) -> int:
        return max(0, self.total - self.done - self.running)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may come in, or a program with that person's token, and what they may do.

    `agent_id`: the agent they are at the telephone, if any.
    """

    username: str
    role: str
    display_name: str = ""
    permissions: frozenset[str] = frozenset()
    agent_id: str | None = None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of an import that could not be taken; row 1 is the header."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: tuple[RejectedRow, ...] = ()


class ConsoleData(Protocol):
    """The reads and commands of the console. Unknown ids give None from reads, LookupError from commands."""

    @property
    def desk(self) -> DeskData: ...

    @property
    def floor(self) -> FloorData: ...

    @property
    def people(self) -> PeopleData: ...

    @property
    def library(self) -> ScriptsData: ...

    @property
    def reports(self) -> ReportData: ...

    async def running_calls(self) -> Sequence[CallRow]: ...

    async def call(self, call_id: str) -> CallRow | None: ...

    async def calls(self, wanted: CallSearch, page: int = 1) -> Page[CallRow]: ...

    async def facts(self, call_id: str) -> Sequence[Fact]: ...

    def live_facts(self) -> AsyncIterator[tuple[str, Fact] | None]:
        """Every new fact of every running call, with its call id, until the iterator is closed.

        None when some may have been missed: read afresh.
        """
        ...

    async def hang_up(self, call_id: str, by: str) -> None: ...

    async def day(self, date: dt.date) -> DayFigures: ...

    async def cases(self, search: str = "", page: int = 1) -> Page[CaseRow]: ...

    async def case(self, case_id: str) -> CaseDetail | None: ...

    async def import_cases(self, path: Path) -> ImportResult:
        """Import a CSV or XLSX file; ValueError, readable to the operator, when the file is neither."""
        ...

    async def campaigns(self) -> Sequence[CampaignRow]: ...

    async def scripts(self) -> Sequence[str]:
        """Names of the call scripts a campaign can use."""
        ...

    async def strategies(self) -> Mapping[str, Strategy]:
        """Strategies by id; ValueError for one that can't be read."""
        ...

    async def add_campaign(
        self,
        name: str,
        script: str,
        segment: Segment,
        max_concurrency: int,
        hours: Hours | None = None,
        strategy: str | None = None,
    ) -> CampaignRow:
        """Add a campaign that is not started yet. ValueError for a script or strategy that does not exist."""
        ...

    async def start_campaign(self, campaign_id: str) -> None: ...

    async def stop_campaign(self, campaign_id: str) -> None: ...

    async def login(self, username: str, password: str) -> Account:
        """Check a password. Raises voicebot.store.users.LoginRefused, with the end of the lock if there is one."""
        ...

    async def account(self, username: str) -> Account | None:
        """A user who may come in; None for one who is disabled or gone."""
        ...

    async def account_of_token(self, token: str) -> Account | None: ...

    async def has_users(self) -> bool: ...

    async def add_admin(self, username: str, password: str) -> Account: ...
