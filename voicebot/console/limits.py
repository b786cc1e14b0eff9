"""Limits: how often somebody may ask, as buckets that fill again: logins, API calls and exports."""

from __future__ import annotations

import time
from collections.abc import Callable

_MOST_KEYS = 20_000


class Limit:
    """At most `burst` at once and `per_minute` in the long run, for each key on its own."""

    def __init__(self, per_minute: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """0 when it may be; else the seconds until it may."""
        now = self._now()
        left, at = self._left.get(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        if left < 1:
            return (1 - left) / self._rate
        if len(self._left) >= _MOST_KEYS:
            self._forget(now)
        self._left[key] = (left - 1, now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Who has not asked for long has a full bucket anyway; of more keys than that the oldest go."""
        full = self._burst / self._rate
        kept = {key: held for key, held in self._left.items() if now - held[1] < full}
        by_age = sorted(kept.items(), key=lambda one: one[1][1])
        self._left = dict(by_age[-_MOST_KEYS // 2 :])


class Limits:
    """The limits of one console. Logins are counted by address, API calls by token or session, exports by user."""

    def __init__(self, login: int = 60, api: int = 1200, exports: int = 60) -> None:
        self.login = Limit(login, login)
        self.api = Limit(api, api)
        self.exports = Limit(exports, exports)
