"""What the names of the expression language mean at one moment of one call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voicebot.dialog.expression import OWN, Value
from voicebot.dialog.promise import Said
from voicebot.dialog.script import Policy, Type, Variable
from voicebot.dialog.state import DialogState
from voicebot.dialog.wording import CUES
from voicebot.domain.case import Case
from voicebot.domain.offers import Offers, offers_of
from voicebot.domain.stage import stage_of
from voicebot.domain.understanding import EmotionLabel


@dataclass(frozen=True, slots=True)
class Moment:
    """The event being handled, as expressions see it; empty when nothing was heard."""

    now: dt.datetime
    heard: tuple[str, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict)
    top: str = ""
    cues: frozenset[str] = frozenset()
    said: Said = field(default_factory=Said)
    emotion: EmotionLabel = EmotionLabel.NEUTRAL
    danger: bool = False
    identity_offered: bool = False
    identity_matched: bool = False

    def said_within(self, days: int) -> bool:
        """Whether a day was named that lies at most so many days ahead."""
        return self.said.date is not None and (self.said.date - self.now.date()).days <= days


@dataclass(frozen=True, slots=True)
class CallScope:
    """Scope of expression evaluation: a state and the moment."""

    state: DialogState
    moment: Moment
    policy: Policy
    variables: Mapping[str, Variable] = field(default_factory=dict)

    def value(self, name: str) -> Value:
        reader = _READERS.get(name)
        if reader is not None:
            return reader(self)
        return own_value(self.variables[name.removeprefix(OWN)], self.state)

    def call(self, function: str, ids: tuple[str, ...]) -> Value:
        if function == "heard":
            heard = self.moment.heard
            return any(_is(i, pattern) for i in heard for pattern in ids)
        if function == "top":
            return any(_is(self.moment.top, pattern) for pattern in ids)
        counts, prefix = self.state.counts, _TALLY[function]
        return sum(counts.get(f"{prefix}:{i}", 0) for i in ids)

    def offers(self) -> Offers:
        return offers_of(self.state.facts.case, self.state.facts.extra)

    def pending_days(self) -> int:
        date = self.state.pending.date
        return (date - self.moment.now.date()).days if date else 0

    def case(self, name: str, default: Value = False) -> Value:
        case = self.state.facts.case
        value: Value = default if case is None else getattr(case, name)
        return value


def own_value(variable: Variable, state: DialogState) -> Value:
    """What a script's own variable is worth in this call; None where the call does not know it."""
    facts, source = state.facts, variable.source
    family, _, member = source.partition(".")
    if not source:
        raw: object = variable.value
    elif family == "extra":
        raw = facts.extra.get(member)
    elif facts.case is None:
        raw = None
    elif family == "offers":
        raw = getattr(offers_of(facts.case, facts.extra), member) or None
    else:
        owner = {"case": facts.case, "debtor": facts.case.debtor, "creditor": facts.case.creditor}[family]
        raw = getattr(owner, member)
    if raw is None or variable.type not in (Type.AMOUNT, Type.NUMBER, Type.DAYS):
        return None if raw is None else str(raw)
    text = str(raw)
    return int(text) if text.lstrip("-").isdigit() else None


_TALLY = {"times": "heard", "handled": "handled", "passed": "visits"}
_READERS: Mapping[str, Callable[[CallScope], Value]] = {
    "verified": lambda s: s.state.verified,
    "danger": lambda s: s.moment.danger,
    "emotion": lambda s: s.moment.emotion.value,
    "tries": lambda s: s.state.count(f"tries:{s.state.node}"),
    "visits": lambda s: s.state.count(f"visits:{s.state.node}"),
    "turns": lambda s: s.state.turns,
    "silences": lambda s: s.state.silences,
    "spoke": lambda s: s.state.spoke,
    "promised": lambda s: s.state.promise is not None,
    "callback": lambda s: s.state.callback_booked,
    "callback_timed": lambda s: s.state.callback_at is not None,
    "disposition": lambda s: s.state.disposition,
    "identity.matched": lambda s: s.moment.identity_matched,
    "identity.offered": lambda s: s.moment.identity_offered,
    "identity.tries": lambda s: s.state.identity_tries,
    "said.date": lambda s: s.moment.said.date is not None,
    "said.soon": lambda s: s.moment.said_within(s.policy.longest_days),
    "said.later": lambda s: s.moment.said.date is not None and s.moment.said.date > s.moment.now.date(),
    "said.amount": lambda s: s.moment.said.amount_fen is not None,
    "said.everything": lambda s: s.moment.said.everything,
    "said.time": lambda s: s.moment.said.time is not None,
    "said.past": lambda s: s.moment.said.past,
    "said.unclear": lambda s: s.moment.said.unclear,
    "said.new": lambda s: s.state.pending.changed_by(s.moment.said),
    **{f"said.{cue}": (lambda s, cue=cue: cue in s.moment.cues) for cue in CUES},  # type: ignore[misc]
    "pending.date": lambda s: s.state.pending.date is not None,
    "pending.today": lambda s: s.state.pending.date == s.moment.now.date(),
    "pending.amount": lambda s: s.state.pending.amount_fen is not None,
    "pending.partial": lambda s: s.state.pending.partial or s.state.pending.amount_fen is not None,
    "pending.needs_amount": lambda s: s.state.pending.needs_amount,
    "pending.far": lambda s: s.pending_days() > s.policy.horizon_days,
    "pending.too_far": lambda s: s.pending_days() > s.policy.longest_days,
    "facts.has_case": lambda s: s.state.facts.case is not None,
    "facts.outbound": lambda s: s.state.facts.direction == "outbound",
    "facts.agent_available": lambda s: s.state.facts.agent_available,
    "facts.overdue_days": lambda s: s.case("overdue_days", 0),
    "facts.stage": lambda s: stage_of(s.state.facts.case.overdue_days).value if s.state.facts.case else "",
    "facts.amount_fen": lambda s: s.case("amount_fen", 0),
    "facts.split": lambda s: s.case("principal_fen", None) is not None and s.case("fees_fen", None) is not None,
    "facts.fees": lambda s: bool(s.case("fees_fen", 0)),
    "facts.can_verify": lambda s: _can_verify(s.state.facts.case),
    "facts.credit_reported": lambda s: s.case("credit_reported"),
    "facts.lawsuit": lambda s: s.case("lawsuit_filed"),
    "facts.visit": lambda s: s.case("visit_scheduled"),
    "offers.waiver": lambda s: s.offers().waiver,
    "offers.instalments": lambda s: s.offers().instalments,
    "offers.extension": lambda s: s.offers().extension,
}


def _can_verify(case: Case | None) -> bool:
    return bool(case and (case.debtor.id_last4 or case.debtor.birth_mmdd))


def _is(intent: str, pattern: str) -> bool:
    """`dp_*` stands for a whole family of intents."""
    return intent.startswith(pattern[:-1]) if pattern.endswith("*") else intent == pattern
