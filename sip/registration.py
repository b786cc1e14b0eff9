"""Registration at a registrar (RFC 3261 section 10): kept alive by the granted time, given up with grace."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from enum import StrEnum

from sip.auth import CHALLENGE_FIELDS, DigestClient
from sip.call_context import ALLOW, CallContext
from sip.errors import SipError, SipParseError
from sip.exchange import Outgoing, TimerHandle
from sip.message import CSeq, Headers, NameAddr, Request, Response, Uri
from sip.message.grammar import parameter
from sip.reason import retry_after_s
from sip.transaction import Failed
from sip.transport import Address, Hop, as_hop

log = logging.getLogger("sip")

#: Seconds: the first pause after a failure that may pass, the longest one, and the one after a plain refusal.
FIRST_PAUSE_S, LONGEST_PAUSE_S, REFUSED_PAUSE_S = 4.0, 300.0, 120.0
#: Requests for one registration at most: challenges, a stale nonce, a longer time (423).
MAX_ATTEMPTS = 5
#: A registrar that wants longer than a day keeps us for a day.
LONGEST_EXPIRES_S = 86_400
STOP_WAIT_S = 2.0


class RegistrationState(StrEnum):
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"
    STOPPED = "stopped"


class Registration:
    """Registers at once and again in time until `stop`. `on_change` hears each change of state or status."""

    def __init__(
        self,
        context: CallContext,
        registrar: Uri,
        aor: NameAddr,
        digest: DigestClient,
        *,
        expires_s: int,
        via: Hop | Address | None,
        forget: Callable[[Registration], None],
    ) -> None:
        self.state = RegistrationState.REGISTERING
        #: Status of the last final answer; 408 for silence, None before the first.
        self.status: int | None = None
        self.reason = ""
        #: Seconds the registrar granted last; before that those we ask for.
        self.expires_s = expires_s
        #: The address the registrar has for us, as it wrote it; None while it has none.
        self.contact: str | None = None
        #: Our address as the registrar sees it (received, rport); None where it did not say.
        self.seen_as: Address | None = None
        self.on_change: Callable[[Registration], None] | None = None
        self._context, self._endpoint, self._digest = context, context.endpoint, digest
        self._registrar, self._aor, self._via, self._forget = registrar, aor, via, forget
        self._call_id, self._cseq, self._attempts, self._failures = self._endpoint.new_id() * 2, 0, 0, 0
        self._wanted_s = expires_s
        self._hops: list[Hop] = []
        self._current: Outgoing | None = None
        self._timer: TimerHandle | None = None
        self._keep_alive: TimerHandle | None = None
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._is_stopping = False
        self._over = asyncio.Event()
        self._starting = asyncio.get_running_loop().create_task(self._start())

    @property
    def chance(self) -> random.Random:
        return self._context.chance

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the first answer is in. True: registered; False: failed, or no answer within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.state is RegistrationState.REGISTERING:
                    await self._news.wait()
        except TimeoutError:
            return False
        return self.state is RegistrationState.REGISTERED

    async def stop(self) -> None:
        """Take our address out at the registrar (bounded by STOP_WAIT_S) and end."""
        if self._is_stopping:
            await self._over.wait()
            return
        self._is_stopping = True
        self._quit()
        self._starting.cancel()
        try:
            if self.contact is not None:
                await self._take_out()
        finally:
            self._drop_request()
            self.contact = None
            self._become(RegistrationState.STOPPED)
            self._forget(self)
            self._over.set()

    async def _take_out(self) -> None:
        self._attempts = self._wanted_s = 0
        self._send()
        timer = self._endpoint.clock.call_later(STOP_WAIT_S, self._gone.set)
        await self._gone.wait()
        timer.cancel()

    # Asking ----------------------------------------------------------------------------------------

    async def _start(self) -> None:
        """Find the registrar (again, for names move) and ask."""
        try:
            if self._via is not None:
                self._hops = [as_hop(self._via)]
            else:
                self._hops = await self._endpoint.transport.resolve(self._registrar)
        except SipError as error:
            self._failed(503, str(error), None)
            return
        self._attempts = 0
        self._send()

    def _send(self) -> None:
        self._cseq += 1
        self._attempts += 1
        contact = f"{self._our_contact()};expires={self._wanted_s}"
        fields = [("Max-Forwards", "70"), ("From", str(self._aor)), ("To", str(NameAddr(self._aor.uri)))]
        fields += [("Call-ID", self._call_id), ("CSeq", str(CSeq(self._cseq, "REGISTER"))), ("Contact", contact)]
        fields += [("Expires", str(self._wanted_s)), ("User-Agent", self._context.name), ("Allow", ", ".join(ALLOW))]
        request = self._digest.authorize(Request("REGISTER", self._registrar, Headers(fields)))
        self._current = self._endpoint.request(
            request, self._on_response, self._on_failure, destination=self._hops[0], alternatives=self._hops[1:]
        )

    def _our_contact(self) -> str:
        return self._context.contact(self._hops[0], self._context.contact_user or self._aor.uri.user)

    # Answers ---------------------------------------------------------------------------------------

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            return
        self._current = None
        self._note_our_address(response)
        if self._attempts < MAX_ATTEMPTS and self._try_otherwise(response):
            self._send()
        elif self._wanted_s == 0:
            self._gone.set()
        elif response.status < 300:
            self._granted(response)
        else:
            self._failed(response.status, response.reason, retry_after_s(response))

    def _on_failure(self, failed: Failed) -> None:
        self._current = None
        if self._wanted_s == 0:
            self._gone.set()
        else:
            self._failed(failed.status, failed.reason, None)

    def _try_otherwise(self, response: Response) -> bool:
        """Credentials (401, 407) or a longer time (423 Min-Expires, RFC 3261 21.4.17)."""
        if response.status in CHALLENGE_FIELDS:
            return self._digest.learn(response)
        least = (response.headers.get("Min-Expires") or "").strip()
        if response.status != 423 or not least.isdecimal() or not self._wanted_s < int(least[:9]) <= LONGEST_EXPIRES_S:
            return False
        self._wanted_s = int(least[:9])
        return True

    def _granted(self, response: Response) -> None:
        self.expires_s, self.contact = self._binding(response)
        self._failures = 0
        # Early enough for three more tries, and not all trunks at the same moment.
        wait_s = self.expires_s * (0.5 + 0.25 * self.chance.random())
        if self._keep_alive is None and self._wanted_s:
            self._keep_alive = self._endpoint.keep_open(self._hops[0])
        self._become(RegistrationState.REGISTERED, response.status, response.reason)
        self._later(max(wait_s, 1.0))

    def _failed(self, status: int, reason: str, retry_s: int | None) -> None:
        self._failures += 1
        self.contact = None if status < 500 and status != 408 else self.contact
        self._become(RegistrationState.FAILED, status, reason)
        log.warning("registration at %s failed: %s %s", self._registrar.hostname, status, reason[:60])
        refused = (400 <= status < 500 and status not in (408, 480, 486, 491)) or status >= 600
        pause = min((REFUSED_PAUSE_S if refused else FIRST_PAUSE_S) * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_S)
        # Never all at once after a power cut: half of the pause is left to chance (RFC 5626 section 4.5).
        wait_s = pause * (0.5 + 0.5 * self.chance.random())
        self._later(max(wait_s, min(retry_s or 0, 3600)))

    def _later(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._endpoint.clock.call_later(seconds, self._again)

    def _again(self) -> None:
        self._timer = None
        self._wanted_s = max(self._wanted_s, 1)
        self._starting = asyncio.get_running_loop().create_task(self._start())

    def _binding(self, response: Response) -> tuple[int, str]:
        """Seconds granted to our contact, and how the registrar wrote it (RFC 3261 10.2.4)."""
        ours = NameAddr.parse(self._our_contact()).uri
        default = _seconds(response.headers.get("Expires")) or self._wanted_s
        for text in response.headers.elements("Contact"):
            try:
                contact = NameAddr.parse(text)
            except SipParseError:
                continue
            if (contact.uri.user, contact.uri.hostname, contact.uri.port or 5060) == (
                ours.user, ours.hostname, ours.port or 5060
            ):  # fmt: skip
                granted = _seconds(parameter(contact.parameters, "expires"))
                return min(granted or default, LONGEST_EXPIRES_S), str(contact.uri)
        return min(default, LONGEST_EXPIRES_S), str(ours)

    def _note_our_address(self, response: Response) -> None:
        parameters = response.via.parameters
        host, port = parameter(parameters, "received"), parameter(parameters, "rport")
        if port and port.isdecimal() and len(port) <= 5:
            self.seen_as = (host or response.via.host, int(port))

    # Ending ----------------------------------------------------------------------------------------

    def _become(self, state: RegistrationState, status: int | None = None, reason: str = "") -> None:
        changed = (state, status) != (self.state, self.status)
        self.state, self.reason = state, reason
        self.status = status if status is not None else self.status
        self._news.set()
        self._news = asyncio.Event()
        if changed and self.on_change is not None:
            try:
                self.on_change(self)
            except Exception:
                log.exception("the listener of a registration failed")

    def _quit(self) -> None:
        for handle in (self._timer, self._keep_alive):
            if handle is not None:
                handle.cancel()
        self._timer = self._keep_alive = None
        self._drop_request()

    def _drop_request(self) -> None:
        if self._current is not None:
            self._current.stop()
            self._current = None


def _seconds(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isdecimal() and len(text) <= 9 and int(text) > 0 else None
