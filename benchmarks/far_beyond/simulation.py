"""Attempts that pass the stations of an installation in simulated time (simpy): who waits where, and how long."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from benchmarks.capacity.verdict import Day
from benchmarks.far_beyond.stations import Station
from benchmarks.turns.figures import quantile

UPLINK = "uplink"
Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a station saw: share of its time that it was busy, and how long 95 of 100 visits waited at most, s."""

    busy: float
    wait_p95_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """`on_the_line`: calls at once on average, in the second half of the simulated time; `ended_per_s` likewise."""

    stations: dict[str, Seen]
    on_the_line: float
    ended_per_s: float
    seats_wait_p95_s: float


class Town:
    """An installation with its stations and seats. The second half of `seconds` counts."""

    def __init__(self, stations: Sequence[Station], seats: int, day: Day, seconds: float, seed: int = 1) -> None:
        self.env = simpy.Environment()
        self._stations = {one.name: one for one in stations if one.name != UPLINK}
        self._servers = {name: simpy.Resource(self.env, one.servers) for name, one in self._stations.items()}
        self._seats = simpy.Resource(self.env, seats)
        self._day, self._seconds, self._chance = day, seconds, random.Random(seed)
        self._busy_s = dict.fromkeys(self._stations, 0.0)
        self._waits: dict[str, list[float]] = {name: [] for name in [*self._stations, "seats"]}
        self._line_s, self._on_the_line, self._since_s, self._ended = 0.0, 0, 0.0, 0

    def open(self, attempts_per_s: float) -> Result:
        """Attempts come by chance, so many a second on average."""
        self.env.process(self._arrive(attempts_per_s))
        return self._run()

    def closed(self, calls: int) -> Result:
        """So many calls at once all the time: when one ends the next one begins."""
        for _ in range(calls):
            self.env.process(self._again())
        return self._run()

    def _run(self) -> Result:
        self.env.run(until=self._seconds)
        self._change(0)
        half = self._seconds / 2
        seen = {
            name: Seen(self._busy_s[name] / half / one.servers, quantile(self._waits[name], 0.95) or 0.0)
            for name, one in self._stations.items()
        }
        return Result(seen, self._line_s / half, self._ended / half, quantile(self._waits["seats"], 0.95) or 0.0)

    def _arrive(self, attempts_per_s: float) -> Process:
        while True:
            yield self.env.timeout(self._chance.expovariate(attempts_per_s))
            self.env.process(self._attempt())

    def _again(self) -> Process:
        yield self.env.timeout(self._chance.random() * self._day.talk_s)
        while True:
            yield from self._attempt()

    def _attempt(self) -> Process:
        yield from self._visit("leases")
        yield from self._write()
        yield from self._visit("proxy")
        began = self.env.now
        with self._seats.request() as seat:
            yield seat
            self._note("seats", self.env.now - began)
            self._change(1)
            yield self.env.timeout(self._about(self._day.ring_s))
            if self._chance.random() < self._day.answered:
                yield self.env.timeout(self._about(self._day.talk_s))
            yield from self._write()
            self._change(-1)
        yield from self._write()
        yield from self._visit("control")
        self._ended += self.env.now >= self._seconds / 2

    def _write(self) -> Process:
        """A third of what an attempt writes and of whom it wakes."""
        for name in ("database", "log", "wake-ups"):
            yield from self._visit(name)

    def _visit(self, name: str) -> Process:
        station = self._stations.get(name)
        if station is None:
            return
        came = self.env.now
        with self._servers[name].request() as turn:
            yield turn
            self._note(name, self.env.now - came)
            service_s = self._about(station.service_s / station.visits)
            yield self.env.timeout(service_s)
            self._busy_s[name] += max(0.0, self.env.now - max(self.env.now - service_s, self._seconds / 2))

    def _change(self, by: int) -> None:
        """One call more or less on the line from now on."""
        lasted_s = self.env.now - max(self._since_s, self._seconds / 2)
        self._line_s += max(0.0, lasted_s) * self._on_the_line
        self._on_the_line, self._since_s = self._on_the_line + by, self.env.now

    def _note(self, name: str, waited_s: float) -> None:
        if self.env.now >= self._seconds / 2:
            self._waits[name].append(waited_s)

    def _about(self, mean_s: float) -> float:
        """Between half of it and half as much again."""
        draw: Callable[[float, float], float] = self._chance.uniform
        return draw(0.5 * mean_s, 1.5 * mean_s) if mean_s else 0.0
