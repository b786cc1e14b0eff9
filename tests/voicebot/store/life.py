"""The dealings of a dialler and a line with the database, from case to promise; run by this version and by older ones.

    python life.py URL NAME        cases and attempts are there; takes them until none is left, when told "go"
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from typing import Any

from voicebot.domain.attempt import Outcome
from voicebot.domain.case import Case, Creditor, Debtor, Promise
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord, Number
from voicebot.store import Store
from voicebot.store.cases import NewCase

NOON = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


class Allowed:
    """The rulebook's answer, as the store wants it."""

    allowed, rule, reason, not_before, pack_sha256 = True, None, "allowed", None, "0" * 64


def judge(request: Any, now: dt.datetime) -> Any:
    return Allowed()


async def plan(store: Store, count: int) -> None:
    """Import cases and plan a call for each."""
    creditor = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")
    for n in range(1, count + 1):
        debtor = Debtor(id=f"D{n}", name=f"演示{n}", id_last4="2315", birth_mmdd="0812")
        case = Case(id=f"C{n}", debtor=debtor, creditor=creditor, product="消费贷", amount_fen=100_000 + n,
                    overdue_days=n, as_of=dt.date(2026, 11, 24))  # fmt: skip
        await store.cases.save([NewCase(case, (Number(f"+86138000{n:05d}"),))], NOON)
        await store.attempts.add(f"C{n}", "reminder", NOON)


async def work(store: Store, name: str, at_once: int = 2) -> list[str]:
    """Take attempts and make their calls until none is left; the cases, in order."""
    done = []
    while taken := await store.attempts.lease(name, at_once, NOON, judge):
        await store.attempts.heartbeat(name, [one.id for one in taken], NOON)
        for one in taken:
            await call(store, name, one)
            done.append(one.case.id)
    return done


async def call(store: Store, name: str, attempt: Any) -> None:
    """One call: dialled, answered, promised, ended, written down, followed up."""
    call_id, case_id = f"call-{attempt.case.id}", attempt.case.id
    await store.attempts.place(attempt.id, name, call_id, NOON)
    await store.commands.issue(call_id, "hang_up", NOON, by="amy", payload={"why": "test"})
    await store.calls.start(
        CallRecord(call_id, "outbound", attempt.number, NOON, case_id, attempt.id, worker=name, script="reminder")
    )
    await store.calls.change(call_id, answered_at=NOON, script_sha256="ab" * 32)
    told = [(FactKind.STARTED, {"call_id": call_id}), (FactKind.ANSWERED, {}), (FactKind.HEARD, {"text": "我明天还"})]
    await store.facts.append(call_id, [Fact(n, NOON.isoformat(), n * 20, kind, data)
                                       for n, (kind, data) in enumerate(told)])  # fmt: skip
    await store.commands.take([call_id], name, NOON)
    promise = Promise(dt.date(2026, 11, 27), 50_000, confirmed=True)
    await store.promises.record(case_id, call_id, promise, NOON)
    told_it = {"disposition": Disposition.PROMISE_TO_PAY.value, "handoff": False, "verified": True}
    await store.calls.close(call_id, ended_at=NOON, duration_ms=61_000, bundle=f"{call_id}.zip", **told_it)
    outcome = Outcome(Disposition.PROMISE_TO_PAY, talked_to=True, call_id=call_id)
    await store.attempts.settle(attempt.id, name, outcome, NOON)
    await store.operations.note(name, "system", "listened", f"call:{call_id}", NOON)
    found = await store.calls.find(call_id)
    assert found is not None
    assert found.disposition == Disposition.PROMISE_TO_PAY.value
    assert len(await store.facts.of(call_id)) == 3
    assert await store.attempts.find(attempt.id) is not None
    assert [one.amount_fen for one in await store.promises.of_case(case_id)] == [50_000]


async def main(url: str, name: str) -> None:
    async with Store.from_url(url) as store:
        await store.alive()
        print("ready", flush=True)
        sys.stdin.readline()
        print(",".join(await work(store, name)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
