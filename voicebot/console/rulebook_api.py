"""Rulebook API: rules in force, the permission ledger with its exports, registered numbers, consents."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from voicebot.cases.phones import parse_phone
from voicebot.compliance.rows import judge_row
from voicebot.console.api_values import DoneOut
from voicebot.console.gate import account_of
from voicebot.console.masking import decision_shown
from voicebot.console.queries import ConsoleData
from voicebot.console.refusals import refusals
from voicebot.console.rulebook_data import LedgerPage
from voicebot.domain.attempt import Consent
from voicebot.domain.ledger import DecisionSearch, told
from voicebot.domain.permission import CallerId

log = structlog.get_logger(__name__)
MOST_BYTES = 20 << 20


class RuleOut(BaseModel):
    id: str
    title: str
    says: str
    stage: str
    source: str
    status: str
    parameters: dict[str, Any]


class PackOut(BaseModel):
    name: str
    version: str
    jurisdiction: str
    sha256: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    creditors: list[str]
    rules: list[RuleOut]


class RulesOut(BaseModel):
    """`warnings`: what keeps us from dialling, now or soon."""

    warnings: list[str]
    packs: list[PackOut]


class LedgerOut(BaseModel):
    """`next_before`: give it as `before` for the next page; null on the last one."""

    decisions: list[dict[str, Any]]
    next_before: int | None


class HeadOut(BaseModel):
    """Length and last hash of the chain."""

    length: int
    sha256: str


class CallerIdIn(BaseModel):
    """`verified_on` empty: who holds the number was not verified, nobody is dialled with it."""

    number: str
    holder: str
    valid_from: dt.date | Literal[""]
    valid_to: dt.date | Literal[""] | None = None
    verified_on: dt.date | Literal[""] | None = None


class CallerIdOut(BaseModel):
    number: str
    holder: str
    valid_from: dt.date
    valid_to: dt.date | None
    verified_on: dt.date | None


class ConsentIn(BaseModel):
    """Hours as `from` and `to`, 07:00; kind: other_hours, noon, holiday, artificial_voice."""

    debtor_id: str
    kind: Literal["other_hours", "noon", "holiday", "artificial_voice"]
    given_at: dt.datetime
    data: dict[str, str] = {}


class ConsentOut(BaseModel):
    id: int | None
    debtor_id: str
    kind: str
    given_at: dt.datetime
    data: dict[str, Any]


class ConsentsTakenOut(BaseModel):
    taken: int
    rejected: list[dict[str, Any]]


def rulebook_routes(data: ConsoleData) -> APIRouter:
    """Everything below /api/rules and /api/consents."""
    router = APIRouter(prefix="/api", tags=["rules"])
    _rule_routes(router, data)
    _ledger_routes(router, data)
    _caller_routes(router, data)
    _consent_routes(router, data)
    return router


def _rule_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/rules")
    async def rules() -> RulesOut:
        """The rule packs in force, with every figure and source."""
        packs = [
            PackOut(
                name=pack.name,
                version=pack.version,
                jurisdiction=pack.jurisdiction,
                sha256=pack.sha256,
                valid_from=pack.valid_from,
                valid_to=pack.valid_to,
                creditors=sorted(pack.creditors),
                rules=[RuleOut(**_rule(rule)) for rule in pack.rules.values()],
            )
            for pack in data.rulebook.packs()
        ]
        return RulesOut(warnings=data.rulebook.warnings(), packs=packs)

    @router.post("/rules/judge")
    async def judge(row: dict[str, Any]) -> dict[str, Any]:
        """A row of `voicebot rules judge`, judged by the packs in force; nothing is written down."""
        return judge_row(row, data.rulebook.in_force())


def _rule(rule: Any) -> dict[str, Any]:
    named = {name: getattr(rule, name) for name in ("id", "title", "says", "stage", "source", "status")}
    return named | {"parameters": dict(rule.parameters)}


def wanted(
    case: str = "",
    number: str = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
    rule: str = "",
    allowed: bool | None = None,
) -> DecisionSearch:
    """The filter of an address."""
    return DecisionSearch(case.strip() or None, spelt(number), since, until, rule.strip() or None, allowed)


def spelt(number: str) -> str | None:
    """A number as cases hold it, however it was typed."""
    try:
        return parse_phone(number) if number.strip() else None
    except ValueError:
        return number.strip()


def _ledger_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/rules/ledger")
    async def ledger(
        search: Annotated[DecisionSearch, Depends(wanted)], before: Annotated[int | None, Query(ge=1)] = None
    ) -> LedgerOut:
        """Answers of the rulebook, newest first, 50 at a time."""
        found: LedgerPage = await data.rulebook.ledger(search, before)
        return LedgerOut(decisions=[decision_shown(told(row)) for row in found.rows], next_before=found.next_before)

    @router.get("/rules/ledger/head")
    async def head() -> HeadOut:
        """Where the chain ends: keep it elsewhere, and a tail that was cut off shows."""
        length, sha256 = await data.rulebook.head()
        return HeadOut(length=length, sha256=sha256)

    @router.get("/rules/ledger/export.{kind}", response_class=StreamingResponse)
    async def export(
        kind: Literal["csv", "jsonl"], request: Request, search: Annotated[DecisionSearch, Depends(wanted)]
    ) -> StreamingResponse:
        """All answers that match and are chained, oldest first, each with its place in the chain and its hash."""
        by = account_of(request.scope).username
        log.info("permission ledger exported", kind=kind, search_pii=str(search), by_pii=by)
        rows = data.rulebook.export(search, kind == "csv")
        media = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
        name = f'attachment; filename="permissions.{kind}"'
        return StreamingResponse(rows, media_type=media, headers={"Content-Disposition": name})


def _caller_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/rules/caller-ids")
    async def caller_ids() -> list[CallerIdOut]:
        """The numbers that we may show."""
        return [CallerIdOut(**asdict(entry)) for entry in await data.rulebook.caller_ids()]

    @router.post("/rules/caller-ids")
    async def save(entry: CallerIdIn, request: Request) -> DoneOut:
        """Register a number, or write its entry anew."""
        if entry.valid_from == "":
            raise HTTPException(422, "valid_from: a day is needed")
        by = account_of(request.scope).username
        caller = CallerId(
            entry.number.strip(), entry.holder.strip(), entry.valid_from, entry.valid_to or None,
            entry.verified_on or None,
        )  # fmt: skip
        try:
            await data.rulebook.save_caller_id(caller, by)
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        log.info("caller id registered", caller_id=caller.number, by_pii=by)
        return DoneOut()

    @router.post("/rules/caller-ids/{number}/remove")
    async def remove(number: str, request: Request) -> DoneOut:
        """A number is not ours any more."""
        if not await data.rulebook.remove_caller_id(number):
            raise HTTPException(404, f"{number} is not registered")
        log.info("caller id removed", caller_id=number, by_pii=account_of(request.scope).username)
        return DoneOut()


def _consent_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/consents/{debtor_id}")
    async def consents(debtor_id: str) -> list[ConsentOut]:
        """What a debtor agreed to and did not take back."""
        return [
            ConsentOut(id=each.id, debtor_id=each.debtor_id, kind=each.kind, given_at=each.given_at, data=each.data)
            for each in await data.rulebook.consents(debtor_id)
        ]

    @router.post("/consents")
    async def agree(consent: ConsentIn) -> ConsentOut:
        """Write down what a debtor agreed to."""
        made = Consent(consent.debtor_id, consent.kind, consent.given_at, dict(consent.data))
        with refusals():
            number = await data.rulebook.agree(made)
        return ConsentOut(id=number, **consent.model_dump())

    @router.post("/consents/import")
    async def import_consents(file: UploadFile) -> ConsentsTakenOut:
        """A CSV: debtor_id, kind, from, to, until, given_at, evidence. Rows that can't be taken are named."""
        content = await file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise HTTPException(413, "the file is larger than 20 MiB: split it")
        found = await data.rulebook.import_consents(content)
        return ConsentsTakenOut(taken=found.taken, rejected=[asdict(each) for each in found.rejected])

    @router.post("/consents/{consent_id}/revoke")
    async def revoke(consent_id: int) -> DoneOut:
        """A debtor takes a consent back; it counts no more from now on."""
        if not await data.rulebook.revoke(consent_id):
            raise HTTPException(404, "there is no such consent, or it was taken back before")
        return DoneOut()
