"""Values of the desk's REST API, as they are written in JSON."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, field_validator

from voicebot.console.agreement import Terms
from voicebot.console.desk_data import Written
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import Step
from voicebot.domain.records import Role

Fen = Annotated[int, Field(ge=0, le=10**12)]


class PresenceIn(BaseModel):
    """`note` says why somebody is away."""

    presence: Literal["ready", "away", "wrap_up", "offline"]
    note: str = Field("", max_length=40)


class TargetIn(BaseModel):
    """An agent's id, a number or a sip: URI."""

    target: str = Field(min_length=1, max_length=120)


class TermsIn(BaseModel):
    """What was agreed: nothing, one sum on one day, or the bill in `count` parts."""

    agreement: Literal["none", "promise", "plan"] = "none"
    date: dt.date | None = None
    amount_fen: Fen | None = None
    count: int = Field(1, ge=1, le=60)
    step: Step = Step.MONTH
    first_fen: Fen | None = None
    waived_fen: Fen = 0

    def terms(self) -> Terms:
        return Terms(
            self.agreement, self.date, self.amount_fen, self.count, self.step, self.first_fen or None, self.waived_fen
        )


class WrapupIn(TermsIn):
    """`callback_at` without a zone is Shanghai time, as a form sends it."""

    code: Disposition
    notes: str = Field("", max_length=2000)
    callback_at: dt.datetime | None = None
    callback_reason: str = Field("", max_length=200)

    @field_validator("callback_at")
    @classmethod
    def _zoned(cls, at: dt.datetime | None) -> dt.datetime | None:
        return at.replace(tzinfo=SHANGHAI) if at is not None and at.tzinfo is None else at

    def written(self) -> Written:
        return Written(self.code, self.notes.strip(), self.terms(), self.callback_at, self.callback_reason.strip())


class PlanIn(TermsIn):
    case_id: str = Field(max_length=64)


class PartOut(BaseModel):
    date: dt.date
    amount_fen: int
    day: str
    amount: str


class PlanOut(BaseModel):
    """`why` tells in words what exceeds the authority; `approver` is the role that may agree."""

    parts: list[PartOut]
    total_fen: int
    total: str
    waived_fen: int
    allowed: bool
    approver: str | None
    why: str


class WrapupOut(BaseModel):
    """`written` is False when this wrap-up had been written before; nothing was changed then."""

    written: bool


class CaseBriefOut(BaseModel):
    case_id: str
    debtor_name: str
    creditor: str
    product: str
    amount_fen: int
    overdue_days: int


class PermissionOut(BaseModel):
    """May this debtor be rung now? `not_before` is when it may be tried again, if that is known."""

    allowed: bool
    rule: str | None
    reason: str
    not_before: AwareDatetime | None


class RingOut(BaseModel):
    call_id: str


class CallbackOut(BaseModel):
    id: int
    case_id: str | None
    debtor_name: str
    number_masked: str
    at: AwareDatetime | None
    reason: str
    mine: bool


class FiguresOut(BaseModel):
    calls: int
    talk_s: int
    promises: int
    promised_fen: int
    kept: int
    judged: int
    wrap_s: int


class AgentOut(BaseModel):
    id: str
    name: str
    presence: str
    since: AwareDatetime | None
    note: str
    call_id: str | None
    wrap_until: AwareDatetime | None
    skills: list[str]
    languages: list[str]
    device: str


class TabooOut(BaseModel):
    rule: str
    text: str
    grave: bool


class PopOut(BaseModel):
    """What the agent must know at once."""

    call_id: str
    case: CaseBriefOut | None
    verified: bool
    danger: bool
    reason: str
    mood: str
    intents: list[str]
    first_sentence: str
    taboos: list[TabooOut]


class DeskOut(BaseModel):
    """The agent's state, the call they are in, and the calls they have not written about."""

    agent: AgentOut
    call: PopOut | None
    unwritten: list[str]


class SnippetOut(BaseModel):
    id: str
    title: str
    say: list[str]
    never: list[str]


class SuperviseIn(BaseModel):
    mode: Literal["listen", "whisper", "barge", "take_over", "leave"]


class FetchIn(BaseModel):
    skill: str = Field("general", max_length=40)


class WaitingOut(BaseModel):
    call_id: str
    skill: str
    reason: str
    language: str
    urgent: bool
    since: AwareDatetime


class AlertOut(BaseModel):
    id: int
    at: AwareDatetime
    kind: str
    text: str
    call_id: str | None
    agent_id: str | None


class FloorOut(BaseModel):
    """The floor at this moment."""

    agents: list[AgentOut]
    queue: list[WaitingOut]
    alerts: list[AlertOut]


class AgentIn(BaseModel):
    """`address` is a sip: URI or a number; skills and languages may be one text, separated by commas or blanks."""

    id: str = Field(max_length=32)
    name: str = Field(max_length=60)
    address: str = Field(max_length=120)
    skills: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    after_call_s: int = Field(30, ge=0, le=3600)

    @field_validator("skills", "languages", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [word for word in re.split("[\\s,，、]+", value) if word] if isinstance(value, str) else value


class UserIn(BaseModel):
    username: str = Field(max_length=32)
    role: Role
    display_name: str = Field("", max_length=60)
    agent_id: str | None = None


class UserOut(BaseModel):
    username: str
    role: str
    display_name: str
    agent_id: str | None
    disabled: bool
    locked_until: dt.datetime | None = None
    second_factor: bool = False


class LinkOut(BaseModel):
    """`url` works once, within a day; show it to nobody but the user."""

    url: str
