"""Case API: cases and their history, case files on their way in, exports, and payments, for programs and pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse

from voicebot.cases.tables import MAX_BYTES
from voicebot.console.api_values import DoneOut
from voicebot.console.case_values import (
    CaseDetailOut,
    CasesOut,
    ImportOut,
    ImportStateOut,
    MendIn,
    NoteIn,
    PaymentOut,
    PaymentsIn,
    PaymentsOut,
    PlanIn,
    PreviewOut,
    StatusIn,
    cases_out,
    detail_out,
    import_out,
    import_state_out,
    payment_out,
    payments_out,
    preview_out,
)
from voicebot.console.gate import account_of
from voicebot.console.masking import sees_names
from voicebot.console.queries import ConsoleData
from voicebot.console.refusals import refusals
from voicebot.store.cases import CaseFilter

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def case_filter(
    search: str = "",
    status: str = "",
    creditor: str = "",
    product: str = "",
    region: str = "",
    min_overdue_days: int | None = None,
    max_overdue_days: int | None = None,
    min_amount_fen: int | None = None,
    max_amount_fen: int | None = None,
    agent: str = "",
    order: str = "overdue",
) -> CaseFilter:
    """`search`: beginning or end of a name, case number or telephone number. `order`: overdue, amount or updated."""
    return CaseFilter(
        search, status, creditor, product, region, min_overdue_days, max_overdue_days, min_amount_fen, max_amount_fen,
        agent, order,
    )  # fmt: skip


Wanted = Annotated[CaseFilter, Depends(case_filter)]


def case_routes(data: ConsoleData) -> APIRouter:
    """Routes below /api/cases and /api/payments. What is fixed comes before what takes a case number."""
    router = APIRouter(prefix="/api", tags=["cases"])
    _file_routes(router, data)
    _import_routes(router, data)
    _payment_routes(router, data)
    _case_routes(router, data)
    return router


def _case_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/cases")
    async def cases(
        wanted: Wanted,
        after: str | None = None,
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 25,
    ) -> CasesOut:
        """A page of cases; `after` and `before` of the answer are marks for the neighbouring pages."""
        return cases_out(await _tried(data.casework.page(wanted, before or after, before is not None, limit)))

    @router.post("/cases/{case_id:path}/status")
    async def status(case_id: str, change: StatusIn, request: Request) -> DoneOut:
        """Suspend, close or open a case again; the reason is kept."""
        who = account_of(request.scope).username
        await _tried(data.casework.set_status(case_id, change.status, who, change.why))
        log.info("command", verb=f"case {change.status}", target=case_id, by_pii=who)
        return DoneOut()

    @router.post("/cases/{case_id:path}/notes", status_code=201)
    async def note(case_id: str, written: NoteIn, request: Request) -> DoneOut:
        """Write a note into a case's history."""
        await _tried(data.casework.note(case_id, written.text, account_of(request.scope).username))
        return DoneOut()

    @router.get("/cases/{case_id:path}/payments")
    async def payments_of(case_id: str) -> list[PaymentOut]:
        """What was paid for a case, newest first."""
        return [payment_out(payment, at) for payment, at in await data.casework.payments_of(case_id)]

    @router.get("/cases/{case_id:path}")
    async def case(case_id: str, before: dt.datetime | None = None) -> CaseDetailOut:
        """One case with its history, newest first; `before` the last one's moment for what is older."""
        view = await data.casework.view(case_id, before)
        if view is None:
            raise HTTPException(404, f"there is no case {case_id}")
        return detail_out(view)


def _file_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/cases/import")
    async def import_now(request: Request, file: UploadFile) -> ImportOut:
        """Import a CSV or XLSX file at once; rejected rows are listed and never block the others."""
        who = account_of(request.scope).username
        report = await _tried(data.casework.imports.take(file.filename or "", await _content(file), who))
        return import_out(report)

    @router.get("/cases/export")
    async def export(wanted: Wanted, format: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "csv") -> Response:
        """Cases as a file that an import understands, with what came of them."""
        masked = not sees_names()
        name = {"Content-Disposition": f'attachment; filename="cases.{format}"'}
        if format == "xlsx":
            return Response(await _tried(data.casework.workbook(wanted, masked)), media_type=XLSX, headers=name)
        return StreamingResponse(data.casework.csv(wanted, masked), media_type="text/csv; charset=utf-8", headers=name)


def _import_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/cases/imports")
    async def latest() -> list[ImportStateOut]:
        """The latest files."""
        return [import_state_out(record) for record in await data.casework.imports.latest()]

    @router.post("/cases/imports", status_code=201)
    async def upload(request: Request, file: UploadFile, creditor: str = "") -> ImportStateOut:
        """Hand a file in without importing it: look at its preview, correct its mapping, then run it."""
        who = account_of(request.scope).username
        content = await _content(file)
        return import_state_out(await _tried(data.casework.imports.upload(file.filename or "", content, who, creditor)))

    @router.get("/cases/imports/{import_id}")
    async def state(import_id: str) -> ImportStateOut:
        """How far an import is, and its report at the end."""
        return import_state_out(await _tried(data.casework.imports.find(import_id)))

    @router.get("/cases/imports/{import_id}/preview")
    async def preview(import_id: str) -> PreviewOut:
        """How the file would be read: columns, first rows, what would be rejected."""
        return preview_out(await _tried(data.casework.imports.look(import_id)))

    @router.post("/cases/imports/{import_id}/plan")
    async def plan(import_id: str, wanted: PlanIn) -> PreviewOut:
        """Say what headings mean, and whose the cases are where no column tells; the new preview."""
        await _tried(data.casework.imports.plan(import_id, wanted.mapping, wanted.creditor))
        return preview_out(await _tried(data.casework.imports.look(import_id)))

    @router.post("/cases/imports/{import_id}/run", status_code=202)
    async def run(import_id: str, request: Request) -> ImportStateOut:
        """Begin to import; ask for its state to see how far it is."""
        await _tried(data.casework.imports.run(import_id, account_of(request.scope).username))
        return import_state_out(await _tried(data.casework.imports.find(import_id)))

    @router.get("/cases/imports/{import_id}/rejects")
    async def rejects(import_id: str) -> Response:
        """The rejected rows as a CSV with reasons, to put right and hand in again."""
        content = await _tried(data.casework.imports.rejects(import_id))
        if content is None:
            raise HTTPException(404, "nothing of this file was rejected")
        name = {"Content-Disposition": f'attachment; filename="rejects-{import_id}.csv"'}
        return Response(content, media_type="text/csv; charset=utf-8", headers=name)

    @router.post("/cases/imports/{import_id}/mend", status_code=202)
    async def mend(import_id: str, wanted: MendIn, request: Request) -> ImportStateOut:
        """Put cells of rejected rows right; these rows are imported again, as an import of their own."""
        who = account_of(request.scope).username
        return import_state_out(await _tried(data.casework.imports.mend(import_id, wanted.rows, who)))


def _payment_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/payments")
    async def pay(paid: PaymentsIn, request: Request) -> PaymentsOut:
        """Book payments; one that was booked before, known by its reference, changes nothing."""
        report = await data.casework.book([payment.value() for payment in paid.payments])
        log.info("payments booked", booked=report.booked, by_pii=account_of(request.scope).username)
        return payments_out(report)

    @router.post("/payments/import")
    async def pay_file(request: Request, file: UploadFile) -> PaymentsOut:
        """Book a CSV or XLSX of payments."""
        report = await _tried(data.casework.book_file(await _content(file)))
        log.info("payments booked", booked=report.booked, by_pii=account_of(request.scope).username)
        return payments_out(report)


async def _content(file: UploadFile) -> bytes:
    content = await file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise HTTPException(413, f"文件超过 {MAX_BYTES >> 20} MB。请拆成几个文件分别导入。")
    return content


async def _tried(doing: Awaitable[Answer]) -> Answer:
    with refusals():
        return await doing
