"""Desk out: records of the store as the desk's REST API shows them, numbers masked."""

from __future__ import annotations

from voicebot.console.agreement import explain
from voicebot.console.desk_data import DeskCall
from voicebot.console.desk_values import (
    AgentOut,
    AlertOut,
    CallbackOut,
    CaseBriefOut,
    PartOut,
    PermissionOut,
    PlanOut,
    PopOut,
    TabooOut,
    WaitingOut,
)
from voicebot.console.masking import name_shown
from voicebot.console.words import Words
from voicebot.domain.case import Case
from voicebot.domain.desk import AgentCallback
from voicebot.domain.permission import DialVerdict
from voicebot.domain.phone import mask_number
from voicebot.domain.plan import Plan, Ruling
from voicebot.domain.records import AgentRecord, Alert, WaitingCall


def agent_out(agent: AgentRecord) -> AgentOut:
    return AgentOut(
        id=agent.id,
        name=agent.name,
        presence=agent.presence,
        since=agent.presence_at,
        note=agent.note,
        call_id=agent.call_id,
        wrap_until=agent.wrap_until,
        skills=list(agent.skills),
        languages=list(agent.languages),
        device=agent.device,
    )


def brief_out(case: Case) -> CaseBriefOut:
    return CaseBriefOut(
        case_id=case.id,
        debtor_name=name_shown(case.debtor.name),
        creditor=case.creditor.name,
        product=case.product,
        amount_fen=case.amount_fen,
        overdue_days=case.overdue_days,
    )


def pop_out(shown: DeskCall) -> PopOut:
    pop, situation = shown.pop, shown.pop.situation
    return PopOut(
        call_id=shown.call.id,
        case=brief_out(pop.case) if pop.case else None,
        verified=situation.verified,
        danger=situation.danger,
        reason=situation.reason,
        mood=situation.mood,
        intents=list(situation.intents),
        first_sentence=pop.first_sentence,
        taboos=[TabooOut(rule=one.rule, text=one.text, grave=one.grave) for one in pop.taboos],
    )


def plan_out(words: Words, plan: Plan, ruling: Ruling) -> PlanOut:
    parts = [
        PartOut(date=p.date, amount_fen=p.amount_fen, day=words.date(p.date), amount=words.money(p.amount_fen))
        for p in plan.parts
    ]
    return PlanOut(
        parts=parts,
        total_fen=plan.total_fen,
        total=words.money(plan.total_fen),
        waived_fen=plan.waived_fen,
        allowed=ruling.allowed,
        approver=ruling.approver,
        why=explain(words, ruling),
    )


def permission_out(verdict: DialVerdict) -> PermissionOut:
    return PermissionOut(
        allowed=verdict.allowed, rule=verdict.rule, reason=verdict.reason, not_before=verdict.not_before
    )


def callback_out(callback: AgentCallback) -> CallbackOut:
    return CallbackOut(
        id=callback.id,
        case_id=callback.case_id,
        debtor_name=name_shown(callback.debtor_name),
        number_masked=mask_number(callback.number),
        at=callback.at,
        reason=callback.reason,
        mine=callback.agent_id is not None,
    )


def waiting_out(call: WaitingCall) -> WaitingOut:
    return WaitingOut(
        call_id=call.call_id,
        skill=call.skill,
        reason=call.reason,
        language=call.language,
        urgent=call.urgent,
        since=call.since,
    )


def alert_out(alert: Alert) -> AlertOut:
    return AlertOut(
        id=alert.id,
        at=alert.at,
        kind=alert.kind.value,
        text=alert.text,
        call_id=alert.call_id,
        agent_id=alert.agent_id,
    )
