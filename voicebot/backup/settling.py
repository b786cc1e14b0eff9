"""Settling: a database that is of an earlier moment is checked against keys and log, and waits for a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from voicebot.evidence.log_check import check_log
from voicebot.evidence.operation_check import check_operations
from voicebot.evidence.signer import Signer
from voicebot.store.dumping import calm
from voicebot.store.store import Store


@dataclass(frozen=True, slots=True)
class Settled:
    """How many of each thing were made to wait, the sizes of both logs, and what in them is not as it was."""

    calmed: Mapping[str, int]
    log_size: int
    operations: int
    failures: list[str]


async def settle(url: str, signer: Signer, by: str, now: dt.datetime, why: str) -> Settled:
    """Halt dialling, pause campaigns, cancel messages that waited, and check both logs. DatabaseError."""
    state = check_log(signer)
    failures = [f"log: {one['code']}: {one['what']}" for one in state["failures"]]
    calmed = calm(url, why)
    async with Store.from_url(url) as store:
        wrong = await check_operations(store.operations.in_order(), signer)
        failures += [f"operations: {code}: {what}" for code, what in wrong]
        length = (await store.operations.head())[0]
        await store.dialling.halt(by, now, why)
    return Settled(calmed, state["size"], length, failures)
