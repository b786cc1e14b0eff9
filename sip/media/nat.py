"""Latching: where a call's media really comes from, whatever its SDP says."""

from ipaddress import ip_address

Address = tuple[str, int]


def usable(address: Address) -> Address | None:
    """The address in canonical form, or None where media must not go.

    0.0.0.0 and port 0 mean hold (RFC 3264 section 8.4); a group would make us a flood amplifier; a host
    name would make every packet wait for the resolver.
    """
    try:
        host, port = ip_address(address[0]), address[1]
    except ValueError:
        return None
    if host.is_unspecified or host.is_multicast or not 0 < port < 65536:
        return None
    return str(host), port


class SourceLatch:
    """Follows the first source of valid RTP and ignores all others (symmetric RTP, RFC 4961).

    The address from the peer's SDP outranks a learnt one: when it sends, it is believed, so that a stranger
    who was faster cannot keep the call. Everything is forgotten when a re-INVITE signals another address.
    """

    def __init__(self) -> None:
        self.signalled: Address | None = None
        self.learnt: Address | None = None
        self.strangers = 0
        """Packets ignored for their source."""

    @property
    def remote(self) -> Address | None:
        """Where to send."""
        return self.learnt or self.signalled

    def signal(self, address: Address) -> None:
        """The peer's SDP names this address; one that is not `usable` leaves only learning."""
        wanted = usable(address)
        if wanted != self.signalled:
            self.signalled, self.learnt = wanted, None

    def admits(self, source: Address) -> bool:
        """Whether a packet from here may be looked at; strangers are counted."""
        if self.learnt is None or source == self.learnt or source == self.signalled:
            return True
        self.strangers += 1
        return False

    @property
    def is_signalled(self) -> bool:
        """Whether media really comes from where the SDP says (or nothing came yet)."""
        return self.learnt is None or self.learnt == self.signalled

    def learn(self, source: Address) -> None:
        """A valid RTP packet of this call came from here."""
        self.learnt = source
