"""Case values: what the case API takes and answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from voicebot.cases.importer import ImportReport
from voicebot.cases.payments import PaymentsReport
from voicebot.console.case_data import CaseList, CaseView
from voicebot.console.import_data import Looked
from voicebot.console.masking import name_shown
from voicebot.console.queries import CaseRow
from voicebot.domain.outcome import Disposition
from voicebot.domain.payment import Payment
from voicebot.domain.phone import mask_number
from voicebot.store.imports import ImportRecord, ImportState
from voicebot.store.timeline import Moment


class CaseOut(BaseModel):
    """One case; only masked numbers leave the console."""

    case_id: str
    debtor_name: str
    creditor: str
    product: str
    amount_fen: int
    overdue_days: int
    numbers_masked: list[str]
    attempts: int
    last_disposition: Disposition | None
    status: str


class CasesOut(BaseModel):
    """`total` is counted to 10,000; `more`: there are more than that."""

    total: int
    more: bool
    before: str | None
    after: str | None
    cases: list[CaseOut]


class NumberOut(BaseModel):
    number_masked: str
    kind: str
    rank: int
    valid: bool
    name: str
    relation: str
    place: str
    carrier: str


class AddressOut(BaseModel):
    channel: str
    address: str


class InstalmentOut(BaseModel):
    number: int
    due_on: dt.date
    amount_fen: int


class MomentOut(BaseModel):
    """One thing that happened; what `data` holds depends on its kind."""

    at: dt.datetime
    kind: str
    ref: str
    data: dict[str, Any]


class CaseDetailOut(CaseOut):
    billed_fen: int
    as_of: dt.date
    region: str
    numbers: list[NumberOut]
    addresses: list[AddressOut]
    instalments: list[InstalmentOut]
    traits: dict[str, Any]
    loan: dict[str, Any]
    stops: list[str]
    timeline: list[MomentOut]
    older: bool


class StatusIn(BaseModel):
    status: Literal["open", "suspended", "closed"]
    why: Annotated[str, Field(min_length=1, max_length=500)]


class NoteIn(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class ProblemOut(BaseModel):
    column: str
    value: str
    reason: str


class RejectedOut(ProblemOut):
    """`row` as the spreadsheet counts; `more`: what else is wrong in it."""

    row: int
    more: list[ProblemOut] = []


class ImportOut(BaseModel):
    imported: int
    updated: int
    duplicates: int
    rejected: list[RejectedOut]
    warnings: list[str] = []
    ignored_columns: list[str] = []


class ImportStateOut(BaseModel):
    """A file and how far it is: `done` of `total` cases written. `report` once it is done."""

    import_id: str
    name: str
    sha256: str
    creditor: str
    mapping: dict[str, str]
    state: ImportState
    uploaded_by: str
    uploaded_at: dt.datetime
    ended_at: dt.datetime | None
    done: int
    total: int
    has_rejects: bool
    why: str
    report: dict[str, Any]


class PlanIn(BaseModel):
    """`mapping`: heading -> a field's Chinese name, the id of a trait, or "" to leave the column out."""

    mapping: dict[str, str] = {}
    creditor: str = ""


class PreviewColumnOut(BaseModel):
    heading: str
    meaning: str
    samples: list[str]


class PreviewRowOut(BaseModel):
    row: int
    cells: list[str]
    problems: list[ProblemOut]


class PreviewOut(BaseModel):
    columns: list[PreviewColumnOut]
    rows: list[PreviewRowOut]
    total: int
    checked: int
    good: int
    duplicates: int
    rejected: int
    lacking: list[str]
    notes: list[str]
    remembered: bool


class MendIn(BaseModel):
    """The row's place among the rejects, the first is 0 -> heading -> new text."""

    rows: dict[int, dict[str, str]]


class PaymentIn(BaseModel):
    """`reference`: the payer's or bank's own number of this payment; the same one twice is one payment."""

    case_id: Annotated[str, Field(min_length=1, max_length=64)]
    amount_fen: Annotated[int, Field(gt=0, le=100_000_000_00)]
    paid_on: dt.date
    reference: Annotated[str, Field(min_length=1, max_length=128, pattern=r"\S")]
    channel: Annotated[str, Field(max_length=64)] = ""

    def value(self) -> Payment:
        return Payment(self.case_id, self.amount_fen, self.paid_on, self.reference, "rest", self.channel)


class PaymentsIn(BaseModel):
    payments: Annotated[list[PaymentIn], Field(min_length=1, max_length=5000)]


class PaymentRejectedOut(ProblemOut):
    row: int


class PaymentsOut(BaseModel):
    """`closed`: cases that are paid now; `promises_kept` by these payments."""

    booked: int
    duplicates: int
    booked_fen: int
    closed: int
    promises_kept: int
    rejected: list[PaymentRejectedOut]


class PaymentOut(BaseModel):
    amount_fen: int
    paid_on: dt.date
    reference: str
    source: str
    channel: str
    received_at: dt.datetime


def _row(row: CaseRow) -> dict[str, Any]:
    return {
        "case_id": row.case_id,
        "debtor_name": name_shown(row.debtor_name),
        "creditor": row.creditor,
        "product": row.product,
        "amount_fen": row.amount_fen,
        "overdue_days": row.overdue_days,
        "numbers_masked": list(row.numbers_masked),
        "attempts": row.attempts,
        "last_disposition": row.last_disposition,
        "status": row.status,
    }


def cases_out(found: CaseList) -> CasesOut:
    rows = [CaseOut(**_row(row)) for row in found.rows]
    more = found.more_than_counted
    return CasesOut(total=found.total - more, more=more, before=found.before, after=found.after, cases=rows)


def detail_out(view: CaseView) -> CaseDetailOut:
    record = view.record
    return CaseDetailOut(
        **_row(view.row),
        billed_fen=record.billed_fen,
        as_of=record.case.as_of,
        region=record.region,
        numbers=[
            NumberOut(number_masked=mask_number(n.number), kind=n.kind, rank=n.rank, valid=n.valid, name=n.name,
                      relation=n.relation, place=n.place, carrier=n.carrier)
            for n in record.numbers
        ],
        addresses=[AddressOut(channel=a.channel, address=a.address) for a in record.addresses],
        instalments=[InstalmentOut(**asdict(part)) for part in record.instalments],
        traits=dict(record.traits),
        loan=dict(record.loan),
        stops=list(view.stops),
        timeline=[moment_out(moment) for moment in view.moments],
        older=view.older,
    )  # fmt: skip


def moment_out(moment: Moment) -> MomentOut:
    data = dict(moment.data)
    if isinstance(number := data.get("number"), str):
        data["number"] = mask_number(number)
    return MomentOut(at=moment.at, kind=moment.kind, ref=moment.ref, data=data)


def import_out(report: ImportReport) -> ImportOut:
    return ImportOut(
        imported=report.imported,
        updated=report.updated,
        duplicates=report.duplicates,
        rejected=[RejectedOut(**asdict(rejected)) for rejected in report.rejected],
        warnings=report.all_warnings(),
        ignored_columns=report.ignored_columns,
    )


def import_state_out(record: ImportRecord) -> ImportStateOut:
    return ImportStateOut(
        import_id=record.id,
        name=record.name,
        sha256=record.sha256,
        creditor=record.creditor,
        mapping=dict(record.mapping),
        state=record.state,
        uploaded_by=record.uploaded_by,
        uploaded_at=record.uploaded_at,
        ended_at=record.ended_at,
        done=record.done,
        total=record.total,
        has_rejects=record.has_rejects,
        why=record.why,
        report=dict(record.report),
    )


def preview_out(looked: Looked) -> PreviewOut:
    found = looked.preview
    return PreviewOut(
        columns=[
            PreviewColumnOut(heading=each.heading, meaning=each.meaning, samples=list(each.samples))
            for each in found.columns
        ],
        rows=[
            PreviewRowOut(row=r.number, cells=list(r.cells), problems=[ProblemOut(**asdict(p)) for p in r.problems])
            for r in found.rows
        ],
        total=found.total,
        checked=found.checked,
        good=found.good,
        duplicates=found.duplicates,
        rejected=found.rejected,
        lacking=list(found.lacking),
        notes=list(found.notes),
        remembered=looked.remembered,
    )


def payments_out(report: PaymentsReport) -> PaymentsOut:
    return PaymentsOut(**asdict(report))


def payment_out(payment: Payment, at: dt.datetime) -> PaymentOut:
    return PaymentOut(
        amount_fen=payment.amount_fen,
        paid_on=payment.paid_on,
        reference=payment.external_id,
        source=payment.source,
        channel=payment.channel,
        received_at=at,
    )
