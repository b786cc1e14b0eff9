"""What a call borrows from its user agent, and what all our messages say about us."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sip.endpoint import Endpoint
from sip.message import Uri
from sip.sdp import Codec, Srtp
from sip.session import MediaFactory, Session
from sip.transport import Hop

if TYPE_CHECKING:
    from sip.call import Call

#: Methods we understand; named in every Allow field.
ALLOW = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY")
#: Methods that exist but are none of ours (405); what is not even here is unknown (501).
FOREIGN = ("REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE")
#: Bodies we understand: a session description, alone or among other parts.
ACCEPT = "application/sdp, multipart/mixed"
#: Extensions we understand: RFC 3262, 4028, 3891, 4488.
EXTENSIONS = ("100rel", "timer", "replaces", "norefersub")


@dataclass(frozen=True, slots=True)
class CallContext:
    """`session_expires_s` None: no session timer of our own. `contact_user` None: the user part of our URI."""

    endpoint: Endpoint
    name: str
    media_factory: MediaFactory | None
    codecs: tuple[Codec, ...]
    #: Calls that have not ended, by Call-ID and local tag.
    calls: dict[tuple[str, str], Call]
    #: Places the call that a transfer asks for.
    dial: Callable[..., Call]
    srtp: Srtp = "off"
    session_expires_s: int | None = 1800
    contact_user: str | None = None
    chance: random.Random = field(default_factory=random.Random)

    def contact(self, hop: Hop, user: str | None, *, secure: bool = False) -> str:
        """Our address as the peer at `hop` can reach it, over the transport that it uses itself.

        `secure`: a `sips:` address, which a `sips:` dialog must have (RFC 3261 8.1.1.8, 12.1.1).
        """
        host, port = self.endpoint.transport.local_address(hop)
        transport = (("transport", hop.protocol.lower()),) if hop.is_reliable and not secure else ()
        return f"<{Uri('sips' if secure else 'sip', user, f'[{host}]' if ':' in host else host, port, transport)}>"

    def session(self) -> Session:
        return Session(self.media_factory, self.endpoint.number(), self.codecs, srtp=self.srtp)


def capabilities() -> list[tuple[str, str]]:
    return [("Allow", ", ".join(ALLOW)), ("Supported", ", ".join(EXTENSIONS)), ("Accept", ACCEPT)]
