"""Ratio: numerator and denominator side by side, with the interval within which the truth lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""Standard normal deviate of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """`numerator` of `denominator`; both are sums of whole numbers, so that they can be added up again."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """None where there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None

    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of a share; None where there is none. E. B. Wilson, JASA 22 (1927) 209."""
        n, k = self.denominator, self.numerator
        if n <= 0 or not 0 <= k <= n:
            return None
        share, z2 = k / n, Z95 * Z95
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return (0.0 if k == 0 else max(0.0, middle - half)), (1.0 if k == n else min(1.0, middle + half))


def difference(first: Ratio, second: Ratio) -> tuple[float, float, float] | None:
    """`first` minus `second` with its 95 % interval, from the Wilson intervals of both; None without both.

    R. G. Newcombe, Statistics in Medicine 17 (1998) 873, method 10.
    """
    one, two = first.interval(), second.interval()
    if one is None or two is None or first.value is None or second.value is None:
        return None
    a, b = first.value, second.value
    low = math.sqrt((a - one[0]) ** 2 + (two[1] - b) ** 2)
    high = math.sqrt((one[1] - a) ** 2 + (b - two[0]) ** 2)
    return a - b, a - b - low, a - b + high
