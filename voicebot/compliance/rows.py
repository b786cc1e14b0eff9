"""Rows of `voicebot rules judge` and `voicebot speech check`: dictionaries in, dictionaries out, never raising."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicebot.compliance.gate import check_speech
from voicebot.compliance.packs import Packs, sha256_of, shipped_packs
from voicebot.compliance.request import RequestError, parse_request
from voicebot.compliance.rulebook import judge
from voicebot.compliance.speech_context import SpeechContextError, parse_context


def judge_row(row: Mapping[str, Any], packs: Packs | None = None) -> dict[str, Any]:
    """`{"id","allowed","rule","reason","not_before","pack"}`; what cannot be judged gets "error" and is not allowed."""
    packs = packs or shipped_packs()
    try:
        verdict = judge(parse_request(row), packs)
    except RequestError as error:
        return {"id": row.get("id"), "allowed": False, "error": str(error), "pack": sha256_of(packs.all)}
    return {
        "id": row.get("id"),
        "allowed": verdict.allowed,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "not_before": verdict.not_before.isoformat() if verdict.not_before else None,
        "pack": verdict.pack_sha256,
    }


def check_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """`{"id","violations":[{"id","span","reason"}]}`; a row that cannot be judged gets "error"."""
    text = row.get("text")
    try:
        context = parse_context(row.get("context"))
    except SpeechContextError as error:
        return {"id": row.get("id"), "error": str(error)}
    if not isinstance(text, str):
        return {"id": row.get("id"), "error": "text: text is needed"}
    found = check_speech(text, str(row.get("speaker", "bot")), context)
    violations = [{"id": each.id, "span": [each.start, each.end], "reason": each.reason} for each in found]
    return {"id": row.get("id"), "violations": violations}
