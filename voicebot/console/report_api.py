"""Report API: figures as JSON, XLSX and PDF, their definitions, and the reports that are sent."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from voicebot.console.api_values import DoneOut
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.report_data import read_shape, read_wanted
from voicebot.reports.book import Book, as_json
from voicebot.reports.figures import FIGURES
from voicebot.reports.paper import paper
from voicebot.reports.spreadsheet import spreadsheet

log = structlog.get_logger(__name__)
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


class PlanIn(BaseModel):
    """`recipients` with commas between; `format`: xlsx, pdf or both with a comma between."""

    name: str = Field(max_length=80)
    period: str = "week"
    format: str = "xlsx,pdf"
    recipients: str = Field(max_length=1000)
    hour: int = 8


class PlanOut(BaseModel):
    id: int
    name: str
    period: str
    formats: list[str]
    recipients: list[str]
    hour: int
    sent_for: str | None
    why: str


def report_routes(data: ConsoleData) -> APIRouter:
    """All routes below /api/reports. The days, dimensions and shape are those of the page's address."""
    router = APIRouter(prefix="/api/reports", tags=["reports"])

    async def book_of(request: Request) -> Book:
        wanted = read_wanted(request.query_params, data.reports.today)
        try:
            return await data.reports.book(wanted, *read_shape(request.query_params))
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong

    @router.get("")
    async def figures(request: Request) -> dict[str, object]:
        """Every figure with numerator, denominator and interval; sums by period and group; funnel, cohorts, rolls."""
        return as_json(await book_of(request))

    @router.get("/figures")
    async def definitions() -> list[dict[str, str]]:
        """What every figure means."""
        return [
            {"id": f.id, "zh": f.zh, "en": f.en, "unit": f.unit.value, "definition": f.definition}
            for f in FIGURES.values()
        ]

    @router.get("/export.{kind}")
    async def export(kind: str, request: Request) -> Response:
        """The same as a file: xlsx or pdf."""
        if kind not in _TYPES:
            raise HTTPException(404, "a report is xlsx or pdf")
        book = await book_of(request)
        body = await asyncio.to_thread(spreadsheet if kind == "xlsx" else paper, book)
        name = f"voicebot-{book.wanted.since}-{book.wanted.until}.{kind}"
        log.info("report exported", kind=kind, by_pii=account_of(request.scope).username)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type=_TYPES[kind], headers=headers)

    @router.get("/plans")
    async def plans() -> list[PlanOut]:
        """Reports that are sent by e-mail."""
        return [
            PlanOut(
                id=plan.id,
                name=plan.name,
                period=plan.period.value,
                formats=list(plan.formats),
                recipients=list(plan.recipients),
                hour=plan.hour,
                sent_for=plan.sent_for.isoformat() if plan.sent_for else None,
                why=plan.why,
            )
            for plan in await data.reports.plans()
        ]

    @router.post("/plans")
    async def add_plan(wanted: PlanIn, request: Request) -> DoneOut:
        """Send a report whenever its day, week or month is over."""
        formats = [name.strip() for name in wanted.format.split(",") if name.strip()]
        by = account_of(request.scope).username
        try:
            to = wanted.recipients.replace("，", ",").split(",")
            await data.reports.add_plan(wanted.name, wanted.period, formats, to, wanted.hour, by)
        except ValueError as wrong:
            raise HTTPException(422, str(wrong)) from wrong
        log.info("report plan added", period=wanted.period, by_pii=by)
        return DoneOut()

    @router.post("/plans/{plan_id}/drop")
    async def drop_plan(plan_id: int, request: Request) -> DoneOut:
        """Send it no more."""
        try:
            await data.reports.drop_plan(plan_id)
        except LookupError as gone:
            raise HTTPException(404, str(gone)) from gone
        log.info("report plan dropped", plan=plan_id, by_pii=account_of(request.scope).username)
        return DoneOut()

    return router
