"""Consult API: what was said to somebody the agent asked, beside the recording of the call."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.recordings import RecordingError, inside
from voicebot.console.settings import ConsoleSettings
from voicebot.evidence.format import wav_header
from voicebot.evidence.reading import read_consultation
from voicebot.evidence.vault import VaultLocked


def consult_routes(data: ConsoleData, settings: ConsoleSettings) -> APIRouter:
    """The one route of the third channel."""
    router = APIRouter(prefix="/api", tags=["calls"])

    @router.get("/calls/{call_id}/consultation", response_class=Response)
    async def consultation(call_id: str, request: Request) -> Response:
        """The leg of whoever was consulted as WAV, mono, as long as the call; 404 where nobody was."""
        call = await data.call(call_id)
        if call is None or not call.bundle:
            raise HTTPException(404, f"call {call_id} is not known, or has no recording")
        wav = await asyncio.to_thread(_wav, settings.recordings, call.bundle)
        await data.evidence.note_listening(account_of(request.scope), call_id)
        return Response(wav, media_type="audio/wav", headers={"Cache-Control": "private, max-age=600"})

    return router


def _wav(recordings: Path, bundle: str) -> bytes:
    try:
        sound = read_consultation(inside(recordings, bundle))
    except (RecordingError, OSError, ValueError, KeyError, VaultLocked) as missing:
        raise HTTPException(404, f"the recording cannot be read: {missing}") from missing
    if sound is None:
        raise HTTPException(404, "nobody was consulted in this call")
    pcm = sound.tobytes()
    return wav_header(len(pcm), 1) + pcm
