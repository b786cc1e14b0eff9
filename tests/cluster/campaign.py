"""The campaign that runs while machines die: its people, its start, and what must be true of it afterwards."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from voicebot.demo.persona import load_personas
from voicebot.domain.attempt import Consent
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.case import Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.domain.records import Number
from voicebot.evidence.reading import read_journal
from voicebot.evidence.verify import verify_bundle
from voicebot.store import Store
from voicebot.store.cases import NewCase

from .cluster import Cluster
from .town import BRIEF

PROMISER = "p01"


def people(stages: Sequence[str], brief: int, promisers: int) -> dict[str, dict[str, str]]:
    """For each stage numbers and who answers there: so many who hang up soon, and so many who promise.

    Who promises talks long: in the last stage they are rung first, and nobody waits for them alone.
    """
    middle = [BRIEF] * (brief // 2) + [PROMISER] * promisers + [BRIEF] * (brief - brief // 2)
    kinds = dict.fromkeys(stages, middle) | {stages[-1]: [PROMISER] * promisers + [BRIEF] * brief}
    return {stage: {f"1380013{place:02}{index:02}": kind for index, kind in enumerate(kinds[stage])}
            for place, stage in enumerate(stages)}  # fmt: skip


async def begin(url: str, stage: str, persons: Mapping[str, str], at_once: int) -> None:
    """A campaign of its own for these people; everybody has agreed to be rung at any hour."""
    now = SystemClock().now()
    lender = Creditor(f"bank-{stage}", "示范消费金融有限公司", "示范服务中心", "4008001234")
    async with Store.from_url(url) as store:
        await store.cases.save_creditor(lender)
        await store.cases.save([_case(number, kind, lender, now) for number, kind in persons.items()], now)
        for number in persons:
            for hour in ("06:00", "18:00"):
                await store.contacts.agree(Consent(f"d{number}", "other_hours", now, {"from": hour, "to": hour}))
            await store.contacts.agree(Consent(f"d{number}", "holiday", now))
        segment = Segment(creditor_id=lender.id)
        campaign = Campaign(stage, stage, "reminder", CampaignState.DRAFT, now, segment, max_concurrency=at_once)
        await store.campaigns.save(campaign)
        await store.campaigns.start(stage, now)


def _case(number: str, kind: str, lender: Creditor, now: dt.datetime) -> NewCase:
    person = next(one for one in load_personas() if one.id == (kind if kind != BRIEF else PROMISER))
    debtor = Debtor(f"d{number}", person.name, Salutation.MR, person.id_last4, person.birth_mmdd)
    case = Case(f"c{number}", debtor, lender, "消费分期", person.amount_fen, person.overdue_days, now.date())
    return NewCase(case, (Number(number),))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the database says of each number: attempts by state, calls, promises."""

    states: dict[str, Counter[str]]
    calls: dict[str, list[str]]
    promised: Counter[str]

    @classmethod
    def of(cls, sockets: Path) -> Tally:
        """Read from the server whose socket lies in that folder."""
        with psycopg.connect(host=str(sockets), user="voicebot", dbname="voicebot", autocommit=True) as connection:
            states: dict[str, Counter[str]] = {}
            for number, state in connection.execute("SELECT number, state FROM attempts"):
                states.setdefault(number, Counter())[state] += 1
            calls: dict[str, list[str]] = {}
            for number, call in connection.execute("SELECT number, id FROM calls WHERE direction = 'outbound'"):
                calls.setdefault(number, []).append(call)
            promised = connection.execute("SELECT call_id, count(*) FROM promises GROUP BY 1").fetchall()
        return cls(states, calls, Counter(dict(promised)))

    def open_attempts(self) -> int:
        """Attempts that somebody holds, and people nobody has tried yet."""
        held = sum(one["leased"] + one["placed"] for one in self.states.values())
        return held + sum(1 for one in self.states.values() if not one["settled"])


def disagreements(tally: Tally, cluster: Cluster) -> list[str]:
    """Every way in which what the far end saw, what the database says and what was recorded do not agree."""
    rung, bundles = cluster.rung(), cluster.bundles()
    answered = {row["number"] for row in cluster.rows("answered")}
    found = [f"{number} was rung {times} times" for number, times in rung.items() if times > 1]
    for number, states in tally.states.items():
        if states["leased"] or states["placed"] or states["settled"] != 1:
            found.append(f"{number}: {dict(states)}")
    found += [f"{number} was rung and no call is written" for number in rung if not tally.calls.get(number)]
    found += [f"{number} has {len(calls)} calls" for number, calls in tally.calls.items() if len(calls) > 1]
    found += [f"not sealed: {folder}" for folder in cluster.unsealed()]
    recorded = {number for number, calls in tally.calls.items() if any(call in bundles for call in calls)}
    found += [f"{number} answered and there is no recording" for number in answered - recorded]
    return found + _judged(bundles, tally.promised)


def _judged(bundles: Mapping[str, Path], written: Counter[str]) -> list[str]:
    """Recordings that do not verify, and promises that were heard and not written, or the other way round."""
    found, heard = [], Counter[str]()
    for call, bundle in bundles.items():
        found += [f"{call}: {failure}" for failure in verify_bundle(bundle).failures]
        heard[call] = any(fact.kind is FactKind.PROMISED for fact in read_journal(bundle))
    return found + [f"{call}: {heard[call]} promises heard, {written[call]} written"
                    for call in heard | written if heard[call] != written[call]]  # fmt: skip
