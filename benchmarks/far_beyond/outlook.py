"""One size: what is full first in one installation, which parting answers it, how that fares, what it costs a month."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.capacity.verdict import Day
from benchmarks.far_beyond.costs import Costs
from benchmarks.far_beyond.parting import by_both, by_creditor, by_day, by_debtor, by_region, largest_part
from benchmarks.far_beyond.simulation import Result, Town
from benchmarks.far_beyond.stations import Alone, Station, line_seconds, machines, seats_of, stations

SIMULATED_LINES: Final = 6
"""The simulated time in mean times on the line; its second half counts."""
_SHARES: Final[Mapping[str, list[float]]] = {
    "creditor": by_creditor(),
    "region": by_region(),
    "creditor and region": by_both(),
    "debtor": by_debtor(),
    "day": by_day(),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What an outlook is computed from."""

    costs: Costs
    alone: Alone
    prices: Mapping[str, float]
    day: Day

    def stations(self, attempts_per_s: float) -> list[Station]:
        return stations(attempts_per_s, self.costs, self.alone, self.prices, self.day)

    def loads(self, attempts_per_s: float) -> dict[str, float]:
        """The share of every station that is busy."""
        return {one.name: one.load(attempts_per_s) for one in self.stations(attempts_per_s)}

    def holds(self, attempts_per_s: float) -> bool:
        return max(self.loads(attempts_per_s).values()) <= self.prices["most_load"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """`loads` of one installation for everything; `parts` by key, None where no number of parts is enough.

    `parted`: the key that needs fewest parts, and how many. `result`: its largest part, simulated. `yuan`: a month by
    item.
    """

    per_hour: float
    loads: Mapping[str, float]
    parts: Mapping[str, int | None]
    parted: tuple[str, int] | None
    worker_machines: int
    result: Result | None
    yuan: Mapping[str, float]

    @property
    def first(self) -> str:
        """The station that is busiest."""
        return max(self.loads, key=lambda name: self.loads[name])


def outlook(per_hour: float, ground: Ground) -> Outlook:
    per_s = per_hour / 3600
    parts = {key: parts_for(shares, per_s, ground) for key, shares in _SHARES.items()}
    possible = [(count, key) for key, count in parts.items() if count is not None]
    parted = min(possible) if possible else None
    result = _simulated(per_s * largest_part(_SHARES[parted[1]], parted[0]), ground) if parted else None
    yuan = _yuan(per_s, parted[0], ground) if parted else {}
    workers = machines(per_s, ground.costs, ground.prices, ground.day)
    told = (parted[1], parted[0]) if parted else None
    return Outlook(per_hour, ground.loads(per_s), parts, told, workers, result, yuan)


def parts_for(shares: Sequence[float], per_s: float, ground: Ground) -> int | None:
    """How few installations hold everything, each share whole in one of them; None where the largest is too large."""
    if not ground.holds(per_s * max(shares)):
        return None
    return next(count for count in range(1, len(shares) + 1) if ground.holds(per_s * largest_part(shares, count)))


def knee(name: str, ground: Ground) -> float:
    """Attempts an hour at which a station of one installation is as busy as it may be."""
    low, high = 1.0, 1e9
    for _ in range(80):
        middle = math.sqrt(low * high)
        full = ground.loads(middle / 3600)[name] > ground.prices["most_load"]
        low, high = (low, middle) if full else (middle, high)
    return low


def _simulated(per_s: float, ground: Ground) -> Result:
    seats = machines(per_s, ground.costs, ground.prices, ground.day) * seats_of(ground.costs, ground.prices, ground.day)
    seconds = SIMULATED_LINES * line_seconds(ground.day)
    return Town(ground.stations(per_s), seats, ground.day, seconds).open(per_s)


def _yuan(per_s: float, parts: int, ground: Ground) -> dict[str, float]:
    """A month at this pace for the busy hours of every working day."""
    prices, day = ground.prices, ground.day
    attempts = per_s * 3600 * prices["busy_hours_per_day"] * prices["days_per_month"]
    on_the_line = per_s * line_seconds(day)
    sound_gb = attempts * day.answered * day.talk_s * 32_000 / 1e9  # two channels of 16 bit at 8 kHz
    return {
        "workers": machines(per_s, ground.costs, prices, day) * prices["worker_yuan"],
        "databases": parts * prices["database_yuan"],
        "proxies": parts * prices["proxy_yuan"],
        "control": parts * prices["control_yuan"],
        "bandwidth": on_the_line * prices["codec_bits_per_s"] / 1e6 * prices["megabit_yuan"],
        "recordings": sound_gb * prices["gigabyte_yuan"],
        "minutes": attempts * day.answered * math.ceil(day.talk_s / 60) * prices["minute_yuan"],
    }
