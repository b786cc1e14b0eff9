"""ConsoleData: exactly what the pages and the REST API read and command, as frozen values."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from voicebot.domain.campaign import CampaignState, Hours
from voicebot.domain.journal import Fact
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import CampaignMode
from voicebot.domain.records import DayFigures

if TYPE_CHECKING:
    from voicebot.console.account_data import AccountData
    from voicebot.console.campaign_data import CampaignData
    from voicebot.console.case_data import CaseData
    from voicebot.console.desk_data import DeskData
    from voicebot.console.dialling_data import DiallingData
    from voicebot.console.evidence_data import EvidenceData
    from voicebot.console.fleet_data import FleetData
    from voicebot.console.floor_data import FloorData
    from voicebot.console.follow_data import FollowData
    from voicebot.console.login_data import LoginData
    from voicebot.console.people_data import PeopleData
    from voicebot.console.quality_data import QualityData
    from voicebot.console.report_data import ReportData
    from voicebot.console.rulebook_data import RulebookData
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
class CampaignRow:
    """A campaign and how far it is: `total` cases, `done` of them without an open attempt, `running` rung now.

    Of a strategy: cases `reached` so far, and `held_out` to compare with.
    """

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
    segment_id: str | None = None
    state: CampaignState = CampaignState.DRAFT
    mode: CampaignMode = CampaignMode.ROBOT
    reached: int = 0
    held_out: int = 0

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

    `agent_id`: the agent they are at the telephone, if any. A person has a `session_id`, a program a `token_id`.
    `enrolling`: they may do nothing yet but set up the second factor that their role demands.
    """

    username: str
    role: str
    display_name: str = ""
    permissions: frozenset[str] = frozenset()
    agent_id: str | None = None
    session_id: str | None = field(default=None, repr=False)
    token_id: str | None = field(default=None, repr=False)
    enrolling: bool = False

    def may(self, permission: str) -> bool:
        return permission in self.permissions


class ConsoleData(Protocol):
    """The reads and commands of the console. Unknown ids give None from reads, LookupError from commands."""

    @property
    def desk(self) -> DeskData: ...

    @property
    def floor(self) -> FloorData: ...

    @property
    def fleet(self) -> FleetData: ...

    @property
    def follow(self) -> FollowData: ...

    @property
    def casework(self) -> CaseData: ...

    @property
    def logins(self) -> LoginData: ...

    @property
    def accounts(self) -> AccountData: ...

    @property
    def people(self) -> PeopleData: ...

    @property
    def dialling(self) -> DiallingData: ...

    @property
    def campaigning(self) -> CampaignData: ...

    @property
    def library(self) -> ScriptsData: ...

    @property
    def reports(self) -> ReportData: ...

    @property
    def quality(self) -> QualityData: ...

    @property
    def rulebook(self) -> RulebookData: ...

    @property
    def evidence(self) -> EvidenceData: ...

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
