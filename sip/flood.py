"""Before anything is parsed: how many messages a second each source may send."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """Messages per second in the long run, and at once."""

    per_second: float
    burst: float


#: A peer that we have called, or whose call we have taken.
FRIEND = Allowance(5000, 10_000)
#: Anybody else, each address for itself …
STRANGER = Allowance(100, 400)
#: … and all of them together, for addresses can be forged.
STRANGERS = Allowance(1000, 2000)
#: Addresses remembered. The one that has been quiet for longest makes room.
MAX_SOURCES = 4096


class Bucket:
    """A token bucket on the caller's clock (seconds)."""

    __slots__ = ("_at", "_tokens", "allowance")

    def __init__(self, allowance: Allowance, now: float) -> None:
        self.allowance, self._tokens, self._at = allowance, allowance.burst, now

    def take(self, now: float) -> bool:
        earned = (now - self._at) * self.allowance.per_second
        self._tokens, self._at = min(self.allowance.burst, self._tokens + earned), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FloodGate:
    def __init__(self) -> None:
        self.dropped = 0
        self._strangers: OrderedDict[str, Bucket] = OrderedDict()
        self._friends: OrderedDict[str, Bucket] = OrderedDict()
        self._all_strangers = Bucket(STRANGERS, float("-inf"))

    def admits(self, host: str, now: float) -> bool:
        """May one more message of this source be read now?"""
        friend = self._friends.get(host)
        if friend is not None:
            self._friends.move_to_end(host)
            admitted = friend.take(now)
        else:
            admitted = self._strange(host, now).take(now) and self._all_strangers.take(now)
        self.dropped += not admitted
        return admitted

    def welcome(self, host: str, now: float) -> None:
        """We have to do with this source: it may send more."""
        if host not in self._friends:
            self._strangers.pop(host, None)
            self._friends[host] = Bucket(FRIEND, now)
            if len(self._friends) > MAX_SOURCES:
                self._friends.popitem(last=False)

    def knows(self, host: str) -> bool:
        return host in self._friends

    def _strange(self, host: str, now: float) -> Bucket:
        bucket = self._strangers.get(host)
        if bucket is None:
            bucket = self._strangers[host] = Bucket(STRANGER, now)
            if len(self._strangers) > MAX_SOURCES:
                self._strangers.popitem(last=False)
        else:
            self._strangers.move_to_end(host)
        return bucket
