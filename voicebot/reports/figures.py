"""Figures: one function each, with its numerator, denominator, definition and unit; the registry describes itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from voicebot.reports.ratio import Ratio

Sums = Mapping[str, int]
"""Summed counters of voicebot/domain/tally.py, and those of voicebot/store/report_money.py where they were asked."""


class Unit(StrEnum):
    """How a quotient is to be read."""

    SHARE = "share"  # 0 to 1, shown in percent
    PER_10000 = "per_10000"
    MS = "ms"
    FEN = "fen"
    TIMES = "times"


@dataclass(frozen=True, slots=True)
class Figure:
    """`higher`: whether more of it is better; None where neither is."""

    id: str
    zh: str
    en: str
    unit: Unit
    group: str
    of: Callable[[Sums], Ratio]
    higher: bool | None = None

    @property
    def definition(self) -> str:
        """What is divided by what, in a sentence."""
        return " ".join((self.of.__doc__ or "").split())

    @property
    def counts(self) -> bool:
        """Whether it is a share of things that were counted, so that an interval can be given."""
        return self.unit in (Unit.SHARE, Unit.PER_10000) and self.id not in _MONEY


FIGURES: dict[str, Figure] = {}
_MONEY = frozenset({"promised_amount", "recovery"})


def figure(
    zh: str, en: str, unit: Unit, group: str, higher: bool | None = None
) -> Callable[[Callable[[Sums], Ratio]], Callable[[Sums], Ratio]]:
    """Enter a function into the registry under its own name; its docstring is the definition."""

    def enter(of: Callable[[Sums], Ratio]) -> Callable[[Sums], Ratio]:
        FIGURES[of.__name__] = Figure(of.__name__, zh, en, unit, group, of, higher)
        return of

    return enter


def _ratio(sums: Sums, numerator: str, denominator: str) -> Ratio:
    return Ratio(sums.get(numerator, 0), sums.get(denominator, 0))


@figure("接通率", "Connect rate", Unit.SHARE, "reach", True)
def connect(sums: Sums) -> Ratio:
    """Placed calls that were picked up, by a person or a machine / placed calls."""
    return _ratio(sums, "answered", "attempts")


@figure("有效接通率", "Human contact rate", Unit.SHARE, "reach", True)
def human_contact(sums: Sums) -> Ratio:
    """Placed calls in which a person was heard / placed calls."""
    return _ratio(sums, "human", "attempts")


@figure("本人触达率（按案）", "Right party, of debtors (RPC-D)", Unit.SHARE, "reach", True)
def rpc_debtors(sums: Sums) -> Ratio:
    """Debtors who proved to be themselves in at least one call / debtors in at least one call."""
    return _ratio(sums, "debtors_verified", "debtors")


@figure("本人触达率（按次）", "Right party, of attempts (RPC-A)", Unit.SHARE, "reach", True)
def rpc_attempts(sums: Sums) -> Ratio:
    """Calls of both directions in which the debtor proved to be the debtor / calls of both directions."""
    return Ratio(sums.get("verified", 0), sums.get("attempts", 0) + sums.get("inbound", 0))


@figure("本人占接通比", "Right party, of contacts (RPC-C)", Unit.SHARE, "reach", True)
def rpc_contacts(sums: Sums) -> Ratio:
    """Calls in which the debtor proved to be the debtor / calls in which a person was heard."""
    return _ratio(sums, "verified", "contacts")


@figure("第三人接听率", "Third-party rate", Unit.SHARE, "reach", False)
def third_party(sums: Sums) -> Ratio:
    """Calls that somebody else took / calls in which a person was heard."""
    return _ratio(sums, "third_party", "contacts")


@figure("错号率", "Wrong-number rate", Unit.SHARE, "reach", False)
def wrong_number(sums: Sums) -> Ratio:
    """Calls that were told they are wrong / calls in which a person was heard."""
    return _ratio(sums, "wrong_number", "contacts")


@figure("触达强度", "Attempts per debtor", Unit.TIMES, "reach")
def intensity(sums: Sums) -> Ratio:
    """Placed calls / debtors in at least one call."""
    return _ratio(sums, "attempts", "debtors")


@figure("承诺率", "Promise rate (PTP)", Unit.SHARE, "promise", True)
def promise_rate(sums: Sums) -> Ratio:
    """Calls with a promise whose date and amount were read back and confirmed / calls with the debtor verified.
    Promises that were only stated do not count."""
    return _ratio(sums, "promises", "verified")


@figure("承诺金额率", "Promised amount", Unit.SHARE, "promise", True)
def promised_amount(sums: Sums) -> Ratio:
    """Fen promised and confirmed / fen due in calls with the debtor verified."""
    return _ratio(sums, "promised_fen", "due_fen")


@figure("承诺兑现率", "Promises kept", Unit.SHARE, "promise", True)
def kept(sums: Sums) -> Ratio:
    """Promises paid in full by their day and the working day after / promises that came due, by the day they were
    due. Promises replaced by later ones do not count."""
    return _ratio(sums, "kept", "matured")


@figure("承诺兑现率（≥80%）", "Promises kept to 80 %", Unit.SHARE, "promise", True)
def kept_mostly(sums: Sums) -> Ratio:
    """Promises of which at least 80 % was paid by their day and the working day after / promises that came due."""
    return _ratio(sums, "kept_80", "matured")


@figure("失约率", "Promises broken", Unit.SHARE, "promise", False)
def broken(sums: Sums) -> Ratio:
    """Promises that came due and were not kept in full / promises that came due."""
    return Ratio(sums.get("matured", 0) - sums.get("kept", 0), sums.get("matured", 0))


@figure("再承诺率", "Broken and promised again", Unit.SHARE, "promise")
def renewed(sums: Sums) -> Ratio:
    """Broken promises after which the same case promised again / broken promises."""
    return _ratio(sums, "renewed", "broken")


@figure("无承诺还款占比", "Paid without a promise", Unit.SHARE, "money")
def unpromised(sums: Sums) -> Ratio:
    """Cases that paid and had not promised before / cases that paid. Guards against claiming too much."""
    return _ratio(sums, "payers_unpromised", "payers")


@figure("回款率", "Recovery", Unit.SHARE, "money", True)
def recovery(sums: Sums) -> Ratio:
    """Fen paid in the period / fen due at its beginning or when the case came in."""
    return _ratio(sums, "paid_fen", "assigned_fen")


@figure("平均处理时长", "Average handling time", Unit.MS, "effort", False)
def handling_time(sums: Sums) -> Ratio:
    """Milliseconds from answer to end / calls in which a person was heard."""
    return _ratio(sums, "talk_ms", "contacts")


@figure("遗弃率", "Abandonment", Unit.SHARE, "effort", False)
def abandonment(sums: Sums) -> Ratio:
    """Placed calls with a person on the line that we broke off / placed calls in which a person was heard."""
    return _ratio(sums, "dropped", "human")


@figure("转人工率", "Transfer rate", Unit.SHARE, "effort")
def transfer_rate(sums: Sums) -> Ratio:
    """Calls for which a person was fetched / calls in which a person was heard."""
    return _ratio(sums, "transfers", "contacts")


@figure("转人工成功率", "Transfers that succeeded", Unit.SHARE, "effort", True)
def transfer_success(sums: Sums) -> Ratio:
    """Transfers in which debtor and person talked to each other / transfers."""
    return _ratio(sums, "joined", "transfers")


@figure("转人工等待", "Wait for a person", Unit.MS, "effort", False)
def transfer_wait(sums: Sums) -> Ratio:
    """Milliseconds from the wish to the person's first sound / transfers that succeeded."""
    return _ratio(sums, "wait_ms", "joined")


@figure("平均应答时延", "Mean answer", Unit.MS, "effort", False)
def answer_time(sums: Sums) -> Ratio:
    """Milliseconds from the end of the callee's speech to our first sound / our answers."""
    return _ratio(sums, "answer_ms", "answers")


@figure("慢应答率", "Slow answers", Unit.SHARE, "effort", False)
def slow_answers(sums: Sums) -> Ratio:
    """Answers later than 1.5 s / our answers."""
    return _ratio(sums, "slow_answers", "answers")


@figure("被打断率", "Interrupted", Unit.SHARE, "effort")
def interrupted(sums: Sums) -> Ratio:
    """Sentences of the bot that were talked over / sentences of the bot."""
    return _ratio(sums, "interrupted", "sentences")


@figure("投诉率（万次本人）", "Complaints", Unit.PER_10000, "quality", False)
def complaint_rate(sums: Sums) -> Ratio:
    """Calls that ended in a complaint / 10 000 calls with the debtor verified."""
    return _ratio(sums, "complaints", "verified")


@figure("违规率", "Violation rate", Unit.SHARE, "quality", False)
def violation_rate(sums: Sums) -> Ratio:
    """Calls with a spoken sentence that a reviewer confirmed to break a rule / calls of both directions."""
    return Ratio(sums.get("confirmed_calls", 0), sums.get("attempts", 0) + sums.get("inbound", 0))


@figure("严重违规（万次）", "Critical violations", Unit.PER_10000, "quality", False)
def critical_rate(sums: Sums) -> Ratio:
    """Sentences confirmed to break a critical rule (F01–F04, F06–F10, F14) / 10 000 calls of both directions."""
    return Ratio(sums.get("confirmed_critical", 0), sums.get("attempts", 0) + sums.get("inbound", 0))


@figure("拦截率", "Blocked sentences", Unit.SHARE, "quality", False)
def blocked_rate(sums: Sums) -> Ratio:
    """Sentences of the bot held back by the gate before they were spoken / sentences of the bot."""
    return _ratio(sums, "blocked", "sentences")


@figure("漏检率", "Sentences that slipped through", Unit.SHARE, "quality", False)
def slipped_rate(sums: Sums) -> Ratio:
    """Spoken sentences of the bot that the check after the call finds wanting / sentences of the bot."""
    return _ratio(sums, "slipped", "sentences")


@figure("坐席预警率", "Alerts on agents", Unit.SHARE, "quality", False)
def agent_alert_rate(sums: Sums) -> Ratio:
    """Sentences of people that raised an alarm while they talked / sentences of people."""
    return _ratio(sums, "agent_alerts", "agent_sentences")


@figure("误拦率", "False blocks", Unit.SHARE, "quality", False)
def false_block_rate(sums: Sums) -> Ratio:
    """Blocked sentences that a reviewer found lawful / lawful sentences of the bot: those, and all not blocked and
    not confirmed as violations."""
    false = sums.get("false_blocks", 0)
    lawful = sums.get("sentences", 0) - sums.get("blocked", 0) - sums.get("confirmed", 0)
    return Ratio(false, max(0, lawful) + false)


@figure("质检覆盖率", "Calls checked", Unit.SHARE, "quality", True)
def coverage(sums: Sums) -> Ratio:
    """Calls that the speech gate looked at after their end / calls of both directions."""
    return Ratio(sums.get("checked", 0), sums.get("attempts", 0) + sums.get("inbound", 0))


@figure("要求停呼率", "Asked not to be called", Unit.SHARE, "quality", False)
def stop_rate(sums: Sums) -> Ratio:
    """Calls in which contact was stopped / calls in which a person was heard."""
    return _ratio(sums, "stops", "contacts")


@figure("满意度", "Satisfied", Unit.SHARE, "quality", True)
def satisfaction(sums: Sums) -> Ratio:
    """Survey calls without a complaint about how we were / survey calls that came to their questions."""
    return _ratio(sums, "satisfied", "surveyed")


@figure("坐席承诺率", "Promises with a person", Unit.SHARE, "agents", True)
def agent_success(sums: Sums) -> Ratio:
    """Calls in which a person wrote a promise down / calls a person took part in."""
    return _ratio(sums, "agent_promises", "handled")


@figure("坐席平均通话", "A person's talk", Unit.MS, "agents")
def agent_talk(sums: Sums) -> Ratio:
    """Milliseconds from a person's joining to their leaving / calls a person took part in."""
    return _ratio(sums, "agent_ms", "handled")


def evaluate(sums: Sums, *ids: str) -> dict[str, Ratio]:
    """The figures of these ids (all where none is named) over these sums. KeyError for an id that does not exist."""
    return {name: FIGURES[name].of(sums) for name in ids or FIGURES}
