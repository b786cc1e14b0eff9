"""StoreData: the console's reads and commands, answered by the database."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

from voicebot.campaign.care import FollowUp
from voicebot.campaign.permission import judge_by
from voicebot.config import scripts_dir
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
from voicebot.console.queries import (
    PER_PAGE,
    CallRow,
    CallSearch,
    Page,
    PromiseView,
)
from voicebot.console.report_data import ReportData
from voicebot.console.rulebook_data import RulebookData
from voicebot.console.script_data import ScriptsData
from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.domain.journal import Fact
from voicebot.domain.outcome import Disposition
from voicebot.domain.phone import mask_number
from voicebot.domain.plan import AUTHORITIES, Authority
from voicebot.domain.records import (
    CallFilter,
    CallRecord,
    DayFigures,
    PromiseRecord,
    PromiseState,
)
from voicebot.messages.manners import Manners
from voicebot.store import Store
from voicebot.worker.names import worker_name
from voicebot.worker.premises import Premises
from voicebot.worker.turns import Turns

LONE_WORKER = worker_name(0)
"""Who places an agent's own calls where nothing else is said."""
_PROMISED = frozenset({Disposition.PROMISE_TO_PAY, Disposition.PARTIAL_PROMISE})
_KNOWN = frozenset(item.value for item in Disposition)
_KEPT: Mapping[PromiseState, bool | None] = {PromiseState.KEPT: True, PromiseState.BROKEN: False}


async def shared_secret(store: Store) -> str:
    """The secret that signs cookies, made once per installation so that a restart logs nobody out."""
    return await store.setting("console_secret", lambda: secrets.token_urlsafe(48))


class StoreData:
    """ConsoleData over the store. Raises sqlalchemy.exc.OperationalError while the database is away."""

    def __init__(
        self,
        store: Store,
        clock: Clock | None = None,
        turns: Turns | None = None,
        authorities: Sequence[Authority] = AUTHORITIES,
        targets: Sequence[str] = (),
        home: Path | None = None,
        model: str | None = None,
        templates: Collection[str] = (),
        premises: Premises | None = None,
        care: FollowUp | None = None,
        manners: Manners | None = None,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self.casework = CaseData(store, self._clock)
        judge = premises.judge if premises else None
        self.desk = DeskData(store, self._clock, turns or Turns([LONE_WORKER]), authorities, targets, judge)
        self.rulebook = RulebookData(store, self._clock, premises)
        self.evidence = EvidenceData(store, self._clock, home)
        self.floor = FloorData(store, self._clock)
        self.fleet = FleetData(store)
        self.follow = FollowData(store, self._clock, care, manners)
        self.logins = LoginData(store, self._clock)
        self.accounts = AccountData(store, self._clock)
        self.people = PeopleData(store, self._clock)
        rules = lambda: judge_by(self.rulebook.in_force())  # noqa: E731  # they may change
        self.dialling = DiallingData(store, self._clock)
        self.campaigning = CampaignData(
            store, self._clock, home, model, rules, templates, care.redial if care else None
        )
        self.reports = ReportData(store, self._clock)
        self.quality = QualityData(store, self._clock, home)
        self.library = ScriptsData(store, self._clock, scripts_dir(), home / "recordings" if home else None)

    # --- calls

    async def running_calls(self) -> Sequence[CallRow]:
        return [_call(record) for record in await self._store.calls.running()]

    async def call(self, call_id: str) -> CallRow | None:
        record = await self._store.calls.find(call_id)
        return _call(record, await self._promise(record)) if record else None

    async def calls(self, wanted: CallSearch, page: int = 1) -> Page[CallRow]:
        offset = (page - 1) * PER_PAGE
        records, total = await self._store.calls.search(_filter(wanted), PER_PAGE, offset)
        rows = [_call(record, await self._promise(record)) for record in records]
        return Page(rows, total, page)

    async def facts(self, call_id: str) -> Sequence[Fact]:
        return await self._store.facts.of(call_id)

    async def live_facts(self) -> AsyncIterator[tuple[str, Fact] | None]:
        async for live in self._store.facts.live():
            yield (live.call_id, live.fact) if live else None

    async def hang_up(self, call_id: str, by: str) -> None:
        record = await self._store.calls.find(call_id)
        if record is None or not record.running:
            raise LookupError(f"the call {call_id} is not running")
        await self._store.commands.issue(call_id, "hang_up", self._clock.now(), by=by)

    async def day(self, date: dt.date) -> DayFigures:
        return await self._store.calls.figures(date)

    async def _promise(self, record: CallRecord) -> PromiseView | None:
        if record.case_id is None or record.disposition not in _PROMISED:
            return None
        made = await self._store.promises.of_case(record.case_id)
        return next((_promise(promise) for promise in made if promise.call_id == record.id), None)


def _filter(wanted: CallSearch) -> CallFilter:
    def midnight(date: dt.date) -> dt.datetime:
        return dt.datetime.combine(date, dt.time(), SHANGHAI)

    return CallFilter(
        text=wanted.text or None,
        disposition=wanted.disposition,
        since=midnight(wanted.since) if wanted.since else None,
        until=midnight(wanted.until + dt.timedelta(days=1)) if wanted.until else None,
    )


def _disposition(name: str | None) -> Disposition | None:
    return Disposition(name) if name in _KNOWN else None


def _call(record: CallRecord, promise: PromiseView | None = None) -> CallRow:
    moods = {label: turns for label, turns in record.emotion.items() if label != "neutral" and turns}
    calm = "neutral" if record.emotion else None
    return CallRow(
        call_id=record.id,
        started_at=record.started_at,
        direction=record.direction,
        case_id=record.case_id,
        debtor_name=record.debtor_name or "",
        number_masked=mask_number(record.number),
        campaign=record.campaign_id,
        script=record.script or "",
        answered_at=record.answered_at,
        ended_at=record.ended_at,
        duration_s=(record.duration_ms or 0) / 1000,
        disposition=_disposition(record.disposition),
        verified=record.verified,
        handoff=record.handoff,
        emotion=max(moods, key=lambda label: moods[label]) if moods else calm,
        promise=promise,
        bundle=record.bundle,
    )


def _promise(record: PromiseRecord) -> PromiseView:
    return PromiseView(
        date=record.date,
        amount_fen=record.amount_fen,
        confirmed=record.confirmed,
        kept=_KEPT.get(record.state),
        call_id=record.call_id,
        replaced=record.state is PromiseState.REPLACED,
    )


