"""RulebookData: rules in force, the permission ledger, registered numbers and consents, as pages and API want them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from voicebot.campaign.consents import ConsentRejected, read_consents
from voicebot.compliance.pack import RulePack
from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.console.masking import decision_shown
from voicebot.domain.attempt import Consent
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.ledger import Decision, DecisionSearch, told
from voicebot.domain.permission import CallerId
from voicebot.store.store import Store
from voicebot.worker.premises import Premises

PER_PAGE = 50
COLUMNS = (
    "position", "id", "at", "allowed", "rule", "reason", "not_before", "means", "number", "case_id", "debtor_id",
    "attempt_id", "pack_sha256", "inputs", "sha256",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some answers, newest first; `next_before`: what to ask with for the next page, None on the last one."""

    rows: Sequence[Decision]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class ConsentsTaken:
    taken: int
    rejected: Sequence[ConsentRejected]


class RulebookData:
    """Without `premises` the shipped packs are what is in force."""

    def __init__(self, store: Store, clock: Clock, premises: Premises | None = None) -> None:
        self._store = store
        self._clock = clock
        self._premises = premises

    # --- rules

    def in_force(self) -> Packs:
        return self._premises.packs if self._premises else shipped_packs()

    def packs(self) -> Sequence[RulePack]:
        return self.in_force().all

    def warnings(self) -> list[str]:
        """What keeps us from dialling, now or soon."""
        packs = self.in_force()
        today = self._clock.now().astimezone(SHANGHAI).date()
        return packs.warnings(today) + (self._premises.lacks() if self._premises else [])

    # --- ledger

    async def ledger(self, wanted: DecisionSearch, before_id: int | None = None) -> LedgerPage:
        rows = await self._store.decisions.search(wanted, PER_PAGE + 1, before_id)
        more = len(rows) > PER_PAGE
        return LedgerPage(rows[:PER_PAGE], rows[PER_PAGE - 1].id if more else None)

    async def counts(self, wanted: DecisionSearch) -> Mapping[str | None, int]:
        return await self._store.decisions.counts(wanted)

    async def export(self, wanted: DecisionSearch, as_csv: bool, *, whole: bool = False) -> AsyncIterator[str]:
        """Chained answers that match, oldest first, as JSON Lines or CSV; every row with its place and hash.

        Numbers are masked for viewers who may not see names, unless `whole`.
        """
        if as_csv:
            yield "\ufeff" + _csv(COLUMNS)
        async for decision in self._store.decisions.matching(wanted):
            row = told(decision) if whole else decision_shown(told(decision))
            if as_csv:
                row["inputs"] = json.dumps(row["inputs"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                yield _csv([row[name] for name in COLUMNS])
            else:
                yield json.dumps(row, ensure_ascii=False) + "\n"

    async def head(self) -> tuple[int, str]:
        return await self._store.decisions.head()

    # --- registered numbers

    async def caller_ids(self) -> Sequence[CallerId]:
        return await self._store.caller_ids.all()

    async def save_caller_id(self, entry: CallerId, by: str) -> None:
        """ValueError where it makes no sense."""
        await self._store.caller_ids.save(entry, by, self._clock.now())

    async def remove_caller_id(self, number: str) -> bool:
        return await self._store.caller_ids.remove(number)

    # --- consents

    async def consents(self, debtor_id: str) -> Sequence[Consent]:
        return await self._store.contacts.consents_of(debtor_id)

    async def agree(self, consent: Consent) -> int:
        """LookupError without such a debtor, ValueError for hours that can't be read."""
        if consent.asked is None:
            raise ValueError("from and to are times of day such as 07:00, until a time with its offset")
        if not await self._store.contacts.known([consent.debtor_id]):
            raise LookupError(f"there is no debtor {consent.debtor_id}")
        return await self._store.contacts.agree(consent)

    async def revoke(self, consent_id: int) -> bool:
        return await self._store.contacts.revoke(consent_id, self._clock.now())

    async def import_consents(self, data: bytes) -> ConsentsTaken:
        """A CSV of consents; rows that can't be taken are named, the others are."""
        good, rejected = read_consents(data, self._clock.now())
        known = await self._store.contacts.known([consent.debtor_id for _, consent in good])
        taken = [consent for _, consent in good if consent.debtor_id in known]
        rejected += [
            ConsentRejected(row, "debtor_id", consent.debtor_id, "没有这个债务人")
            for row, consent in good
            if consent.debtor_id not in known
        ]
        for consent in taken:
            await self._store.contacts.agree(consent)
        return ConsentsTaken(len(taken), sorted(rejected, key=lambda each: each.row))


def today_only(now: dt.datetime) -> DecisionSearch:
    """What the page shows before anybody asks."""
    day = now.astimezone(SHANGHAI).date()
    return DecisionSearch(since=day, until=day)


def _csv(values: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["" if value is None else value for value in values])
    return out.getvalue()
