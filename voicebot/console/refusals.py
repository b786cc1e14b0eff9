"""Refusals: what can't be done becomes an answer that says why, with one status for each kind of reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from voicebot.store.policies import VersionConflict


@contextmanager
def refusals() -> Iterator[None]:
    """403: somebody else's; 404: unknown; 409: changed by others meanwhile; 422: wrong."""
    try:
        yield
    except PermissionError as foreign:
        raise HTTPException(403, _words(foreign)) from foreign
    except LookupError as unknown:
        raise HTTPException(404, _words(unknown)) from unknown
    except VersionConflict as newer:
        raise HTTPException(409, _words(newer)) from newer
    except ValueError as wrong:
        raise HTTPException(422, _words(wrong)) from wrong


def _words(reason: Exception) -> str:
    return str(reason.args[0]) if reason.args else str(reason)
