"""Quality: findings of the speech gate, reviews with their answers, appeals, comments and what a search finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FindingKind(StrEnum):
    """Held back before it was spoken; spoken by the bot all the same; said by a person."""

    BLOCKED = "blocked"
    SLIPPED = "slipped"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence that breaks rules F01–F18. `seq`: its fact in the journal; times as in a transcript."""

    seq: int
    kind: FindingKind
    speaker: str
    rules: tuple[str, ...]
    text: str
    start_ms: int
    end_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallCheck:
    """What looking at one call came to. `risk` 0–100: how much it wants a reviewer."""

    call_id: str
    at: dt.datetime
    findings: tuple[Finding, ...] = ()
    sentences: int = 0
    agent_sentences: int = 0
    risk: int = 0

    @property
    def slipped(self) -> int:
        return sum(finding.kind is FindingKind.SLIPPED for finding in self.findings)


class Round(StrEnum):
    """Why somebody looks at a call: for the first time, again without knowing the first, or all the same one."""

    FIRST = "first"
    SECOND = "second"
    CALIBRATION = "calibration"


class Sampling(StrEnum):
    """How calls are drawn for review."""

    RANDOM = "random"
    RISK = "risk"
    AGENT = "agent"
    SCRIPT = "script"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Review:
    """One look at one call. `answers`: question id to answer; `automatic`: what the machine answered by itself.

    `of`: the first review that this one is the blind second of. `score` 0–100, None until it is done.
    """

    id: int
    call_id: str
    scorecard: str
    scorecard_sha256: str
    why: Sampling
    round: Round
    state: str
    drawn_at: dt.datetime
    agent: str = ""
    of: int | None = None
    reviewer: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    automatic: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    score: float | None = None
    fatal: bool = False
    done_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Appeal:
    """An agent does not agree with a review; a supervisor decides: upheld (it stands) or changed."""

    id: int
    review_id: int
    by: str
    text: str
    at: dt.datetime
    state: str
    decided_by: str | None = None
    decided_at: dt.datetime | None = None
    answer: str = ""
    score_before: float | None = None
    score_after: float | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    call_id: str
    ms: int
    author: str
    text: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line of a transcript, to be sought in."""

    line: int
    speaker: str
    ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class SpeechSearch:
    """All of `text`'s words must be said in the call; None and "" do not restrict. `agent`: who took part."""

    text: str = ""
    speaker: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    disposition: str | None = None
    script: str | None = None
    campaign: str | None = None
    direction: str | None = None
    agent: str | None = None
    rule: str | None = None
    emotion: str | None = None
    handoff: bool | None = None
    verified: bool | None = None
    least_risk: int | None = None
    least_s: int | None = None
    most_s: int | None = None
    most_score: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechHit:
    """A call that was found, newest first, and the lines in which the words are."""

    call_id: str
    started_at: dt.datetime
    number: str
    debtor_name: str
    script: str
    disposition: str | None
    duration_ms: int
    risk: int
    lines: tuple[SpokenLine, ...] = ()
