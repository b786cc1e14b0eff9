"""Which requests outside a call are served, and how the others are refused, in the order of RFC 3261 section 8.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sip.auth import DigestServer
from sip.call import Call
from sip.call_context import ACCEPT, ALLOW, EXTENSIONS, FOREIGN, capabilities
from sip.endpoint import Endpoint
from sip.errors import SdpError
from sip.exchange import Incoming
from sip.message import Request, Response
from sip.reason import warning
from sip.replacement import replaced_call
from sip.sdp import Codec, OfferAnswer
from sip.session_timer import MIN_SE_S, too_brief
from sip.transport import Address

Allow = Callable[[Address, Request], int | None]
#: One guard for everybody, or one per source and request; None asks for no proof.
Guard = DigestServer | Callable[[Address, Request], DigestServer | None] | None
#: Seconds a refused peer should stay away after a 503.
RETRY_AFTER_S = 5


class Doorkeeper:
    """`allow(source, request)` judges first: None admits, a status refuses. `guard` makes callers prove themselves."""

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        codecs: tuple[Codec, ...],
        allow: Allow,
        guard: Guard,
        calls: Mapping[tuple[str, str], Call],
    ) -> None:
        self._endpoint, self._name, self._codecs, self._calls = endpoint, name, codecs, calls
        self._allow, self._guard = allow, guard

    def refusal(self, incoming: Incoming) -> Response | None:
        """The response to a request that we do not serve; None: serve it."""
        request = incoming.request
        status = self._allow(incoming.source, request)
        if status == 503 and isinstance(replaced_call(request, self._calls), Call):
            status = None  # it takes the place of a call that stands: there is no more to carry than before
        if status is not None:
            return self.reply(request, status, [("Retry-After", f"{RETRY_AFTER_S}")] if status == 503 else [])
        if request.method == "INVITE" and (challenge := self._challenge(incoming)) is not None:
            return challenge
        if request.method not in ALLOW:
            return self.reply(request, 405 if request.method in FOREIGN else 501, capabilities())
        if request.uri.scheme not in ("sip", "sips", "tel"):
            return self.reply(request, 416)
        if self._endpoint.is_merged(incoming):
            return self.reply(request, 482)
        unknown = [word for word in request.headers.elements("Require") if word.strip().lower() not in EXTENSIONS]
        if unknown:
            return self.reply(request, 420, [("Unsupported", ", ".join(unknown))])
        return self._invite_refusal(request) if request.method == "INVITE" else None

    def reply(
        self,
        request: Request,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
        reason: str | None = None,
    ) -> Response:
        fields = [("Server", self._name), *headers]
        return request.reply(status, reason, to_tag=self._endpoint.new_id(), headers=fields)

    def _challenge(self, incoming: Incoming) -> Response | None:
        guard = self._guard(incoming.source, incoming.request) if callable(self._guard) else self._guard
        if guard is None:
            return None
        now = self._endpoint.clock.time()
        verdict = guard.verify(incoming.request, now)
        if verdict.username is not None:
            return None
        return self.reply(incoming.request, 401, guard.challenges(now, verdict.stale))

    def _invite_refusal(self, request: Request) -> Response | None:
        if request.contact is None:
            return self.reply(request, 400, reason="an INVITE needs a Contact")
        if too_brief(request):
            return self.reply(request, 422, [("Min-SE", str(MIN_SE_S))])
        if request.body and (not request.sdp or not request.content_type or "Content-Encoding" in request.headers):
            return self.reply(request, 415, [("Accept", ACCEPT), ("Accept-Encoding", "identity")])
        if request.sdp:
            try:
                OfferAnswer(("0.0.0.0", 9), 0, self._codecs).check(request.sdp)
            except SdpError as error:
                return self.reply(request, error.status, [warning(error)])
        return None
