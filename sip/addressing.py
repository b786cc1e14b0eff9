"""Which transaction a request belongs to, and which way an answer or a request has to go. No state here."""

from __future__ import annotations

from sip.message import Request, Via
from sip.transport import Hop, is_local

MAGIC = "z9hG4bK"


def transaction_key(request: Request, method: str | None = None) -> tuple[str, ...]:
    """RFC 3261 17.2.3: branch, sent-by, method; an ACK counts as its INVITE; 2543 peers lack the magic."""
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    via = request.via
    host, port = via.sent_by
    if via.branch.startswith(MAGIC) and len(via.branch) > len(MAGIC):
        return via.branch, host, str(port), method
    number, from_tag = str(request.cseq.number), request.from_.tag or ""
    return request.call_id, from_tag, number, str(request.uri), host, str(port), method


def origin(request: Request) -> tuple[str, str | None, str]:
    return request.call_id, request.from_.tag, str(request.cseq)


def seen_from(request: Request, hop: Hop) -> Request:
    """Note the true source in the topmost Via (RFC 3261 18.2.1, RFC 3581)."""
    first, *others = request.headers.elements("Via")
    via = Via.parse(first).seen_from(hop.address)
    return request.with_headers(request.headers.with_("Via", str(via), *others))


def response_hop(via: Via, hop: Hop) -> Hop:
    """RFC 3261 18.2.2 and RFC 3581 section 4: back to where the request came from, at the port it wishes."""
    return hop if hop.is_reliable or via.has("rport") else hop._replace(port=via.port or 5060)


def way_back(via: Via, hop: Hop) -> Hop:
    """The connection of the request is gone: its sender listens at the port it named (RFC 3261 18.2.2)."""
    return Hop(hop.protocol, hop.host, via.port or (5061 if hop.protocol == "TLS" else 5060))


def reachable(hop: Hop, flow: Hop | None) -> Hop:
    """A peer behind NAT names a private address that leads nowhere; it is where its messages come from."""
    if flow is None or hop.host == flow.host or not is_local(hop.host) or is_local(flow.host):
        return hop
    return flow
