"""Seed: how a demonstration begins: its cases come in, agents sit down, and the campaign starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.cases.importer import ImportReport, import_cases
from voicebot.demo.case_file import Row, write_case_file
from voicebot.demo.persona import Persona
from voicebot.domain.attempt import Consent
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.case import Case, Creditor, Debtor, Salutation
from voicebot.domain.records import AgentRecord, Number, Role
from voicebot.store.cases import NewCase
from voicebot.store.store import Store

CAMPAIGN = "demo"
DEMO_USER = "demo"

CREDITOR = Creditor(id="demo-bank", name="示范消费金融有限公司", neutral_name="示范服务中心", hotline="4008001234")


@dataclass(frozen=True, slots=True)
class Phones:
    """Where the simulated people are rung, host:port; `foreign`: persona id -> their own phone, not ours."""

    far_end: str
    agents: str
    foreign: Mapping[str, str] = field(default_factory=dict)

    def of(self, persona: Persona) -> str:
        return self.foreign.get(persona.id, self.far_end)

    def uri(self, persona: Persona, number: int) -> str:
        """What rings the `number`-th debtor."""
        return f"sip:{persona.id}-{number:03d}@{self.of(persona)}"


async def import_file(
    store: Store, personas: Sequence[Persona], phones: Phones, now: dt.datetime, folder: Path
) -> ImportReport:
    """The cases as a lender sends them: an untidy file, taken in by the importer."""
    await store.cases.save_creditor(CREDITOR)
    rows = [Row(one, case_id(n), debtor_id(n), phones.uri(one, n)) for n, one in enumerate(personas, 1)]
    return await import_cases(write_case_file(folder, rows, CREDITOR, now.date()), store)


async def save_cases(store: Store, personas: Sequence[Persona], phones: Phones, now: dt.datetime) -> None:
    """The same cases as they are, for personas that no file could carry."""
    await store.cases.save_creditor(CREDITOR)
    await store.cases.save([_case(persona, number, phones, now) for number, persona in enumerate(personas, 1)], now)


async def agree_to_any_hour(store: Store, debtors: int, now: dt.datetime) -> None:
    """So that a demonstration can be given at night."""
    for number in range(1, debtors + 1):
        for consent in _any_hour(debtor_id(number), now):
            await store.contacts.agree(consent)


async def seat_people(store: Store, phones: Phones, now: dt.datetime, password: str) -> None:
    """Agents, and the user of the console."""
    for index in (1, 2, 3):
        agent = AgentRecord(f"a{index}", f"客服{index}号", f"sip:agent-{index}@{phones.agents}", ("general",))
        await store.agents.save(agent)
        await store.agents.set_presence(f"a{index}", "ready", now)
    await store.users.create(DEMO_USER, Role.ADMIN, now, password=password, display_name="演示用户")


async def start_campaign(store: Store, script: str, segment: Segment, now: dt.datetime) -> None:
    """Ring everybody in the segment, a few at a time."""
    await store.campaigns.save(
        Campaign(CAMPAIGN, "演示活动", script, CampaignState.DRAFT, now, segment, max_concurrency=8)
    )
    await store.campaigns.start(CAMPAIGN, now)


def _any_hour(debtor_id: str, now: dt.datetime) -> tuple[Consent, ...]:
    """Consents to be called at any hour of any day: two bands of 24 hours, as a call must end inside one."""
    bands = ("06:00", "18:00")
    return (
        *(Consent(debtor_id, "other_hours", now, {"from": hour, "to": hour}) for hour in bands),
        Consent(debtor_id, "holiday", now),
    )


def case_id(number: int) -> str:
    return f"DEMO-{number:03d}"


def debtor_id(number: int) -> str:
    return f"debtor-{number:03d}"


def _case(persona: Persona, number: int, phones: Phones, now: dt.datetime) -> NewCase:
    debtor = Debtor(
        debtor_id(number),
        persona.name,
        Salutation(persona.salutation),
        persona.id_last4,
        persona.birth_mmdd,
    )
    fees = persona.amount_fen // 5000 * 100  # two per cent, in whole yuan
    case = Case(
        id=case_id(number),
        debtor=debtor,
        creditor=CREDITOR,
        product="消费分期",
        amount_fen=persona.amount_fen,
        overdue_days=persona.overdue_days,
        as_of=now.date(),
        principal_fen=persona.amount_fen - fees,
        fees_fen=fees,
    )
    return NewCase(case, (Number(phones.uri(persona, number)),))
