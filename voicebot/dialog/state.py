"""DialogState: everything a conversation remembers between two events; it can be written down as JSON."""

from __future__ import annotations

import datetime as dt
import json
import operator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from voicebot.dialog.promise import Pending
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Promise, Salutation


class Phase(StrEnum):
    NEW = "new"
    LISTENING = "listening"
    TRANSFERRING = "transferring"
    HANDED_OVER = "handed over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Identified:
    """Proof that the callee is the debtor of this case: a DialogState gives it once identity was verified."""

    case: Case


@dataclass(frozen=True, slots=True)
class DialogState:
    """`counts` holds small tallies by key: heard:<intent>, tries:<node>, visits:<node>, handled:<handler>.

    `owed`: what must be heard and is being spoken, by utterance id; `missed`: what the callee talked over.
    """

    script_id: str
    facts: CallFacts
    node: str
    phase: Phase = Phase.NEW
    verified: bool = False
    identity_tries: int = 0
    turns: int = 0
    silences: int = 0
    utterances: int = 0
    spoke: bool = False
    keys: str = ""
    pending: Pending = field(default_factory=Pending)
    promise: Promise | None = None
    callback_at: dt.datetime | None = None
    callback_booked: bool = False
    disposition: str = ""
    softened: tuple[str, ...] = ()
    owed: dict[str, str] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def identified(self) -> Identified | None:
        """What opens the debt: None before identity was verified, and where there is no case."""
        return Identified(self.facts.case) if self.verified and self.facts.case else None

    def count(self, key: str) -> int:
        return self.counts.get(key, 0)

    def counted(self, key: str, by: int = 1) -> DialogState:
        return replace(self, counts={**self.counts, key: self.count(key) + by})

    def to_json(self) -> str:
        return json.dumps(_plain(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DialogState:
        """The state that `to_json` wrote; ValueError for anything else."""
        try:
            return _state(json.loads(text))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a dialog state: {error!r}") from error


_fields = operator.attrgetter(*DialogState.__dataclass_fields__)


def own_copy(state: DialogState) -> DialogState:
    """A copy with tallies of its own, which a turn may change before anybody else sees it."""
    copy = DialogState(*_fields(state))
    object.__setattr__(copy, "counts", dict(state.counts))
    return copy


def _plain(value: Any) -> Any:
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _state(data: dict[str, Any]) -> DialogState:
    pending, promise, moment = data["pending"], data["promise"], data["callback_at"]
    return DialogState(
        **{
            **data,
            "facts": _facts(data["facts"]),
            "phase": Phase(data["phase"]),
            "pending": Pending(**{**pending, "date": _day(pending["date"])}),
            "promise": promise and Promise(**{**promise, "date": dt.date.fromisoformat(promise["date"])}),
            "callback_at": moment and dt.datetime.fromisoformat(moment),
            "softened": tuple(data["softened"]),
            "missed": tuple(data.get("missed", ())),
        }
    )


def _facts(data: dict[str, Any]) -> CallFacts:
    case = data["case"]
    started = dt.datetime.fromisoformat(data["started_at"])
    return CallFacts(**{**data, "started_at": started, "case": case and _case(case)})


def _case(data: dict[str, Any]) -> Case:
    debtor = Debtor(**{**data["debtor"], "salutation": Salutation(data["debtor"]["salutation"])})
    creditor, as_of = Creditor(**data["creditor"]), dt.date.fromisoformat(data["as_of"])
    return Case(**{**data, "debtor": debtor, "creditor": creditor, "as_of": as_of})


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
