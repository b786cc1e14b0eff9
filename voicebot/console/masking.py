"""Masking: names and what was said of them, as whoever looks may see them; a role without `names` sees 张*.

Who looks is known to the gate, and to all that it calls. Where nobody is known to look, everything is masked.
Telephone numbers are masked for everybody: see `voicebot.domain.phone`.
"""

from __future__ import annotations

from contextvars import ContextVar

from voicebot.console.queries import Account

NAMES = "names"
viewer: ContextVar[Account | None] = ContextVar("viewer", default=None)


def name_shown(name: str) -> str:
    """A person's name as the viewer may see it."""
    return name if _sees_names() else mask_name(name)


def text_shown(text: str, *names: str | None) -> str:
    """What was said or written, without the names in it where the viewer may not see them."""
    if not text or _sees_names():
        return text
    for name in sorted({name for name in names if name and len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, mask_name(name))
    return text


def mask_name(name: str) -> str:
    """张*: the first character, and as many stars as others, three at most."""
    return name[:1] + "*" * min(3, len(name) - 1)


def _sees_names() -> bool:
    account = viewer.get()
    return account is not None and account.may(NAMES)
