"""Requests of ours inside a dialog: numbered, authenticated, an accepted INVITE acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sip.auth import CHALLENGE_FIELDS, DigestClient
from sip.dialog import Dialog
from sip.endpoint import Endpoint
from sip.message import Request, Response
from sip.transport import Hop

#: A request and what two challenges (proxy and peer) make of it.
MAX_ATTEMPTS = 3

OnFinal = Callable[[Response | None], None]


class DialogClient:
    """One end of a call speaks through this. `dialog` is None until the peer has told its tag."""

    def __init__(self, endpoint: Endpoint, name: str, digest: DigestClient, flow: Callable[[], Hop | None]) -> None:
        """`flow` tells where the peer was last heard from."""
        self.dialog: Dialog | None = None
        self.digest = digest
        self._endpoint, self._name, self._flow = endpoint, name, flow

    def send(
        self,
        method: str,
        on_final: OnFinal,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        dialog: Dialog | None = None,
        attempts: int = MAX_ATTEMPTS,
    ) -> None:
        """Send a request, answering challenges; `on_final` hears once, None for silence.

        Without a Content-Type among `headers` a body is SDP.
        """
        dialog = dialog or self.dialog
        if dialog is None:
            on_final(None)
            return
        request = dialog.request(method)
        fields = [("User-Agent", self._name), *headers]
        if body and not any(name == "Content-Type" for name, _ in fields):
            fields.append(("Content-Type", "application/sdp"))
        request = self.digest.authorize(Request(method, request.uri, request.headers.adding(fields), body))
        acks: list[Request] = []

        def on_response(response: Response) -> None:
            challenged = response.status in CHALLENGE_FIELDS and attempts > 1
            if challenged and self.digest.learn(response):
                self.send(method, on_final, headers=headers, body=body, dialog=dialog, attempts=attempts - 1)
            elif response.status >= 300 or (response.status >= 200 and method != "INVITE"):
                on_final(response)
            elif response.status >= 200:
                self._acknowledge(dialog, request, response, acks, on_final)

        self._endpoint.request(request, on_response, lambda failed: on_final(None), flow=self._flow())

    def _acknowledge(
        self, dialog: Dialog, invite: Request, response: Response, acks: list[Request], on_final: OnFinal
    ) -> None:
        """Each copy of a 2xx gets the ACK again; only the first one is news (RFC 3261 13.2.2.4)."""
        is_first = not acks
        if is_first:
            dialog.refresh(response)
            acks.append(acknowledgement(dialog, invite))
        self._endpoint.send_ack(acks[0], flow=self._flow())
        if is_first:
            on_final(response)


def acknowledgement(dialog: Dialog, invite: Request) -> Request:
    """The ACK of a 2xx carries the INVITE's CSeq number and its credentials (RFC 3261 13.2.2.4, 22.1)."""
    ack = dialog.request("ACK", cseq=invite.cseq.number)
    credentials = [item for item in invite.headers if item[0] in ("Authorization", "Proxy-Authorization")]
    return ack.with_headers(ack.headers.adding(credentials))
