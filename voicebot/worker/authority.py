"""Authority: what the bot may grant in this installation, put into the facts of each call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from voicebot.domain.case import Case
from voicebot.domain.offers import BOT_AUTHORITIES, GRANTED, BotAuthority, bot_authorities_from, offers_for

log = structlog.get_logger(__name__)
AUTHORITY_FILE = "authority.json"


def load_bot_authorities(home: Path) -> Sequence[BotAuthority]:
    """The bot's rows of the installation's table, the shipped ones where there is none; nothing from a broken one."""
    path = home / AUTHORITY_FILE
    try:
        return bot_authorities_from(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return BOT_AUTHORITIES
    except (OSError, ValueError) as wrong:  # PlanError and what json raises are ValueErrors
        log.error("the bot may grant nothing: mend the table of authority", file=str(path), reason=str(wrong))
        return ()


def granted(case: Case | None, table: Sequence[BotAuthority]) -> Mapping[str, str]:
    """What goes into `CallFacts.extra` of a call about `case`."""
    return {GRANTED: offers_for(case, table).to_json()} if case else {}
