"""Sharing out: which case goes to whom - by shares, by who has least, among those who can. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

ROBOT = "robot"
"""Among the shares: what stays with the bot."""


class By(StrEnum):
    """SHARE: each gets their part of this round. BALANCE: whoever has least gets the next."""

    SHARE = "share"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who may be given cases: how many they have, and how many they may have."""

    agent_id: str
    has: int
    cap: int
    skills: frozenset[str] = frozenset()
    owed_fen: int = 0

    @property
    def room(self) -> int:
        return max(0, self.cap - self.has)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A case to be given away."""

    case_id: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class SharingRule:
    """`skill`: only to those who have it. `shares` by agent id (and "robot"), in any unit; `most`: cases at most."""

    by: By = By.BALANCE
    cap: int = 20
    skill: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    most: int = 10_000


def share_out(parcels: Sequence[Parcel], seats: Sequence[Seat], rule: SharingRule) -> dict[str, str]:
    """Whose each case becomes, by case id; what is not named stays in the pool. `parcels` in order of urgency."""
    able = sorted((seat for seat in seats if rule.skill is None or rule.skill in seat.skills), key=_name)
    if rule.by is By.SHARE:
        return _by_shares(parcels[: rule.most], able, rule.shares)
    return _by_balance(parcels[: rule.most], able)


def _by_balance(parcels: Sequence[Parcel], seats: Sequence[Seat]) -> dict[str, str]:
    standing = {seat.agent_id: seat for seat in seats}
    given = {}
    for parcel in parcels:
        free = [seat for seat in standing.values() if seat.room]
        if not free:
            break
        least = min(free, key=lambda seat: (seat.has, seat.owed_fen, seat.agent_id))
        given[parcel.case_id] = least.agent_id
        standing[least.agent_id] = replace(least, has=least.has + 1, owed_fen=least.owed_fen + parcel.amount_fen)
    return given


def _by_shares(parcels: Sequence[Parcel], seats: Sequence[Seat], shares: Mapping[str, float]) -> dict[str, str]:
    """Dealt out one by one, each to whoever is furthest behind their share, so that all get large and small alike."""
    room = {seat.agent_id: seat.room for seat in seats if shares.get(seat.agent_id, 0) > 0}
    if shares.get(ROBOT, 0) > 0:
        room[ROBOT] = len(parcels)
    whole = sum(shares[name] for name in room)
    dealt = dict.fromkeys(room, 0)
    given = {}
    for number, parcel in enumerate(parcels, 1):
        free = [name for name in room if dealt[name] < room[name]]
        if not free:
            break
        behind = max(free, key=lambda name: (number * shares[name] / whole - dealt[name], name))
        dealt[behind] += 1
        if behind != ROBOT:
            given[parcel.case_id] = behind
    return given


def _name(seat: Seat) -> str:
    return seat.agent_id
