"""Flow: what goes on in one campaign at a moment, as its pace is decided from; and what hinders it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CampaignMode(StrEnum):
    """Who talks, and who starts a call."""

    ROBOT = "robot"
    """The bot talks from beginning to end; people are fetched by the script where it comes to that."""
    HAND_OVER = "hand_over"
    """The bot begins and many calls end with a person: no more calls than people can take over."""
    PROGRESSIVE = "progressive"
    """One call for each person who is free."""
    PREVIEW = "preview"
    """Nobody is rung unless a person looks at the case first and presses the button."""
    PREDICTIVE = "predictive"
    """More calls than people are free, because not everybody answers; few may be left without one."""

    @property
    def needs_people(self) -> bool:
        """Whether calls of this mode count on people being free."""
        return self in (CampaignMode.HAND_OVER, CampaignMode.PROGRESSIVE, CampaignMode.PREDICTIVE)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, such as calls answered of calls made."""

    count: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """One campaign now.

    `ringing`: dialled and not answered yet; `talking`: with the bot; `waiting`: for a person; `with_people`: handed
    over. `free`: people who are ready; `soon_free`: the chance that one who talks is ready again before a call that
    rings now is answered. `answered`, `handed`, `abandoned` are shares of the campaign's latest calls: of
    calls made, of answered calls, of calls that wanted a person. `ceiling`: most of those that may be abandoned, 0..1.
    """

    campaign_id: str
    mode: CampaignMode = CampaignMode.ROBOT
    ringing: int = 0
    talking: int = 0
    waiting: int = 0
    with_people: int = 0
    free: int = 0
    soon_free: float = 0.0
    answered: Share = Share()
    handed: Share = Share()
    abandoned: Share = Share()
    ceiling: float = 0.03


@dataclass(frozen=True, slots=True)
class Settled:
    """One attempt that came to its end; `failed`: it did for our or the network's sake, nobody was reached."""

    leased_at: dt.datetime
    settled_at: dt.datetime
    failed: bool


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a campaign may dial after what became of its latest calls. `until`: when an open one tries again."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    until: dt.datetime | None = None


Pace = Callable[[Flow], int]
"""How many more calls a campaign may start at this moment, from its flow; pure."""
Judgement = Callable[[tuple[Settled, ...], dt.datetime], Breaker]
"""What the latest attempts of a campaign, oldest first, say about the next; pure."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """What decides how many calls each campaign may start; see voicebot/campaign/pacing.py and breaker.py."""

    pace: Pace
    breaker: Judgement
