"""Recovering: PostgreSQL's own tools brought the database to an earlier moment, and the disks are of today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.backup.settling import settle
from voicebot.evidence.signer import KEY_FILE, Signer
from voicebot.evidence.verify import verify_bundle
from voicebot.store.dumping import SealedCall, Snapshot
from voicebot.store.store import Store


class KeysMissing(ValueError):
    """There are no signing keys here, and none may be made anew: the log is theirs. The message says what to do."""


@dataclass(slots=True)
class Recovered:
    """What the recovered database and this machine's disk say of each other.

    `later`: calls whose recordings lie here and which the database does not know, as they ended after its moment.
    `failures` is empty when nothing is missing or altered.
    """

    recordings: int = 0
    elsewhere: int = 0
    later: list[str] = field(default_factory=list)
    calmed: Mapping[str, int] = field(default_factory=dict)
    log_size: int = 0
    operations: int = 0
    failures: list[str] = field(default_factory=list)


async def after_recovery(home: Path, url: str, by: str, now: dt.datetime) -> Recovered:
    """Look at an installation whose database was recovered, halt it, and write down that it was.

    KeysMissing, DatabaseError, psycopg.Error.
    """
    if not (home / "keys" / KEY_FILE).exists():
        raise KeysMissing(f"{home / 'keys'} holds no signing key: first bring back keys, evidence-log and recordings, "
                          "as docs/how-to/backup.md says")  # fmt: skip
    found, known = Recovered(), set[str]()
    with Snapshot.take(url) as snapshot:
        for call in snapshot.sealed():
            known.add(call.call_id)
            _look_at(found, home / "recordings", call)
    found.later = sorted({path.stem for path in (home / "recordings").rglob("*.zip")} - known)
    why = "数据库已恢复到较早的时刻；请核对其后的通话、付款与信息，再恢复外呼"
    settled = await settle(url, Signer.load_or_create(home / "keys"), by, now, why)
    found.calmed, found.log_size, found.operations = settled.calmed, settled.log_size, settled.operations
    found.failures += settled.failures
    async with Store.from_url(url) as store:
        detail = {"later": len(found.later), "failures": len(found.failures)}
        await store.operations.note(by, "cli", "restored", "database", now, detail)
    return found


def _look_at(found: Recovered, recordings: Path, call: SealedCall) -> None:
    """Other machines' disks are theirs to look at: what does not lie here is counted, not missed."""
    path = recordings / call.bundle
    if not path.exists():
        found.elsewhere += 1
        return
    found.recordings += 1
    found.failures += [f"{call.bundle}: {code}: {what}" for code, what in verify_bundle(path).failures]
