"""Session timers (RFC 4028): who refreshes a call, how often, and when a silent peer counts as gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sip.exchange import Clock, TimerHandle
from sip.message import Headers, Request, Response

#: Smallest interval anybody may ask for, in seconds (RFC 4028 section 4).
MIN_SE_S = 90
#: Shorter than this no interval is kept, whatever a broken peer answers.
SHORTEST_S = 30
#: Largest interval we believe; a day without a sign of life is no session timer.
MAX_SE_S = 86_400
_SECONDS = re.compile(r"\s*(\d{1,9})\s*(?:;(.*))?", re.DOTALL)
_REFRESHER = re.compile(r"(?:^|;)\s*refresher\s*=\s*(uac|uas)\s*(?:;|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The call ends unless it is refreshed within every `interval_s` seconds."""

    interval_s: int
    we_refresh: bool


def supports(headers: Headers, option: str) -> bool:
    """The option tag stands in Supported or Require."""
    named = [*headers.elements("Supported"), *headers.elements("Require")]
    return any(word.strip().lower() == option for word in named)


def too_brief(request: Request) -> bool:
    """The peer wants shorter intervals than we allow and understands a 422 (RFC 4028 section 9)."""
    asked = _session_expires(request.headers)
    return asked is not None and asked[0] < MIN_SE_S and supports(request.headers, "timer")


def agree_as_server(request: Request, wanted_s: int | None) -> Agreement | None:
    """What our 2xx to `request` lays down (RFC 4028 section 9, table 2). Where the peer leaves it free, we refresh."""
    asked = _session_expires(request.headers)
    floor = max(MIN_SE_S, _min_se(request.headers))
    if asked is None:
        knows = wanted_s is not None and supports(request.headers, "timer")
        return Agreement(max(wanted_s, floor), True) if knows and wanted_s is not None else None
    interval_s, refresher = asked
    interval_s = max(min(interval_s, wanted_s or interval_s, MAX_SE_S), floor)
    return Agreement(interval_s, refresher != "uac" or not supports(request.headers, "timer"))


def agree_as_client(response: Response) -> Agreement | None:
    """What a 2xx to our request laid down (RFC 4028 section 7.2); None: no session timer in this call."""
    asked = _session_expires(response.headers)
    if asked is None:
        return None
    return Agreement(min(max(asked[0], SHORTEST_S), MAX_SE_S), asked[1] != "uas")


def _session_expires(headers: Headers) -> tuple[int, str | None] | None:
    match = _SECONDS.fullmatch(headers.get("Session-Expires") or "")
    if match is None:
        return None
    refresher = _REFRESHER.search(match.group(2) or "")
    return int(match.group(1)), refresher.group(1).lower() if refresher else None


def _min_se(headers: Headers) -> int:
    match = _SECONDS.fullmatch(headers.get("Min-SE") or "")
    return min(int(match.group(1)), MAX_SE_S) if match else 0


class SessionTimer:
    """Counts for one call. `refresh` is called half-way, `expired` with a reason where the peer is gone.

    `wanted_s` None: we ask for no timer, but keep to the one a peer asks for.
    """

    def __init__(
        self, clock: Clock, wanted_s: int | None, refresh: Callable[[], None], expired: Callable[[str], None]
    ) -> None:
        self.agreement: Agreement | None = None
        self._clock, self._wanted_s, self._refresh, self._expired = clock, wanted_s, refresh, expired
        self._min_se = MIN_SE_S
        self._handles: list[TimerHandle] = []

    def request_fields(self) -> list[tuple[str, str]]:
        """For an INVITE, re-INVITE or UPDATE of ours."""
        if self.agreement is not None:
            role = "uac" if self.agreement.we_refresh else "uas"
            fields = [("Session-Expires", f"{max(self.agreement.interval_s, self._min_se)};refresher={role}")]
        elif self._wanted_s is not None:
            fields = [("Session-Expires", str(max(self._wanted_s, self._min_se)))]
        else:
            return []
        return [*fields, ("Min-SE", str(self._min_se))]

    def learn(self, response: Response) -> bool:
        """Take in a 422. True: try again with the larger interval."""
        wanted = _min_se(response.headers)
        if wanted <= self._min_se:
            return False
        self._min_se = wanted
        return True

    def answer(self, request: Request) -> list[tuple[str, str]]:
        """Fields of our 2xx to an INVITE, re-INVITE or UPDATE; counting starts anew with it."""
        self._run(agree_as_server(request, self._wanted_s))
        if self.agreement is None:
            return []
        role = "uas" if self.agreement.we_refresh else "uac"
        fields = [("Session-Expires", f"{self.agreement.interval_s};refresher={role}")]
        return [*fields, ("Require", "timer")] if supports(request.headers, "timer") else fields

    def agreed(self, response: Response) -> None:
        """A 2xx to our INVITE, re-INVITE or UPDATE has come."""
        self._run(agree_as_client(response))

    def refresh_failed(self) -> None:
        """Our refresh was refused but the call stands: once more half-way to the end."""
        if self.agreement is not None and self.agreement.we_refresh:
            left = max(self._ends_at - self._clock.time(), 0)
            if left > 2:
                self._handles.append(self._clock.call_later(left / 2, self._refresh))

    def stop(self) -> None:
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

    def _run(self, agreement: Agreement | None) -> None:
        self.stop()
        self.agreement = agreement
        if agreement is None:
            return
        interval = agreement.interval_s
        # RFC 4028 section 10: who does not refresh ends the call a little before the interval does.
        end = interval if agreement.we_refresh else interval - min(32, interval / 3)
        self._ends_at = self._clock.time() + end
        reason = "our session refresh never got through" if agreement.we_refresh else "the peer no longer refreshes"
        self._handles.append(self._clock.call_later(end, lambda: self._expired(reason)))
        if agreement.we_refresh:
            self._handles.append(self._clock.call_later(interval / 2, self._refresh))
