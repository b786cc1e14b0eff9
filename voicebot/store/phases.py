"""Phases of migrations: what widens the tables before workers change, and what narrows them after all have changed.

`before` (expand) leaves everything that older workers read and write as it was; it may run while they do. `after`
(contract) takes away what only they used; it waits until none is left. History stays one line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from alembic.config import Config
from alembic.script import Script, ScriptDirectory

Phase = Literal["before", "after"]

_FOLDER = Path(__file__).parent / "migrations"
_CLASSED: dict[str, Phase] = {
    # Those that say nothing themselves: made before the phases were.
    "0001": "before",
    "0002": "before",
    "0003": "before",
    "0004": "after",  # makes wrapups unique
    "0005": "before",
    "0006": "before",
    "0007": "before",
    "0008": "before",
    "0009": "before",
    "0010": "before",
    "0011": "after",  # takes away the key by which messages were written
    "0013": "after",  # cases must tell what was billed
    "0014": "before",
    "0015": "before",
    "0016": "before",
    "0018": "before",
    "0019": "before",
    "0020": "before",
    "0021": "before",  # takes an index away: older workers are slower, not wrong
}


def configured() -> Config:
    """Alembic's configuration, without a connection."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def in_order() -> list[tuple[str, Phase]]:
    """All migrations with their phases, oldest first."""
    scripts = list(ScriptDirectory.from_config(configured()).walk_revisions())
    return [(script.revision, phase_of(script)) for script in reversed(scripts)]


def newest() -> str:
    """The newest migration that this version of the program knows."""
    return in_order()[-1][0]


def phase_of(script: Script) -> Phase:
    """What a migration says of itself, or the table above says of it. ValueError: neither does."""
    told = getattr(script.module, "phase", None) or _CLASSED.get(script.revision)
    if told == "before":
        return "before"
    if told == "after":
        return "after"
    raise ValueError(f'migration {script.revision}: write phase = "before" or phase = "after" under depends_on')
