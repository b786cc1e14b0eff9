"""Names of people: shown by their beginning only, enough to recognise, too little to search for."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """张*: the first character, and as many stars as others, three at most."""
    return name[:1] + "*" * min(3, len(name) - 1)
