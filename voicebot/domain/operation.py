"""Operation: somebody listened, exported, verified, deleted; a chain of its own says so for ever."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

FIRST = "0" * 64
"""What stands before the first operation."""


class Action(StrEnum):
    """What can be done with what was recorded."""

    LISTENED = "listened"
    READ = "read"  # a transcript
    EXPORTED = "exported"
    VERIFIED = "verified"
    REDACTED = "redacted"
    HELD = "held"  # a legal hold was put on
    RELEASED = "released"
    DELETED = "deleted"
    ROTATED_KEY = "rotated_key"
    BACKED_UP = "backed_up"
    RESTORED = "restored"
    ACCESS = "access"  # who may come in, or what they may do, was changed


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry. `subject` is such as call:ID or case:ID; `detail` holds texts, whole numbers and lists of these."""

    position: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)
    sha256: str = ""

    def chained(self, before: str) -> str:
        """The hash of this entry behind that of the entry before: SHA-256, hexadecimal."""
        told = json.dumps(self.told(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(f"{before}{told}".encode("utf-8", "replace")).hexdigest()

    def told(self) -> dict[str, object]:
        """What is hashed: everything but the hash; the time in UTC to the microsecond."""
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        return {
            "position": self.position,
            "at": at,
            "actor": self.actor,
            "role": self.role,
            "action": self.action,
            "subject": self.subject,
            "detail": dict(self.detail),
        }


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Nothing of this case may be deleted while it stands; `lifted_at` None: it stands."""

    id: int
    case_id: str
    reason: str
    by: str
    since: dt.datetime
    lifted_by: str | None = None
    lifted_at: dt.datetime | None = None
