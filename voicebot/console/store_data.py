"""StoreData: the console's reads and commands, answered by the database."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from voicebot.campaign.importer import ImportReport, import_cases
from voicebot.campaign.strategies import load_strategies
from voicebot.config import scripts_dir
from voicebot.console.desk_data import DeskData
from voicebot.console.floor_data import FloorData
from voicebot.console.people_data import PeopleData
from voicebot.console.queries import (
    PER_PAGE,
    Account,
    AttemptRow,
    CallRow,
    CallSearch,
    CampaignRow,
    CaseDetail,
    CaseRow,
    ImportResult,
    MessageView,
    Page,
    PromiseView,
    RejectedRow,
)
from voicebot.console.report_data import ReportData
from voicebot.console.script_data import ScriptsData
from voicebot.domain.attempt import Attempt, AttemptState
from voicebot.domain.campaign import Campaign, CampaignProgress, CampaignState, Hours, Segment
from voicebot.domain.clock import SHANGHAI, Clock, SystemClock
from voicebot.domain.journal import Fact
from voicebot.domain.message import Message
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import AUTHORITIES, Authority
from voicebot.domain.records import (
    CallFilter,
    CallRecord,
    CaseRecord,
    DayFigures,
    PromiseRecord,
    PromiseState,
    Role,
    User,
)
from voicebot.domain.strategy import Strategy
from voicebot.store import Store
from voicebot.worker.names import worker_name

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
        workers: Sequence[str] = (LONE_WORKER,),
        authorities: Sequence[Authority] = AUTHORITIES,
        targets: Sequence[str] = (),
        home: Path | None = None,
    ) -> None:
        self._store = store
        self._home = home
        self._clock = clock or SystemClock()
        self.desk = DeskData(store, self._clock, workers, authorities, targets)
        self.floor = FloorData(store, self._clock)
        self.people = PeopleData(store, self._clock)
        self.reports = ReportData(store, self._clock)
        self.library = ScriptsData(store, self._clock, scripts_dir())

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

    # --- cases

    async def cases(self, search: str = "", page: int = 1) -> Page[CaseRow]:
        records, total = await self._store.cases.search(search or None, None, PER_PAGE, (page - 1) * PER_PAGE)
        return Page([_case(record) for record in records], total, page)

    async def case(self, case_id: str) -> CaseDetail | None:
        record = await self._store.cases.record(case_id)
        if record is None:
            return None
        debtor, now = record.case.debtor.id, self._clock.now()
        stops: list[str] = []
        for number in [number.number for number in record.numbers] or [""]:
            stops += [stop.reason for stop in await self._store.contacts.stops_of(debtor, number, now)]
        return CaseDetail(
            case=_case(record),
            attempts=tuple(_attempt(attempt) for attempt in await self._store.attempts.of_case(case_id)),
            promises=tuple(_promise(promise) for promise in await self._store.promises.of_case(case_id)),
            stops=tuple(dict.fromkeys(stops)),
            messages=tuple(_message(message) for message in await self._store.outbox.of_case(case_id)),
        )

    async def import_cases(self, path: Path) -> ImportResult:
        return _import(await import_cases(path, self._store))

    # --- campaigns

    async def campaigns(self) -> Sequence[CampaignRow]:
        return [_campaign(progress) for progress in await self._store.campaigns.all()]

    async def scripts(self) -> Sequence[str]:
        files = await asyncio.to_thread(lambda: {path.stem for path in scripts_dir().glob("*.yaml")})
        on_air = {entry.version.script for entry in await self._store.script_versions.on_air()}
        return sorted(files | on_air)

    async def strategies(self) -> Mapping[str, Strategy]:
        return await asyncio.to_thread(load_strategies, self._home)

    async def add_campaign(
        self,
        name: str,
        script: str,
        segment: Segment,
        max_concurrency: int,
        hours: Hours | None = None,
        strategy: str | None = None,
    ) -> CampaignRow:
        if script not in await self.scripts():
            raise ValueError(f"there is no call script {script!r} on the air or in {scripts_dir()}")
        if strategy is not None and strategy not in await self.strategies():
            raise ValueError(f"there is no strategy {strategy!r}")
        now = self._clock.now()
        campaign = Campaign(
            id=f"{now.astimezone(SHANGHAI):%m%d-%H%M}-{secrets.token_hex(2)}",
            name=name,
            script=script,
            state=CampaignState.DRAFT,
            created_at=now,
            segment=segment,
            max_concurrency=max_concurrency,
            hours=hours,
            strategy=strategy,
        )
        await self._store.campaigns.save(campaign)
        return _campaign(await self._store.campaigns.progress(campaign.id))

    async def start_campaign(self, campaign_id: str) -> None:
        await self._store.campaigns.start(campaign_id, self._clock.now())

    async def stop_campaign(self, campaign_id: str) -> None:
        await self._store.campaigns.stop(campaign_id, self._clock.now())

    # --- people

    async def login(self, username: str, password: str) -> Account:
        return await self._account(await self._store.users.login(username, password, self._clock.now()))

    async def account(self, username: str) -> Account | None:
        user = await self._store.users.find(username)
        return await self._account(user) if user and not user.disabled else None

    async def account_of_token(self, token: str) -> Account | None:
        user = await self._store.users.user_of_token(token, self._clock.now())
        return await self._account(user) if user else None

    async def has_users(self) -> bool:
        return bool(await self._store.users.all())

    async def add_admin(self, username: str, password: str) -> Account:
        now = self._clock.now()
        return await self._account(await self._store.users.create(username, Role.ADMIN, now, password=password))

    async def _account(self, user: User) -> Account:
        permissions = await self._store.users.permissions_of(user.role)
        return Account(user.username, user.role.value, user.display_name, permissions, user.agent_id)


def mask_number(number: str) -> str:
    """What is shown of a number: 138****1234; of a sip: URI the user part's beginning and the host."""
    if number.startswith(("sip:", "sips:")):
        user, at, host = number.partition(":")[2].partition("@")
        return f"{user[:2]}***{at}{host}"
    digits = number.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"***{digits[-2:]}"


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


def _message(message: Message) -> MessageView:
    at = message.sent_at or message.not_before
    return MessageView(message.kind, message.state.value, at, message.text, message.why)


def _promise(record: PromiseRecord) -> PromiseView:
    return PromiseView(
        date=record.date,
        amount_fen=record.amount_fen,
        confirmed=record.confirmed,
        kept=_KEPT.get(record.state),
        call_id=record.call_id,
        replaced=record.state is PromiseState.REPLACED,
    )


def _case(record: CaseRecord) -> CaseRow:
    case = record.case
    return CaseRow(
        case_id=case.id,
        debtor_name=case.debtor.name,
        creditor=case.creditor.name,
        product=case.product,
        amount_fen=case.amount_fen,
        overdue_days=case.overdue_days,
        numbers_masked=tuple(mask_number(number.number) for number in record.numbers),
        attempts=record.attempts,
        last_disposition=_disposition(record.last_disposition),
        status=record.status,
    )


def _attempt(attempt: Attempt) -> AttemptRow:
    return AttemptRow(
        at=attempt.leased_at or attempt.not_before,
        state=attempt.state.value,
        number_masked=mask_number(attempt.number),
        disposition=attempt.disposition,
        call_id=attempt.call_id,
        why=attempt.why or attempt.rule or "",
    )


def _campaign(progress: CampaignProgress) -> CampaignRow:
    campaign, attempts = progress.campaign, progress.attempts
    return CampaignRow(
        campaign_id=campaign.id,
        name=campaign.name,
        script=campaign.script,
        active=campaign.state is CampaignState.RUNNING,
        total=progress.cases,
        done=progress.cases_done,
        running=attempts.get(AttemptState.LEASED, 0) + attempts.get(AttemptState.PLACED, 0),
        dispositions={Disposition(n): count for n, count in progress.dispositions.items() if n in _KNOWN},
        hours=campaign.hours,
        strategy=campaign.strategy,
    )


def _import(report: ImportReport) -> ImportResult:
    rejected = tuple(RejectedRow(r.row, r.column, r.value, r.reason) for r in report.rejected)
    return ImportResult(report.imported, report.updated, report.duplicates, rejected)
