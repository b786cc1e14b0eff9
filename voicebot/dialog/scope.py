"""What the names of the expression language mean at one moment of one call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from voicebot.dialog.expression import Value
from voicebot.dialog.promise import Said
from voicebot.dialog.script import Policy
from voicebot.dialog.state import DialogState
from voicebot.dialog.wording import CUES
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


@dataclass(frozen=True, slots=True)
class CallScope:
    """Scope of expression evaluation: a state and the moment."""

    state: DialogState
    moment: Moment
    policy: Policy

    def value(self, name: str) -> Value:
        family, _, member = name.partition(".")
        match family:
            case "said":
                return self._said(member)
            case "pending":
                return self._pending(member)
            case "facts":
                return self._facts(member)
            case "identity":
                return self._identity(member)
        return self._plain(name)

    def call(self, function: str, ids: tuple[str, ...]) -> Value:
        if function == "heard":
            return any(_is(i, pattern) for i in self.moment.heard for pattern in ids)
        if function == "top":
            return any(_is(self.moment.top, pattern) for pattern in ids)
        prefix = {"times": "heard", "handled": "handled", "passed": "visits"}[function]
        return sum(self.state.count(f"{prefix}:{i}") for i in ids)

    def _plain(self, name: str) -> Value:
        state, moment = self.state, self.moment
        return {
            "verified": state.verified,
            "danger": moment.danger,
            "emotion": moment.emotion.value,
            "tries": state.count(f"tries:{state.node}"),
            "visits": state.count(f"visits:{state.node}"),
            "turns": state.turns,
            "silences": state.silences,
            "spoke": state.spoke,
            "promised": state.promise is not None,
            "callback": state.callback_booked,
            "callback_timed": state.callback_at is not None,
            "disposition": state.disposition,
        }[name]

    def _identity(self, member: str) -> Value:
        return {
            "matched": self.moment.identity_matched,
            "offered": self.moment.identity_offered,
            "tries": self.state.identity_tries,
        }[member]

    def _said(self, member: str) -> Value:
        said = self.moment.said
        if member in CUES:
            return member in self.moment.cues
        return {
            "date": said.date is not None,
            "soon": said.date is not None and (said.date - self.moment.now.date()).days <= self.policy.longest_days,
            "later": said.date is not None and said.date > self.moment.now.date(),
            "amount": said.amount_fen is not None,
            "time": said.time is not None,
            "past": said.past,
            "unclear": said.unclear,
            "new": self.state.pending.changed_by(said),
        }[member]

    def _pending(self, member: str) -> Value:
        pending = self.state.pending
        days = (pending.date - self.moment.now.date()).days if pending.date else 0
        return {
            "date": pending.date is not None,
            "today": pending.date == self.moment.now.date(),
            "amount": pending.amount_fen is not None,
            "partial": pending.partial or pending.amount_fen is not None,
            "needs_amount": pending.needs_amount,
            "far": days > self.policy.horizon_days,
            "too_far": days > self.policy.longest_days,
        }[member]

    def _facts(self, member: str) -> Value:
        facts, case = self.state.facts, self.state.facts.case
        return {
            "has_case": case is not None,
            "outbound": facts.direction == "outbound",
            "agent_available": facts.agent_available,
            "overdue_days": case.overdue_days if case else 0,
            "amount_fen": case.amount_fen if case else 0,
            "split": bool(case and case.principal_fen is not None and case.fees_fen is not None),
            "can_verify": bool(case and (case.debtor.id_last4 or case.debtor.birth_mmdd)),
        }[member]


def _is(intent: str, pattern: str) -> bool:
    """`dp_*` stands for a whole family of intents."""
    return intent.startswith(pattern[:-1]) if pattern.endswith("*") else intent == pattern
