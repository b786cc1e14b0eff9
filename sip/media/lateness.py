"""How late ticks came, as a histogram."""

from bisect import bisect_left
from typing import Final

BOUNDS_MS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Upper bounds of the buckets; one more holds everything later."""


class Lateness:
    """Counts of delays in milliseconds, by bucket. Fixed memory however long it runs."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.worst_ms = 0.0
        self.total_ms = 0.0

    def note(self, late_s: float) -> None:
        late_ms = max(late_s * 1000, 0.0)
        self.counts[bisect_left(BOUNDS_MS, late_ms)] += 1
        self.worst_ms = max(self.worst_ms, late_ms)
        self.total_ms += late_ms

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile_ms(self, share: float) -> float:
        """Upper bound of the bucket that this share (0..1) of all ticks reaches; never above `worst_ms`."""
        wanted, seen = share * self.count, 0
        for bound, count in zip(BOUNDS_MS, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return min(bound, self.worst_ms)
        return self.worst_ms

    def later_than(self, bound_ms: float) -> int:
        """Ticks later than one of BOUNDS_MS."""
        return sum(self.counts[BOUNDS_MS.index(bound_ms) + 1 :])
