"""Every route of the console with its methods, read from the app itself, and an address that fits each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import cast

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from voicebot.console.queries import ConsoleData
from voicebot.console.server import build_app
from voicebot.console.settings import ConsoleSettings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@cache
def all_routes() -> tuple[tuple[str, str], ...]:
    """Method and address, each once; `{…}` is filled with x. The framework's own files are one address."""
    app = build_app(cast(ConsoleData, None), ConsoleSettings())
    found = {(method, path.replace("//", "/")) for method, path in _walk(list(app.routes)) if method != "HEAD"}
    return tuple(sorted(one for one in found if not one[1].startswith("/_nicegui/auto")))


def changing_routes() -> list[tuple[str, str]]:
    """Those that change something."""
    return [(method, path) for method, path in all_routes() if method not in _SAFE]


def _walk(found: list[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    for route in found:
        included = getattr(route, "original_router", None)  # FastAPI keeps included routers as they are
        if included is not None:
            yield from _walk(list(included.routes), before)
        if isinstance(route, Mount):
            inner = getattr(route, "routes", None) or []
            yield from _walk(list(inner), before + route.path) if inner else [("GET", before + route.path + "/x")]
        elif isinstance(route, APIRoute | Route):
            path = before + re.sub(r"\{[^}]*\}", "x", route.path)
            for method in route.methods or ():
                yield method, path
