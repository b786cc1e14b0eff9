"""REST API: the same reads and commands as the pages, described at /api/openapi.json."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse

from voicebot.console.api_values import (
    CallDetailOut,
    CallsOut,
    DoneOut,
    FailureOut,
    LineOut,
    PeaksOut,
    VerdictOut,
    call_out,
)
from voicebot.console.gate import account_of
from voicebot.console.masking import names_needed, story_shown
from voicebot.console.queries import CallSearch, ConsoleData
from voicebot.console.recordings import (
    RangeError,
    RecordingError,
    byte_range,
    find_sound,
    inside,
    peaks,
    read,
    samples,
)
from voicebot.console.settings import ConsoleSettings
from voicebot.console.story import tell
from voicebot.domain.operation import Action
from voicebot.domain.outcome import Disposition
from voicebot.evidence.verify import verify_bundle

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


def api_routes(data: ConsoleData, settings: ConsoleSettings) -> APIRouter:
    """All routes below /api. The gate has let in only people and programs that are known."""
    router = APIRouter(prefix="/api")
    _call_routes(router, data, settings)
    return router


def _call_routes(router: APIRouter, data: ConsoleData, settings: ConsoleSettings) -> None:
    async def bundle_of(call_id: str) -> Path:
        call = await data.call(call_id)
        if call is None:
            raise HTTPException(404, f"there is no call {call_id}")
        if not call.bundle:
            raise HTTPException(404, "this call has no recording yet; it is sealed when the call has ended")
        try:
            return await asyncio.to_thread(inside, settings.recordings, call.bundle)
        except RecordingError as missing:
            raise HTTPException(404, str(missing)) from missing

    @router.get("/calls")
    async def calls(
        text: str = "",
        disposition: Disposition | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
        page: Annotated[int, Query(ge=1)] = 1,
    ) -> CallsOut:
        """Calls, newest first, 25 to a page. `text` searches names, case ids and what was said."""
        found = await data.calls(CallSearch(text, disposition, since, until), page)
        return CallsOut(total=found.total, page=found.number, calls=[call_out(row) for row in found.rows])

    @router.get("/calls/{call_id}")
    async def call(call_id: str) -> CallDetailOut:
        """One call with its transcript."""
        row = await data.call(call_id)
        if row is None:
            raise HTTPException(404, f"there is no call {call_id}")
        story = story_shown(tell(await data.facts(call_id)), row.debtor_name)
        lines = [
            LineOut(
                speaker=line.speaker,
                text=line.text,
                start_ms=line.start_ms,
                end_ms=line.end_ms,
                node=line.node,
                intents=list(line.intents),
                emotion=line.emotion,
            )
            for line in story.lines
        ]
        return CallDetailOut(**call_out(row).model_dump(), transcript=lines)

    @router.get("/calls/{call_id}/bundle", response_class=Response)
    async def bundle(call_id: str, request: Request) -> Response:
        """The sealed evidence bundle with today's proof, a zip file that verifies itself."""
        names_needed(request)
        path = await bundle_of(call_id)
        if not path.is_file():
            raise HTTPException(404, "this call is not sealed yet; try again when it has ended")
        body = await data.evidence.bundle(path, call_id, account_of(request.scope))
        headers = {"Content-Disposition": f'attachment; filename="{call_id}.zip"'}
        return Response(body, media_type="application/zip", headers=headers)

    @router.get("/calls/{call_id}/audio", response_class=StreamingResponse)
    async def audio(call_id: str, request: Request) -> Response:
        """The recording as WAV, left the bot and right the caller; single byte ranges are honoured."""
        path = await bundle_of(call_id)
        try:
            sound = await asyncio.to_thread(find_sound, path)
            part = byte_range(request.headers.get("range"), sound.size)
        except RecordingError as missing:
            raise HTTPException(404, str(missing)) from missing
        except RangeError as outside:
            return Response(status_code=416, headers={"Content-Range": str(outside)})
        await data.evidence.note_listening(account_of(request.scope), call_id)
        first, last = part or (0, sound.size - 1)
        headers = {"Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
        if part:
            headers["Content-Range"] = f"bytes {first}-{last}/{sound.size}"
        status = 206 if part else 200
        return StreamingResponse(read(sound, first, last), status, headers, media_type="audio/wav")

    @router.get("/calls/{call_id}/peaks")
    async def outline(call_id: str, slices: Annotated[int, Query(ge=1, le=4000)] = 1200) -> PeaksOut:
        """The outline of both channels for drawing, 0 to 100 per slice."""
        path = await bundle_of(call_id)

        def measure() -> PeaksOut:
            pcm, rate = samples(find_sound(path))
            found = peaks(pcm, rate, slices)
            return PeaksOut(duration_ms=found.duration_ms, left=list(found.left), right=list(found.right))

        try:
            return await asyncio.to_thread(measure)
        except RecordingError as missing:
            raise HTTPException(404, str(missing)) from missing

    @router.post("/calls/{call_id}/verify")
    async def verify(call_id: str, request: Request) -> VerdictOut:
        """Verify the evidence bundle now, hash by hash."""
        path = await bundle_of(call_id)
        await data.evidence.note(account_of(request.scope), Action.VERIFIED, f"call:{call_id}")
        verdict = await asyncio.to_thread(verify_bundle, path)
        failures = [FailureOut(code=str(code), what=str(what)) for code, what in verdict.failures]
        return VerdictOut(valid=verdict.valid, failures=failures)

    @router.post("/calls/{call_id}/hangup")
    async def hang_up(call_id: str, request: Request) -> DoneOut:
        """End a running call."""
        who = account_of(request.scope).username
        return await _command(data.hang_up(call_id, who), DoneOut(), "hang up", call_id, who)


async def _command(doing: Awaitable[None], answer: Answer, verb: str, target: str, who: str) -> Answer:
    try:
        await doing
    except LookupError as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    log.info("command", verb=verb, target=target, by_pii=who)
    return answer
