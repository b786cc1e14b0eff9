"""Fellows: the workers of one fleet trust each other with the agents' extensions, and nobody else.

An agent's telephone that only one machine reaches is an extension there: `sip:agent.ID@that-worker`. The others ring
it with a password that all derive from one secret in the database.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, unquote

from sip.auth import Credentials, DigestServer
from sip.message import Uri

PREFIX = "agent."
REALM = "voicebot-fleet"
_USER = "worker"


class Fellows:
    """`lines`: host:port of every living worker by its name; whoever keeps them puts new ones in."""

    def __init__(self, secret: str, own: str = "") -> None:
        password = hmac.new(secret.encode(), b"fleet extensions", hashlib.sha256).hexdigest()
        self.credentials = Credentials(_USER, password, REALM)
        self.guard = DigestServer(REALM, {_USER: password}.get, hashlib.sha256(password.encode()).digest())
        self._own = own
        self.lines: Mapping[str, str] = {}

    def knows(self, host: str) -> bool:
        """Whether a fellow lives at this address."""
        return any(_host(line) == host for line in self.lines.values())

    def way_to(self, agent_id: str, worker: str | None) -> str | None:
        """The URI that rings an agent at `worker`; None where our own line does, or the worker is gone."""
        line = self.lines.get(worker or "")
        return extension(agent_id, line) if line is not None and worker != self._own else None


def extension(agent_id: str, line: str) -> str:
    """'a1' at '192.0.2.7:5060' -> 'sip:agent.a1@192.0.2.7:5060'."""
    return f"sip:{PREFIX}{quote(agent_id, safe='')}@{line}"


def extension_of(uri: Uri) -> str | None:
    """The agent that a URI names, or None for any other URI."""
    user = uri.user or ""
    return unquote(user.removeprefix(PREFIX)) if user.startswith(PREFIX) else None


def agent_of(address: str) -> str | None:
    """As extension_of, of a URI as text."""
    user = address.partition(":")[2].partition("@")[0]
    return unquote(user.removeprefix(PREFIX)) if user.startswith(PREFIX) else None


def _host(line: str) -> str:
    return line.rpartition(":")[0].strip("[]")
