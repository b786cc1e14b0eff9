"""A dialog (RFC 3261 section 12): its id, both CSeq counters, route set and remote target."""

from __future__ import annotations

from dataclasses import dataclass

from sip.message import CSeq, Headers, NameAddr, Request, Response, Uri


@dataclass(frozen=True, slots=True)
class DialogId:
    call_id: str
    local_tag: str
    remote_tag: str


@dataclass(slots=True)
class Dialog:
    """What both ends of a call remember of each other. `local` and `remote` carry their tags."""

    call_id: str
    local: NameAddr
    remote: NameAddr
    target: Uri
    routes: tuple[NameAddr, ...] = ()
    local_cseq: int = 0
    remote_cseq: int | None = None

    @classmethod
    def as_callee(cls, invite: Request, local_tag: str) -> Dialog:
        """From an INVITE we are about to answer (12.1.1). The route set keeps the order of Record-Route."""
        contact = invite.contact.uri if invite.contact else invite.from_.uri
        routes = _routes(invite.headers)
        return cls(
            invite.call_id,
            invite.to.with_tag(local_tag),
            invite.from_,
            contact,
            routes,
            0,
            invite.cseq.number,
        )

    @classmethod
    def as_caller(cls, invite: Request, response: Response) -> Dialog:
        """From a 101-299 with a To tag to our INVITE (12.1.2). The route set is Record-Route reversed."""
        contact = response.contact.uri if response.contact else invite.uri
        routes = _routes(response.headers)[::-1]
        return cls(invite.call_id, invite.from_, response.to, contact, routes, invite.cseq.number, None)

    @property
    def id(self) -> DialogId:
        return DialogId(self.call_id, self.local.tag or "", self.remote.tag or "")

    def accepts(self, request: Request) -> bool:
        """Note the CSeq of a request from the peer. False: older than one already seen (12.2.2: 500)."""
        if self.remote_cseq is not None and request.cseq.number <= self.remote_cseq:
            return False
        self.remote_cseq = request.cseq.number
        return True

    def refresh(self, message: Request | Response) -> None:
        """A re-INVITE, UPDATE or the 2xx to one moves the remote target (12.2.1.2, 12.2.2)."""
        if message.contact is not None:
            self.target = message.contact.uri

    def renew(self, newer: Dialog) -> None:
        """A later response of the same early dialog: route set and target anew, counters as they are (13.2.2.4)."""
        self.target, self.routes, self.remote = newer.target, newer.routes, newer.remote

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """A request inside the dialog, without Via (12.2.1.1). ACK passes the `cseq` of its INVITE."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        target, routes = self._target_and_routes()
        fields = [("Max-Forwards", "70"), *(("Route", str(route)) for route in routes)]
        fields += [("From", str(self.local)), ("To", str(self.remote)), ("Call-ID", self.call_id)]
        fields += [("CSeq", str(CSeq(cseq, method)))]
        return Request(method, target.without_headers(), Headers(fields))

    def _target_and_routes(self) -> tuple[Uri, tuple[NameAddr, ...]]:
        if not self.routes or self.routes[0].uri.parameter("lr") is not None:
            return self.target, self.routes
        # A strict router (RFC 2543) first: it becomes the Request-URI, the target the last of the routes.
        return self.routes[0].uri, (*self.routes[1:], NameAddr(self.target))


def next_hop(request: Request) -> Uri:
    """Where a request goes: the first Route, else the Request-URI (8.1.2)."""
    routes = request.headers.elements("Route")
    route = NameAddr.parse(routes[0]).uri if routes else None
    return route if route is not None and route.parameter("lr") is not None else request.uri


def _routes(headers: Headers) -> tuple[NameAddr, ...]:
    return tuple(NameAddr.parse(text) for text in headers.elements("Record-Route"))
