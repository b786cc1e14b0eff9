"""Evidence API: case files, copies without what must not be seen, the log, operations, legal holds."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from voicebot.console.api_values import DoneOut, FailureOut, VerdictOut
from voicebot.console.evidence_data import NoKeys
from voicebot.console.gate import account_of
from voicebot.console.masking import NAMES, names_needed
from voicebot.console.queries import ConsoleData
from voicebot.console.recordings import RecordingError, inside
from voicebot.console.settings import ConsoleSettings
from voicebot.domain.operation import LegalHold, Operation
from voicebot.evidence.redaction import RedactionRefused, Span


class OperationOut(BaseModel):
    position: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: dict[str, Any]
    sha256: str


class OperationsOut(BaseModel):
    """`next_before`: give it as `before` for the next page; null on the last one."""

    operations: list[OperationOut]
    next_before: int | None


class UploadsOut(BaseModel):
    """Sealed calls: `waiting` for their upload, `failing` of these, `verified` in the object store with their `size`.

    `size` in bytes; `removed`: local copies that were deleted; `oldest`: since when the first one waits.
    """

    waiting: int
    failing: int
    verified: int
    size: int
    removed: int
    oldest: dt.datetime | None
    error: str


class HoldIn(BaseModel):
    reason: Annotated[str, Field(min_length=2, max_length=500)]


class HoldOut(BaseModel):
    id: int
    case_id: str
    reason: str
    by: str
    since: dt.datetime


class SpanIn(BaseModel):
    """Whole seconds from `from_s` up to `to_s` of left (our side), right (the callee) or third (the consulted)."""

    channel: str
    from_s: int
    to_s: int


class RedactionIn(BaseModel):
    spans: Annotated[list[SpanIn], Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(min_length=2, max_length=500)]


def evidence_routes(data: ConsoleData, settings: ConsoleSettings) -> APIRouter:
    """Routes of recordings given away, and of what keeps watch over them."""
    router = APIRouter(prefix="/api", tags=["evidence"])
    _watch_routes(router, data)
    _export_routes(router, data, settings)
    _hold_routes(router, data)
    return router


def _watch_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/evidence")
    async def state() -> dict[str, Any]:
        """The log of all sealed calls: size, root, how much of it witnesses have seen, and what is wrong with it."""
        return dict(await data.evidence.state() or {})

    @router.post("/evidence/check")
    async def check() -> VerdictOut:
        """Check the log and the whole operation log now."""
        try:
            failures = await data.evidence.check()
        except NoKeys as missing:
            raise HTTPException(404, str(missing)) from missing
        found = [FailureOut(code=code, what=what) for code, what in failures]
        return VerdictOut(valid=not found, failures=found)

    @router.get("/evidence/uploads")
    async def uploads() -> UploadsOut:
        """What lies in the object store, and what waits to go there."""
        return UploadsOut(**asdict(await data.evidence.uploads()))

    @router.get("/evidence/operations")
    async def operations(
        before: Annotated[int | None, Query(ge=1)] = None, subject: str | None = None
    ) -> OperationsOut:
        """Who listened, exported, deleted: newest first. `subject`: such as call:ID or case:ID."""
        rows = [_operation_out(one) for one in await data.evidence.operations(before, subject)]
        return OperationsOut(operations=rows, next_before=rows[-1].position if rows and rows[-1].position > 1 else None)


def _export_routes(router: APIRouter, data: ConsoleData, settings: ConsoleSettings) -> None:
    async def bundle_of(call_id: str) -> Any:
        call = await data.call(call_id)
        if call is None or not call.bundle:
            raise HTTPException(404, f"call {call_id} is not known, or has no recording")
        try:
            path = await asyncio.to_thread(inside, settings.recordings, call.bundle)
        except RecordingError as missing:
            raise HTTPException(404, str(missing)) from missing
        if path.is_dir():
            raise HTTPException(404, "this call is not sealed yet; try again when it has ended")
        return path

    @router.get("/cases/{case_id}/evidence", response_class=Response)
    async def case_file(case_id: str, request: Request, masked: bool = False) -> Response:
        """All evidence of a case in one signed zip; masked, and without recordings, for who may not listen."""
        who = account_of(request.scope)
        hide = masked or not (who.may("listen") and who.may(NAMES))
        found = await data.evidence.case_file(case_id, settings.recordings, who, hide)
        if found is None:
            raise HTTPException(404, f"there is no case {case_id}")
        return _download(found, "application/zip", f"case-{case_id}.zip")

    @router.post("/calls/{call_id}/redact", response_class=Response)
    async def redact(call_id: str, wanted: RedactionIn, request: Request) -> Response:
        """A copy of a call with spans of a channel taken out; the rest still verifies."""
        names_needed(request)
        path = await bundle_of(call_id)
        spans = [Span(one.channel, one.from_s, one.to_s) for one in wanted.spans]
        try:
            who = account_of(request.scope)
            copy = await data.evidence.redacted(path, call_id, spans, wanted.reason, who)
        except RedactionRefused as refused:
            raise HTTPException(422, str(refused)) from refused
        return _download(copy, "application/zip", f"{call_id}-redacted.zip")

    @router.get("/calls/{call_id}/vcon")
    async def vcon(call_id: str, request: Request) -> dict[str, Any]:
        """The call as a vCon, the IETF's container of conversations."""
        return await data.evidence.vcon(await bundle_of(call_id), call_id, account_of(request.scope))


def _hold_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/holds")
    async def holds(case_id: str | None = None) -> list[HoldOut]:
        """Legal holds that stand: nothing of these cases is deleted."""
        return [_hold_out(one) for one in await data.evidence.holds(case_id)]

    @router.post("/cases/{case_id}/holds")
    async def hold(case_id: str, wanted: HoldIn, request: Request) -> DoneOut:
        """Put a legal hold on a case."""
        if await data.evidence.hold(case_id, wanted.reason, account_of(request.scope)) is None:
            raise HTTPException(404, f"there is no case {case_id}")
        return DoneOut()

    @router.post("/holds/{hold_id}/lift")
    async def lift(hold_id: int, request: Request) -> DoneOut:
        """Lift a legal hold."""
        if not await data.evidence.lift(hold_id, account_of(request.scope)):
            raise HTTPException(404, "this hold does not stand")
        return DoneOut()


def _operation_out(one: Operation) -> OperationOut:
    return OperationOut(
        position=one.position, at=one.at, actor=one.actor, role=one.role, action=one.action, subject=one.subject,
        detail=dict(one.detail), sha256=one.sha256,
    )  # fmt: skip


def _hold_out(one: LegalHold) -> HoldOut:
    return HoldOut(id=one.id, case_id=one.case_id, reason=one.reason, by=one.by, since=one.since)


def _download(body: bytes, kind: str, name: str) -> Response:
    quoted = name.encode("ascii", "replace").decode().replace('"', "_")
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{quoted}"'})
