"""Check a log against itself: every node, its signed heads, and what witnesses said of them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from voicebot.evidence.der import read_token
from voicebot.evidence.keys import public_key_of, unhex
from voicebot.evidence.log import Log
from voicebot.evidence.merkle import HASH_BYTES, consistency_holds, node_hash
from voicebot.evidence.notary import tokens_of
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.spelling import canonical


def check_log(signer: Signer) -> dict[str, Any]:
    """Size, root, witnessed size and time, and `failures` as (code, what): none means that nothing was taken away."""
    log = signer.log
    failures = _check_nodes(log)
    heads = [*log.given(), *([log.head()] if log.head() else [])]
    for head in heads:
        failures += _check_head(head, log, signer)
    stamped = [(head, _times(head, log)) for head in log.given()]
    covered = [(head, times) for head, times in stamped if times]
    return {
        "origin": signer.origin,
        "size": log.size,
        "root": log.root().hex(),
        "witnessed": covered[-1][0]["head"]["size"] if covered else 0,
        "witnessed_at": max(covered[-1][1]) if covered else None,
        "failures": [{"code": code, "what": what} for code, what in failures],
    }


def _check_nodes(log: Log) -> list[tuple[str, str]]:
    """Inner nodes against the leaves."""
    level = (log.folder / "levels" / "0").read_bytes() if log.size else b""
    number = 0
    while len(level) >= 2 * HASH_BYTES:
        pairs = range(0, len(level) - 2 * HASH_BYTES + 1, 2 * HASH_BYTES)
        above = b"".join(node_hash(level[at : at + 32], level[at + 32 : at + 64]) for at in pairs)
        number += 1
        path = log.folder / "levels" / str(number)
        kept = path.read_bytes() if path.exists() else b""
        if not above.startswith(kept[: len(above)]):
            return [("log_altered", f"level {number} of the log does not follow from the one below")]
        level = above
    return []


def _check_head(head: Any, log: Log, signer: Signer) -> list[tuple[str, str]]:
    told, size = head["head"], head["head"]["size"]
    public = public_key_of(signer.history, told["key_id"])
    if public is None or not verify_signature(public, canonical(told), unhex(head["head_signature"])):
        return [("head_signature_bad", f"the head of {size} leaves is not signed by this installation")]
    if size > log.size:
        return [("log_rolled_back", f"the log holds {log.size} leaves, and once held {size}")]
    root = bytes.fromhex(told["root"])
    if log.root(size) != root:
        return [("log_forked", f"the first {size} leaves are not those of the head of {told['at']}")]
    if size and not consistency_holds(size, log.size, root, log.root(), log.consistency(size, log.size)):
        return [("log_forked", f"the log does not go on from the head of {told['at']}")]
    return []


def _times(head: Any, log: Log) -> list[str]:
    digest = hashlib.sha256(canonical(head["head"])).digest()
    found = []
    for entry in tokens_of(log, head["head"]["size"]):
        imprint, at, _ = read_token(base64.b64decode(entry["token"]))
        if imprint == digest:
            found.append(at)
    return found
