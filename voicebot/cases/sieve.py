"""Sieve: rows of a case file, each case once: duplicates, contradictions and bad rows are told apart from good ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from voicebot.cases.columns import Column, Places
from voicebot.cases.parsing import Context, RowError, parse_row
from voicebot.cases.rows import Problem
from voicebot.cases.tables import Row
from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Debtor
from voicebot.store.case_saving import NewCase, same_identity


@dataclass(slots=True)
class Good:
    """A case to save and the rows it comes from: one, or one for each instalment."""

    rows: list[int]
    new: NewCase


class Sieve:
    """Takes rows in their order. `duplicates`: row, case and the earlier row; `rejected`: row and what is wrong.

    `remarks`: cells that a case can do without and that could not be read.
    """

    def __init__(self, places: Places, context: Context) -> None:
        self._places = places
        self._context = context
        self._first: dict[str, Good] = {}
        self._people: dict[str, Good] = {}
        self._names: dict[tuple[str, str], Debtor] = {}
        self.good: list[Good] = []
        self.duplicates: list[tuple[int, str, int]] = []
        self.rejected: list[tuple[int, Problem, tuple[Problem, ...]]] = []
        self.remarks: list[tuple[int, Problem]] = []
        self.same_people = 0

    def take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            try:
                remarks: list[Problem] = []
                self._sort(row, self._known(parse_row(row, self._places, self._context, remarks)))
                self.remarks += [(row.number, remark) for remark in remarks]
            except RowError as error:
                main, *more = error.problems
                self.rejected.append((row.number, main, tuple(more)))

    def _known(self, new: NewCase) -> NewCase:
        """The same case with the debtor as an earlier row named him: two creditors number one person differently."""
        debtor = new.case.debtor
        own = [number.number for number in new.numbers if number.kind is TargetKind.DEBTOR]
        for number in own:
            known = self._names.get((debtor.name, number))
            if known and known.id != debtor.id and same_identity(debtor, known.id_last4, known.birth_mmdd):
                self.same_people += 1
                return replace(new, case=replace(new.case, debtor=_both(known, debtor)))
        for number in own:
            self._names.setdefault((debtor.name, number), debtor)
        return new

    def _sort(self, row: Row, new: NewCase) -> None:
        earlier = self._first.get(new.case.id)
        if earlier is not None and _next_instalment(earlier.new, new):
            earlier.rows.append(row.number)
            earlier.new = _joined(earlier.new, new)
        elif earlier is not None and (earlier.new == new or _is_part(earlier.new, new)):
            self.duplicates.append((row.number, new.case.id, earlier.rows[0]))
        elif earlier is not None:
            self.rejected.append((row.number, self._conflict(new, earlier), ()))
        elif (same := self._people.get(new.case.debtor.id)) and not _agree(same.new.case.debtor, new.case.debtor):
            self.rejected.append((row.number, _two_people(new, same), ()))
        else:
            good = Good([row.number], new)
            self._first[new.case.id] = good
            self._people.setdefault(new.case.debtor.id, good)
            self.good.append(good)

    def _conflict(self, new: NewCase, earlier: Good) -> Problem:
        row = earlier.rows[0]
        if Column.CASE_ID in self._places:
            reason = f"与第{row}行的借据号相同，内容却不同。请只保留正确的一行。"
            return Problem(Column.CASE_ID.value, new.case.id, reason)
        reason = f"与第{row}行是同一人的同一产品，内容却不同。若是两笔借款，请增加“借据号”列。"
        return Problem(Column.NAME.value, new.case.debtor.name, reason)


def _agree(one: Debtor, other: Debtor) -> bool:
    return one.name == other.name and same_identity(one, other.id_last4, other.birth_mmdd)


def _both(known: Debtor, new: Debtor) -> Debtor:
    """One person as two rows tell of them."""
    return replace(known, id_last4=known.id_last4 or new.id_last4, birth_mmdd=known.birth_mmdd or new.birth_mmdd)


def _two_people(new: NewCase, same: Good) -> Problem:
    reason = f"与第{same.rows[0]}行是同一客户，核身信息却不同。请核对身份证后四位、出生月日和性别。"
    return Problem(Column.ID_LAST4.value, new.case.debtor.id_last4 or "", reason)


def _next_instalment(earlier: NewCase, new: NewCase) -> bool:
    numbers = {part.number for part in earlier.instalments}
    return bool(new.instalments) and bool(numbers) and new.instalments[0].number not in numbers


def _is_part(earlier: NewCase, new: NewCase) -> bool:
    return bool(new.instalments) and set(new.instalments) <= set(earlier.instalments)


def _joined(earlier: NewCase, new: NewCase) -> NewCase:
    """A loan with one instalment more: sums add up, the longest overdue counts."""
    one, other = earlier.case, new.case
    parts = tuple(sorted((*earlier.instalments, *new.instalments), key=lambda part: part.number))
    case = replace(
        one,
        amount_fen=one.amount_fen + other.amount_fen,
        overdue_days=max(one.overdue_days, other.overdue_days),
        principal_fen=_sum(one.principal_fen, other.principal_fen),
        fees_fen=_sum(one.fees_fen, other.fees_fen),
    )
    return replace(earlier, case=case, instalments=parts)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
