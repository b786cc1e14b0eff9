"""Anchor the operation log in the log of evidence, and check that nothing in it was changed or cut off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from voicebot.domain.operation import FIRST, Operation
from voicebot.evidence.log import Log
from voicebot.evidence.merkle import leaf_hash
from voicebot.evidence.signer import Signer
from voicebot.evidence.spelling import canonical


def anchor_operations(signer: Signer, length: int, head: str) -> int | None:
    """Make the operation log's length and last hash a leaf of the log; its number, None when it did not grow."""
    signer = signer.fresh()
    known = _anchors(signer.log)
    if not length or (known and known[-1]["operations"] >= length):
        return None
    statement = {"operations": length, "sha256": head, "log": signer.origin}
    index = signer.log.append(canonical(statement))
    with _file(signer.log).open("ab") as file:
        file.write(canonical({**statement, "leaf": index}) + b"\n")
    return index


async def check_operations(entries: AsyncIterator[Operation], signer: Signer) -> list[tuple[str, str]]:
    """Reasons not to believe the operation log: a broken chain, or less than what the log of evidence has seen."""
    anchors = {one["operations"]: one for one in _anchors(signer.log)}
    failures = [
        ("anchor_altered", f"anchor {length} is not the leaf that the log holds")
        for length, one in anchors.items()
        if not _is_leaf(one, signer.log)
    ]
    before, length = FIRST, 0
    async for entry in entries:
        if entry.position != length + 1 or entry.chained(before) != entry.sha256:
            failures.append(("operations_altered", f"entry {entry.position} does not follow from the one before"))
            return failures
        before, length = entry.sha256, entry.position
        if length in anchors and anchors[length]["sha256"] != before:
            failures.append(("operations_rewritten", f"entry {length} is not the one that the log of evidence saw"))
    if anchors and max(anchors) > length:
        failures.append(("operations_cut", f"the log of evidence saw {max(anchors)} entries, here are {length}"))
    return failures


def _is_leaf(anchor: dict[str, Any], log: Log) -> bool:
    statement = {name: value for name, value in anchor.items() if name != "leaf"}
    leaf = anchor["leaf"]
    return isinstance(leaf, int) and leaf < log.size and log.leaf(leaf) == leaf_hash(canonical(statement))


def _anchors(log: Log) -> list[dict[str, Any]]:
    path = _file(log)
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


def _file(log: Log) -> Path:
    return log.folder / "operations.jsonl"
