"""Redaction: a copy of a sealed call with spans of a channel taken out; the rest still verifies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from voicebot.domain.clock import Clock
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.content import split_lines
from voicebot.evidence.format import CONSULT, FORMAT, REDACTION, TICK_BYTES
from voicebot.evidence.journal import read_facts
from voicebot.evidence.redacted import CHANNELS, REDACTION_FORMAT
from voicebot.evidence.signer import Signer, utc
from voicebot.evidence.spelling import canonical
from voicebot.evidence.told import told

_SIDES = {
    "left": (FactKind.SAYING, FactKind.SAID, FactKind.AGENT_HEARD, FactKind.BRIEFED, FactKind.GATE_ALERT),
    "right": (FactKind.HEARD, FactKind.UNDERSTOOD, FactKind.DTMF),
    "third": (),
}


class RedactionRefused(ValueError):
    """The spans cannot be taken out; the message says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """Whole seconds [`from_s`, `to_s`) of a channel: left (our side), right (the callee) or third (the consulted)."""

    channel: str
    from_s: int
    to_s: int


def redact(
    members: Mapping[str, bytes], spans: Sequence[Span], *, by: str, reason: str, signer: Signer, clock: Clock
) -> dict[str, bytes]:
    """The members of a copy without these spans: their sound is silence, what was said in them is gone everywhere.

    `members`: those of a sealed, valid bundle. RedactionRefused.
    """
    manifest = json.loads(members["manifest.json"])
    seconds = manifest["chain"]["rows"]
    _check(manifest, spans, seconds, REDACTION in members)
    rows = [json.loads(line) for line in split_lines(members["chain.jsonl"])[1:]]
    copy = dict(members)
    copy["audio.wav"] = _silence(members["audio.wav"], rows, spans)
    if CONSULT in members:
        copy[CONSULT] = _silence_third(members[CONSULT], rows, spans)
    copy["journal.jsonl"] = _blank(members["journal.jsonl"], spans)
    copy |= _told_again(members, copy["journal.jsonl"])
    copy[REDACTION] = _document(members, copy, spans, by, reason, signer, clock)
    return copy


def whole_channel(members: Mapping[str, bytes], channel: str) -> Span:
    """A span over all of a channel."""
    return Span(channel, 0, json.loads(members["manifest.json"])["chain"]["rows"])


def _check(manifest: Mapping[str, Any], spans: Sequence[Span], seconds: int, again: bool) -> None:
    if manifest["format"] != FORMAT:
        raise RedactionRefused(f"calls of format {manifest['format']} were sealed in one piece")
    if again:
        raise RedactionRefused("this is a redacted copy already; redact the sealed call, with all spans")
    if not spans:
        raise RedactionRefused("nothing to take out")
    for span in spans:
        if span.channel not in CHANNELS or not 0 <= span.from_s < span.to_s <= seconds:
            raise RedactionRefused(f"{span.channel} {span.from_s}-{span.to_s}: a channel and seconds up to {seconds}")


def _covers(spans: Iterable[Span], channel: str, second: int) -> bool:
    return any(span.channel == channel and span.from_s <= second < span.to_s for span in spans)


def _silence(wav: bytes, rows: Sequence[Mapping[str, Any]], spans: Sequence[Span]) -> bytes:
    sound, at = bytearray(wav), 44
    for row in rows:
        width = row["ticks"] * TICK_BYTES * 2
        for channel, low in (("left", 0), ("right", 2)):
            if _covers(spans, channel, row["second"]):
                for byte in (low, low + 1):
                    sound[at + byte : at + width : 4] = bytes(width // 4)
        at += width
    return bytes(sound)


def _silence_third(wav: bytes, rows: Sequence[Mapping[str, Any]], spans: Sequence[Span]) -> bytes:
    sound, at = bytearray(wav), 44
    for row in rows:
        if "third" in row:
            width = row["ticks"] * TICK_BYTES
            if _covers(spans, "third", row["second"]):
                sound[at : at + width] = bytes(width)
            at += width
    return bytes(sound)


def _blank(journal: bytes, spans: Sequence[Span]) -> bytes:
    """Lines about what was said in the spans keep their place and their hash alone."""
    lines = []
    last_heard_gone = False
    for line, fact in zip(split_lines(journal), read_facts(journal), strict=True):
        gone = _said_in(fact, spans)
        if fact.kind is FactKind.HEARD:
            last_heard_gone = gone
        elif fact.kind in (FactKind.UNDERSTOOD, FactKind.DECIDED):
            gone = gone or last_heard_gone  # they repeat what was heard
        if gone:
            row = json.loads(line)
            line = canonical({"hash": row["hash"], "ms": row["ms"], "redacted": True, "seq": row["seq"]})
        lines.append(line + b"\n")
    return b"".join(lines)


def _said_in(fact: Fact, spans: Sequence[Span]) -> bool:
    begin, end = fact.data.get("start_ms"), fact.data.get("end_ms")
    if fact.kind is FactKind.SAID:
        heard = fact.data.get("heard_ms")
        begin, end = fact.ms - (heard if isinstance(heard, int) else 0), fact.ms
    first = begin if isinstance(begin, int) else fact.ms
    last = end if isinstance(end, int) else fact.ms
    return any(
        fact.kind in _SIDES[span.channel] and first < span.to_s * 1000 and last >= span.from_s * 1000
        for span in spans
    )


def _told_again(members: Mapping[str, bytes], journal: bytes) -> dict[str, bytes]:
    """The documents that repeat the journal, without what is gone."""
    header = json.loads(split_lines(members["chain.jsonl"])[0])
    kept = b"".join(line + b"\n" for line in split_lines(journal) if b'"redacted":true' not in line)
    closing = json.loads(members["environment.json"])["at_end"]
    return told(header, list(read_facts(kept)), closing)


def _document(
    members: Mapping[str, bytes], copy: Mapping[str, bytes], spans: Sequence[Span], by: str, reason: str,
    signer: Signer, clock: Clock,
) -> bytes:  # fmt: skip
    changed = {name: body for name, body in copy.items() if body != members[name]}
    document = {
        "format": REDACTION_FORMAT,
        "manifest_sha256": hashlib.sha256(members["manifest.json"]).hexdigest(),
        "by": by,
        "reason": reason,
        "at": utc(clock.now()),
        "spans": [{"channel": one["channel"], "from": one["from_s"], "to": one["to_s"]} for one in map(asdict, spans)],
        "files": {
            name: {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in changed.items()
        },
        "keys": signer.history,
        "key_id": signer.key_id,
    }
    return canonical({**document, "signature": signer.sign(canonical(document)).hex()})
