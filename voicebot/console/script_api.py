"""Script API: call scripts, their versions and the steps that are open to them, and any line as sound."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from voicebot.console.api_values import DoneOut
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.script_data import ScriptsData
from voicebot.domain.script_version import ScriptVersion, Share
from voicebot.quality.trial import Trial
from voicebot.store.script_versions import VersionRefused, VersionUnknown
from voicebot.tts.synthesizer import RATE, Synthesizer, load_synthesizer

Answer = TypeVar("Answer")
LONGEST_LINE = 300
_LARGEST = 1_000_000


class ScriptIn(BaseModel):
    """A new script; `base` is the one it begins from."""

    id: str = Field(max_length=40)
    title: str = Field("", max_length=60)
    base: str = Field("reminder", max_length=40)
    how: str = Field("extend", pattern="extend|copy")


class TextIn(BaseModel):
    """A text to check or to keep; `sha256` is that of the draft it was made from."""

    source: str = Field(max_length=_LARGEST)
    note: str = Field("", max_length=200)
    sha256: str | None = None


class SplitIn(BaseModel):
    """Two versions that share the air; per cent of B, and of all calls that stay on the older one."""

    a: int = Field(ge=1)
    b: int = Field(ge=1)
    share: int = Field(ge=1, le=99)
    holdout: int = Field(0, ge=0, le=90)


class VersionOut(BaseModel):
    """One version; its text is there only when one was asked for."""

    script: str
    number: int
    state: str
    sha256: str
    written_by: str
    reviewed_by: str | None
    published_by: str | None
    note: str
    source: str | None = None


class ScriptOut(BaseModel):
    """One script; `on_air` are versions with their parts of the calls, figures those of the last 30 days."""

    script: str
    title: str
    stage: str
    newest: VersionOut
    on_air: dict[int, float]
    calls: int
    promise_rate: float
    handoff_rate: float


class TrialIn(BaseModel):
    """The newest so many calls of the script."""

    most: Annotated[int, Field(ge=1, le=10_000)] = 1000


class TrialOut(BaseModel):
    """Sealed calls played through a version. `report` is the id of what came of it; `summary` as in replay.md."""

    total: int
    finished: int
    done: bool
    failed: str
    report: int | None
    summary: dict[str, Any]


class FindingOut(BaseModel):
    """What the compiler says about one place of a text."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    message: str


def script_routes(data: ConsoleData, synthesizer: str = "embedded") -> APIRouter:
    """All routes below /api/scripts."""
    router = APIRouter(prefix="/api/scripts")
    _reads(router, data)
    _steps(router, data)
    _trials(router, data)
    _sound(router, synthesizer)
    return router


def _reads(router: APIRouter, data: ConsoleData) -> None:
    @router.get("")
    async def scripts() -> list[ScriptOut]:
        """Every call script, those on the air first."""
        return [
            ScriptOut(
                script=row.script,
                title=row.title,
                stage=row.stage,
                newest=_version(row.newest),
                on_air=dict(row.on_air),
                calls=row.figures.calls,
                promise_rate=row.figures.promise_rate,
                handoff_rate=row.figures.handoff_rate,
            )
            for row in await data.library.rows()
        ]

    @router.post("")
    async def begin(wanted: ScriptIn, request: Request) -> VersionOut:
        """A draft of a new script."""
        by = account_of(request.scope).username
        extend = wanted.how == "extend"
        return _version(await _asked(data.library.begin(wanted.id, wanted.title, wanted.base, extend, by)))

    @router.get("/{script}/{number}")
    async def version(script: str, number: int) -> VersionOut:
        """One version with its text."""
        found = await _asked(data.library.version(script, number))
        return _version(found, found.source)

    @router.post("/{script}/check")
    async def check(script: str, text: TextIn) -> list[FindingOut]:
        """What the compiler says about a text; nothing is kept."""
        reading = await data.library.read(script, text.source)
        return [
            FindingOut(file=f.file, line=f.line, column=f.column, severity=f.severity, code=f.code, message=f.message)
            for f in reading.findings
        ]


def _steps(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/{script}/draft")
    async def draft(script: str, text: TextIn, request: Request) -> VersionOut:
        """Keep a text as the open draft, or begin the next one; 409 when it is not the draft of `sha256` any more."""
        by = account_of(request.scope).username
        return _version(await _asked(data.library.draft(script, text.source, by, text.note, text.sha256)))

    @router.post("/{script}/split")
    async def split(script: str, wanted: SplitIn, request: Request) -> DoneOut:
        """Share the air between two versions that were published."""
        part = wanted.share / 100
        parts = (Share(wanted.a, 1 - part), Share(wanted.b, part))
        by = account_of(request.scope).username
        await _asked(data.library.split(script, parts, wanted.holdout / 100, by))
        return DoneOut()

    for step, take in _STEPS.items():
        router.add_api_route(f"/{{script}}/{{number}}/{step}", _step(data, take), methods=["POST"], name=step)


def _trials(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/{script}/{number}/trial")
    async def begin_trial(script: str, number: int, request: Request, wanted: TrialIn | None = None) -> TrialOut:
        """Begin to play the script's sealed calls through a version; 409 where that can't be done."""
        by = account_of(request.scope).username
        return _trial(await _asked(data.library.begin_trial(script, number, by, (wanted or TrialIn()).most)))

    @router.get("/{script}/{number}/trial")
    async def trial(script: str, number: int) -> TrialOut:
        """How far it is, and what came of it; 404 where none was begun since the start."""
        found = data.library.trial(script, number)
        if found is None:
            raise HTTPException(404, f"no calls were played through version {number} of {script}")
        return _trial(found)


_Take = Callable[[ScriptsData, str, int, str], Awaitable[object]]
_STEPS: dict[str, _Take] = {
    "review": lambda library, script, number, by: library.review(script, number, by),
    "publish": lambda library, script, number, by: library.publish(script, number, by),
    "roll-back": lambda library, script, number, by: library.roll_back(script, number, by),
    "discard": lambda library, script, number, by: library.discard(script, number),
}


def _step(data: ConsoleData, take: _Take) -> Callable[..., Awaitable[DoneOut]]:
    async def taken(script: str, number: int, request: Request) -> DoneOut:
        """One step of a version on its way; 409 with the reason when it is not open."""
        await _asked(take(data.library, script, number, account_of(request.scope).username))
        return DoneOut()

    return taken


def _sound(router: APIRouter, engine: str) -> None:
    @lru_cache(1)
    def voice() -> Synthesizer:
        return load_synthesizer(engine)

    @router.get("/say", response_class=Response)
    async def say(text: Annotated[str, Query(min_length=1, max_length=LONGEST_LINE)]) -> Response:
        """A line in the voice of the calls, as WAV."""
        try:
            pcm = await asyncio.to_thread(lambda: voice().synthesize(text))
        except (ValueError, FileNotFoundError) as error:
            raise HTTPException(503, str(error)) from error
        return Response(_wav(pcm), media_type="audio/wav", headers={"Cache-Control": "private, max-age=600"})


def _wav(pcm: bytes) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(pcm)
    return written.getvalue()


async def _asked(work: Awaitable[Answer]) -> Answer:
    try:
        return await work
    except VersionUnknown as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    except VersionRefused as refused:
        raise HTTPException(409, str(refused)) from refused


def _trial(trial: Trial) -> TrialOut:
    return TrialOut(
        total=trial.total,
        finished=trial.finished,
        done=trial.done,
        failed=trial.failed,
        report=trial.report,
        summary=dict(trial.summary),
    )


def _version(version: ScriptVersion, source: str | None = None) -> VersionOut:
    return VersionOut(
        script=version.script,
        number=version.number,
        state=version.state.value,
        sha256=version.sha256,
        written_by=version.written_by,
        reviewed_by=version.reviewed_by,
        published_by=version.published_by,
        note=version.note,
        source=source,
    )
