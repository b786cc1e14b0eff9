"""Finding: one thing that was looked at, how it is, and who must do what where it is not well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a stable name for scripts; `remedy` is empty only where all is well."""

    check: str
    health: Health
    said: str
    remedy: str = ""

    def row(self) -> dict[str, str]:
        return {"check": self.check, "health": str(self.health), "said": self.said, "remedy": self.remedy}


def well(check: str, said: str) -> Finding:
    return Finding(check, Health.OK, said)


def worth_a_look(check: str, said: str, remedy: str) -> Finding:
    return Finding(check, Health.WARN, said, remedy)


def ill(check: str, said: str, remedy: str) -> Finding:
    return Finding(check, Health.FAIL, said, remedy)


def worst(findings: Iterable[Finding]) -> Health:
    order = list(Health)
    return max((one.health for one in findings), key=order.index, default=Health.OK)
