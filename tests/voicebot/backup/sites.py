"""Sites: an installation in a folder and a database, with calls, promises and evidence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.voicebot.evidence.conftest import START, record
from tests.voicebot.store.samples import new_case
from voicebot.cli.commands import app
from voicebot.domain.case import Promise
from voicebot.domain.records import CallRecord
from voicebot.evidence.operation_check import anchor_operations
from voicebot.evidence.signer import Signer
from voicebot.store import Store

KEY = "ab" * 32


class Site:
    """A home with a database of its own on the tests' server."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url

    def run(self, *words: str, home: Path | None = None, url: str | None = None, key: str = KEY) -> Any:
        """`voicebot …` on this site."""
        values = {"VOICEBOT_HOME": str(home or self.home), "VOICEBOT_DATABASE_URL": url or self.url, "BACKUP_KEY": key}
        return CliRunner(env=values).invoke(app, ["backup", *words])

    async def live(self, calls: range) -> None:
        """Make calls that end in promises, each with a sealed bundle, and write down who listened."""
        async with Store.from_url(self.url) as store:
            for n in calls:
                await store.cases.save([new_case(n)], START)
                path = record(self.home / "recordings", f"call-{n}").seal(Signer.load_or_create(self.home / "keys"))
                await store.calls.start(CallRecord(f"call-{n}", "outbound", f"+8613800000{n:03d}", START, f"C{n:04d}"))
                bundle = str(path.relative_to(self.home / "recordings"))
                ended = START + dt.timedelta(minutes=1)
                await store.calls.close(f"call-{n}", ended_at=ended, bundle=bundle, disposition="promise")
                promise = Promise(START.date() + dt.timedelta(days=3), 50_000, confirmed=True)
                await store.promises.record(f"C{n:04d}", f"call-{n}", promise, START)
                await store.operations.note("amy", "reviewer", "listened", f"call:call-{n}", START)
            length, head = await store.operations.head()
            anchor_operations(Signer.load_or_create(self.home / "keys"), length, head)
