"""Tally: what one call adds to the figures, as whole numbers that may be summed and compared exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

COUNTERS = (
    "attempts",  # calls we placed
    "inbound",  # calls that came to us
    "answered",  # placed calls that were picked up, by whom or whatever
    "human",  # placed calls in which a person was heard
    "machine",  # placed calls that a machine or an announcement took
    "contacts",  # calls of both directions in which a person was heard
    "verified",  # of contacts: the debtor proved to be the debtor
    "third_party",  # of contacts: somebody else
    "wrong_number",
    "promises",  # of verified: date and amount read back and confirmed
    "soft_promises",  # of verified: stated, not confirmed
    "promised_fen",  # of `promises`
    "due_fen",  # of verified: what was due
    "talk_ms",  # of contacts: answer to end
    "dropped",  # of human: we broke off
    "transfers",  # a person was fetched
    "joined",  # of transfers: debtor and person talked
    "wait_ms",  # of joined: from the wish to the person's first sound
    "complaints",
    "stops",  # asked not to be called again
    "in_danger",
    "sentences",  # the bot spoke or wanted to speak
    "blocked",  # of sentences: held back by the gate
    "slipped",  # of sentences: spoken, and found wanting afterwards
    "agent_sentences",
    "agent_alerts",  # of agent_sentences: the gate raised an alarm
    "checked",  # calls looked at after their end
    "confirmed",  # sentences that a reviewer found to break a rule
    "confirmed_critical",
    "confirmed_calls",  # calls with at least one of them
    "false_blocks",  # blocked sentences that a reviewer found lawful
    "answers",  # turns of ours that answer the callee
    "answer_ms",  # of answers: end of their speech to our first sound
    "slow_answers",  # of answers: longer than 1.5 s
    "interrupted",  # of sentences: talked over
    "surveyed",  # survey calls that came to their questions
    "satisfied",  # of surveyed: no complaint about how we were
    "handled",  # calls a person took part in
    "agent_ms",  # of handled: from joining to leaving
    "agent_promises",  # of promises: made while a person talked
)
"""What is counted. Names are columns of the tables report_calls and report_days; add at the end."""

CRITICAL = frozenset({"F01", "F02", "F03", "F04", "F06", "F07", "F08", "F09", "F10", "F14"})
"""The categories of forbidden speech that are critical."""
BLOCKED = "blocked:"
"""How a verdict names a rule by which the gate held a sentence back, so that it was never spoken."""

DIMENSIONS = ("stage", "region", "age", "script", "strategy", "agent")
"""By what figures are told apart; empty text: not known."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One call's numbers; `nodes` are those of the script it came to, each once, in order."""

    numbers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    nodes: tuple[str, ...] = ()
    last_node: str = ""
    agent: str = ""

    def __getitem__(self, counter: str) -> int:
        return self.numbers.get(counter, 0)


def age_band(age: int | None) -> str:
    """Ten-year bands, wide at both ends; empty when the age is not known."""
    if age is None or age < 0:
        return ""
    if age < 25:
        return "<25"
    if age >= 65:
        return "65+"
    first = (age - 5) // 10 * 10 + 5
    return f"{first}-{first + 9}"
