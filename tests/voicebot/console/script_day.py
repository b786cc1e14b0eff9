"""The library of call scripts in a test's database, somebody who writes, and somebody who reviews."""

from __future__ import annotations

import datetime as dt

from tests.voicebot.console.day import PASSWORD
from voicebot.campaign.publishing import Publishing
from voicebot.config import scripts_dir
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import Role
from voicebot.store import Store

WRITER, OTHER_WRITER, REVIEWER = "lin", "zhou", "shen"


async def seed(store: Store, now: dt.datetime) -> None:
    """Shipped scripts on the air, two designers and a supervisor."""
    await Publishing(store, scripts_dir(), FixedClock(now)).ship()
    for name, role, told in (
        (WRITER, Role.DESIGNER, "林设计"),
        (OTHER_WRITER, Role.DESIGNER, "周设计"),
        (REVIEWER, Role.SUPERVISOR, "沈主管"),
    ):
        await store.users.create(name, role, now, password=PASSWORD, display_name=told)
