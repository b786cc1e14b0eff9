"""The stations that a call passes, and how much of each it takes: what one installation has of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.capacity.verdict import Day
from benchmarks.far_beyond.costs import WHILE_ON_THE_LINE, Costs
from voicebot.worker.book import BATCH_S

OTHER_LISTENERS: Final = 3
"""Those of the control process: console, dialler and what follows calls."""
PRICES: Final = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Alone:
    """Stations that were measured by themselves.

    `leases_per_s`: benchmarks.dialler.leases. `waking_per_s`: commits that wake, by the number of listeners:
    benchmarks.far_beyond.wakes. `proxy_s`: CPU seconds of Kamailio per call: benchmarks.far_beyond.proxy.
    """

    leases_per_s: float
    waking_per_s: Mapping[int, float]
    proxy_s: float

    def waking(self, listeners: float) -> float:
        """On a straight line of the logarithms between the measured numbers, which goes on beyond the last one."""
        known = sorted(self.waking_per_s.items())
        if len(known) == 1 or listeners <= known[0][0]:
            return known[0][1]
        last = (known[-2], known[-1])
        (low, at_low), (high, at_high) = next((two for two in pairwise(known) if listeners <= two[1][0]), last)
        steepness = math.log(at_high / at_low) / math.log(high / low)
        return at_low * (listeners / low) ** min(steepness, 0.0)


@dataclass(frozen=True, slots=True)
class Station:
    """`servers` at once; an attempt takes `service_s` of one of them, in `visits` pieces."""

    name: str
    servers: int
    service_s: float
    visits: int = 1

    def load(self, attempts_per_s: float) -> float:
        """The share of it that is busy; 1 and more can't be kept up."""
        return attempts_per_s * self.service_s / self.servers


def load_prices(path: Path = PRICES) -> dict[str, float]:
    return {name: float(entry["value"]) for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def line_seconds(day: Day) -> float:
    """How long an attempt is on the line, ringing and talk."""
    return day.ring_s + day.answered * day.talk_s


def seats_of(costs: Costs, prices: Mapping[str, float], day: Day) -> int:
    """Calls at once on one worker machine: what was clean, or what its cores would hold at the highest load."""
    if costs.seats is not None:
        return costs.seats
    base = sum(costs.base_core[part] + costs.idle_core[part] for part in WHILE_ON_THE_LINE)
    each = sum(costs.call_core[part] for part in WHILE_ON_THE_LINE)
    return max(1, int((prices["most_load"] * prices["worker_cores"] - base) / each))


def machines(attempts_per_s: float, costs: Costs, prices: Mapping[str, float], day: Day) -> int:
    """Worker machines for so many attempts a second."""
    return max(1, math.ceil(attempts_per_s * line_seconds(day) / seats_of(costs, prices, day) / prices["most_load"]))


def stations(attempts_per_s: float, costs: Costs, alone: Alone, prices: Mapping[str, float], day: Day) -> list[Station]:
    """What stands once in an installation for so many attempts a second. Workers are added as they are needed."""
    workers = machines(attempts_per_s, costs, prices, day)
    waking = min(costs.wakes, workers / BATCH_S / attempts_per_s)  # a worker wakes for all its calls in one commit
    uplink_s = line_seconds(day) * prices["codec_bits_per_s"] / prices["uplink_bits_per_s"]
    return [
        Station("leases", 1, 1 / alone.leases_per_s),
        Station("control", 1, costs.attempt_s["control"]),
        Station("database", int(prices["database_cores"]), costs.attempt_s["database"], visits=3),
        Station("wake-ups", 1, waking / alone.waking(workers + OTHER_LISTENERS), visits=3),
        Station("log", 1, costs.log_bytes / prices["log_bytes_per_s"], visits=3),
        Station("proxy", int(prices["proxy_cores"]), alone.proxy_s),
        Station("uplink", 1, uplink_s),
    ]
