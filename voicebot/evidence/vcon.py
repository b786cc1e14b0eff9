"""vCon: a sealed call as the IETF's container of conversations (draft-ietf-vcon-vcon-core-04), unsigned form.

For exchange with others' tools. The proof stays with the bundle, whose hash the vCon carries as an attachment.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from voicebot import __version__
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.format import RATE
from voicebot.evidence.journal import read_facts
from voicebot.evidence.transcript import transcript_lines

SYNTAX = "0.4.0"
US, CALLEE = 0, 1
_SPEAKERS = {"bot": US, "agent": US, "caller": CALLEE}


def to_vcon(members: Mapping[str, bytes], *, masked: bool = False) -> dict[str, Any]:
    """The vCon of a bundle's members. `masked`: without the address that was dialled."""
    manifest = json.loads(members["manifest.json"])
    redacted = b'"redacted":true' in members["journal.jsonl"]
    lines = [line for line in members["journal.jsonl"].splitlines(keepends=True) if b'"redacted":true' not in line]
    facts = list(read_facts(b"".join(lines)))
    started = manifest["started_at"]
    return {
        "vcon": SYNTAX,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"voicebot:{manifest['call_id']}")),
        "created_at": started,
        "subject": f"Call {manifest['call_id']}",
        **({"redacted": {"type": "spans of sound"}} if redacted else {}),
        "parties": _parties(facts, masked),
        "dialog": [_recording(members["audio.wav"], started, manifest)],
        "analysis": [_transcript(facts)],
        "attachments": [_attachment(name, members[name], started) for name in ("manifest.json", "proof.json")
                        if name in members],
    }  # fmt: skip


def _parties(facts: list[Fact], masked: bool) -> list[dict[str, Any]]:
    dialled = next((fact.data for fact in facts if fact.kind is FactKind.DIALLED), {})
    started = next((fact.data for fact in facts if fact.kind is FactKind.STARTED), {})
    verified = next((str(fact.data.get("by")) for fact in facts if fact.kind is FactKind.VERIFIED), None)
    callee: dict[str, Any] = {"role": "customer"}
    address = str(started.get("number_masked") or "") if masked else str(dialled.get("to") or "")
    if address:
        callee["sip" if address.startswith("sip") else "tel"] = address
    if verified:
        callee["validation"] = verified
    return [{"name": f"voicebot {__version__}", "role": "agent"}, callee]


def _recording(wav: bytes, started: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "recording",
        "start": started,
        "duration": round((len(wav) - 44) / (RATE * 4), 3),
        "parties": [US, CALLEE],
        "mediatype": "audio/x-wav",
        "filename": f"{manifest['call_id']}.wav",
        **_inline(wav),
    }


def _transcript(facts: list[Fact]) -> dict[str, Any]:
    rows = [
        {"party": _SPEAKERS.get(line.speaker, US), "start": line.start_ms, "end": line.end_ms, "text": line.text}
        for line in transcript_lines(facts)
    ]
    body = json.dumps(rows, ensure_ascii=False)
    told = {"type": "transcript", "dialog": 0, "vendor": "voicebot", "product": __version__}
    return {**told, "mediatype": "application/json", "body": body, "encoding": "json"}


def _attachment(name: str, body: bytes, at: str) -> dict[str, Any]:
    return {"type": name, "start": at, "party": US, "mediatype": "application/json", "filename": name, **_inline(body)}


def _inline(body: bytes) -> dict[str, str]:
    digest = base64.urlsafe_b64encode(hashlib.sha512(body).digest()).rstrip(b"=").decode()
    encoded = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    return {"body": encoded, "encoding": "base64url", "content_hash": f"sha512-{digest}"}
