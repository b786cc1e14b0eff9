"""Door: who a request comes from, directly or through the proxy that stands before the console."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import Scope


def client_address(scope: Scope, behind_proxy: bool) -> str:
    """The IP address of a client; behind a proxy the one that the proxy itself saw, the last of X-Forwarded-For."""
    client = scope.get("client")
    direct = str(client[0]) if client else ""
    if not behind_proxy:
        return direct
    told = Headers(scope=scope).get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return direct


def browser_of(scope: Scope) -> str:
    """What a browser calls itself, cut to what a list of sessions shows."""
    return Headers(scope=scope).get("user-agent", "")[:200]


def from_this_machine(scope: Scope, headers: Headers) -> bool:
    """Whether a program of the same machine asks. Behind a proxy everybody seems local, so forwarded never counts."""
    client = scope.get("client")
    if client is None or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
