"""EvidenceData: sealed calls, case files, the log, operations and holds, as page and API want them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voicebot.console.queries import Account
from voicebot.domain.clock import Clock
from voicebot.domain.operation import Action, LegalHold, Operation
from voicebot.evidence.case_file import CaseMaterial, case_file
from voicebot.evidence.export import export_members
from voicebot.evidence.log_check import check_log
from voicebot.evidence.operation_check import check_operations
from voicebot.evidence.reading import bundle_bytes
from voicebot.evidence.redaction import Span, redact
from voicebot.evidence.signer import Signer
from voicebot.evidence.stored_zip import zip_bytes
from voicebot.evidence.vcon import to_vcon
from voicebot.store.store import Store
from voicebot.store.uploads import UploadFigures

PER_PAGE = 50
LISTENING_S = 600.0
"""A player asks for many ranges of one recording: that is one listening."""


class NoKeys(RuntimeError):
    """This console has no home folder, and so neither keys nor a log."""


class EvidenceData:
    """Everything here that shows or gives away a recording writes an operation first."""

    def __init__(self, store: Store, clock: Clock, home: Path | None) -> None:
        self._store, self._clock, self._home = store, clock, home
        self._heard: dict[tuple[str, str], float] = {}

    # --- what was done

    async def note(
        self, who: Account, action: Action, subject: str, detail: Mapping[str, object] | None = None
    ) -> None:
        """Write an operation down."""
        await self._store.operations.note(who.username, who.role, action, subject, self._clock.now(), detail)

    async def note_listening(self, who: Account, call_id: str) -> None:
        """Write a listening down, once in ten minutes for the same person and call."""
        now, key = time.monotonic(), (who.username, call_id)
        if now - self._heard.get(key, -LISTENING_S) >= LISTENING_S:
            await self.note(who, Action.LISTENED, f"call:{call_id}")
            self._heard = {one: at for one, at in self._heard.items() if now - at < LISTENING_S} | {key: now}

    async def operations(self, before: int | None = None, subject: str | None = None) -> Sequence[Operation]:
        """Newest first, a page of them."""
        return await self._store.operations.latest(PER_PAGE, before, subject)

    async def check(self) -> list[tuple[str, str]]:
        """Reasons not to believe log or operations."""
        signer = await self._signer()
        state = await asyncio.to_thread(check_log, signer)
        failures = [(one["code"], one["what"]) for one in state["failures"]]
        return failures + await check_operations(self._store.operations.in_order(), signer)

    async def state(self) -> Mapping[str, Any] | None:
        """The log as it is; None where this console has none."""
        if self._home is None:
            return None
        return await asyncio.to_thread(check_log, await self._signer())

    async def uploads(self) -> UploadFigures:
        """How much of it lies in the object store, and what waits."""
        return await self._store.uploads.figures()

    # --- what is given away

    async def bundle(self, path: Path, call_id: str, who: Account) -> bytes:
        """A sealed call with today's proof."""
        await self.note(who, Action.EXPORTED, f"call:{call_id}")
        if self._home is None:
            return await asyncio.to_thread(bundle_bytes, path)
        return zip_bytes(await asyncio.to_thread(export_members, path, await self._signer()))

    async def redacted(self, path: Path, call_id: str, spans: Sequence[Span], reason: str, who: Account) -> bytes:
        """A copy of a call without these spans. RedactionRefused."""
        signer = await self._signer()
        members = await asyncio.to_thread(export_members, path, signer)
        copy = redact(members, spans, by=who.username, reason=reason, signer=signer, clock=self._clock)
        told = [f"{span.channel}:{span.from_s}-{span.to_s}" for span in spans]
        await self.note(who, Action.REDACTED, f"call:{call_id}", {"spans": told, "reason": reason})
        return zip_bytes(copy)

    async def vcon(self, path: Path, call_id: str, who: Account) -> dict[str, Any]:
        """A call as a vCon; without the number that was dialled for those who may not listen."""
        members = await asyncio.to_thread(export_members, path, await self._signer())
        await self.note(who, Action.EXPORTED, f"call:{call_id}", {"as": "vcon"})
        return to_vcon(members, masked=not (who.may("listen") and who.may("names")))

    async def case_file(self, case_id: str, recordings: Path, who: Account, masked: bool) -> bytes | None:
        """All evidence of a case; None when there is no such case."""
        papers = await self._store.papers.of_case(case_id)
        if papers is None:
            return None
        signer = await self._signer()
        await self.note(who, Action.EXPORTED, f"case:{case_id}", {"masked": masked})
        about = [f"case:{case_id}", *(f"call:{call['id']}" for call in papers.calls)]
        done = await self._store.operations.about(about)
        material = CaseMaterial(papers, done, recordings, recordings.parent / "letters", masked)
        return await asyncio.to_thread(case_file, material, signer, self._clock, who.username)

    # --- holds

    async def holds(self, case_id: str | None = None) -> Sequence[LegalHold]:
        """Holds that stand."""
        return await self._store.holds.standing(case_id)

    async def hold(self, case_id: str, reason: str, who: Account) -> int | None:
        """Put a hold on a case; None when there is no such case."""
        if await self._store.cases.find(case_id) is None:
            return None
        number = await self._store.holds.put(case_id, reason, who.username, self._clock.now())
        await self.note(who, Action.HELD, f"case:{case_id}", {"hold": number, "reason": reason})
        return number

    async def lift(self, hold_id: int, who: Account) -> bool:
        """Lift a hold; False when it does not stand."""
        case_id = next((one.case_id for one in await self.holds() if one.id == hold_id), "")
        if not await self._store.holds.lift(hold_id, who.username, self._clock.now()):
            return False
        await self.note(who, Action.RELEASED, f"case:{case_id}", {"hold": hold_id})
        return True

    async def _signer(self) -> Signer:
        if self._home is None:
            raise NoKeys("this console has no home folder, and so no keys")
        return await asyncio.to_thread(Signer.load_or_create, self._home / "keys")
