"""Rows to values: how what the database returns becomes words of the trade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from voicebot.domain.attempt import Attempt, AttemptState, Consent, ContactStop, Purpose, TargetKind
from voicebot.domain.case import Case, Creditor, Debtor, Salutation
from voicebot.domain.outcome import Disposition
from voicebot.store.schema import attempts, cases, creditors, debtors

AnyRow = Any
"""A row of a select; its columns are attributes."""


def _labelled(table: FromClause, prefix: str) -> list[ColumnElement[Any]]:
    return [column.label(f"{prefix}_{column.name}") for column in table.columns]


CASE_COLUMNS = [*_labelled(cases, "case"), *_labelled(debtors, "debtor"), *_labelled(creditors, "creditor")]
CASE_TABLES = cases.join(debtors).join(creditors)
ATTEMPT_COLUMNS = [*_labelled(attempts, "attempt"), *CASE_COLUMNS]
ATTEMPT_TABLES = (
    attempts.join(cases, attempts.c.case_id == cases.c.id)
    .join(debtors, cases.c.debtor_id == debtors.c.id)
    .join(creditors, cases.c.creditor_id == creditors.c.id)
)


def to_case(row: AnyRow) -> Case:
    """A case from a row that holds CASE_COLUMNS, with what is outstanding now.

    Once something was paid, principal and fees are not stated any more: what is left was not split.
    """
    case = to_bill(row)
    if row.case_amount_fen == row.case_billed_fen:
        return case
    return replace(case, amount_fen=row.case_amount_fen, principal_fen=None, fees_fen=None)


def to_bill(row: AnyRow) -> Case:
    """A case from a row that holds CASE_COLUMNS, as the creditor's file told it."""
    return Case(
        id=row.case_id,
        debtor=Debtor(
            id=row.debtor_id,
            name=row.debtor_name,
            salutation=Salutation(row.debtor_salutation),
            id_last4=row.debtor_id_last4,
            birth_mmdd=row.debtor_birth_mmdd,
        ),
        creditor=Creditor(
            id=row.creditor_id,
            name=row.creditor_name,
            neutral_name=row.creditor_neutral_name,
            hotline=row.creditor_hotline,
        ),
        product=row.case_product,
        amount_fen=row.case_billed_fen,
        overdue_days=row.case_overdue_days,
        as_of=row.case_as_of,
        principal_fen=row.case_principal_fen,
        fees_fen=row.case_fees_fen,
        lawsuit_filed=row.case_lawsuit_filed,
        credit_reported=row.case_credit_reported,
        visit_scheduled=row.case_visit_scheduled,
        entrusted=row.case_entrusted,
        jurisdiction=row.case_jurisdiction,
    )


def to_attempt(row: AnyRow) -> Attempt:
    """An attempt from a row that holds ATTEMPT_COLUMNS."""
    return Attempt(
        id=row.attempt_id,
        case=to_case(row),
        number=row.attempt_number,
        target=TargetKind(row.attempt_target),
        state=AttemptState(row.attempt_state),
        not_before=row.attempt_not_before,
        purpose=Purpose(row.attempt_purpose),
        campaign_id=row.attempt_campaign_id,
        script=row.attempt_script,
        tries=row.attempt_tries,
        leased_by=row.attempt_leased_by,
        lease_until=row.attempt_lease_until,
        leased_at=row.attempt_leased_at,
        settled_at=row.attempt_settled_at,
        call_id=row.attempt_call_id,
        priority=row.attempt_priority,
        shows=row.attempt_shows,
        disposition=Disposition(row.attempt_disposition) if row.attempt_disposition else None,
        why=row.attempt_why,
        rule=row.attempt_rule,
    )


def to_stop(row: AnyRow) -> ContactStop:
    return ContactStop(
        id=row.id,
        reason=row.reason,
        since=row.since,
        number=row.number,
        debtor_id=row.debtor_id,
        until=row.until,
        call_id=row.call_id,
    )


def to_consent(row: AnyRow) -> Consent:
    return Consent(
        id=row.id,
        debtor_id=row.debtor_id,
        kind=row.kind,
        data=row.data,
        given_at=row.given_at,
        call_id=row.call_id,
    )
