"""Places: where the shipped models and call scripts lie, and the folder of all state."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def _shipped(folder: str) -> Path:
    """A folder that ships with the product: beside the package in a source tree, or where the wheel put it.

    Beside an installed package other people's folders of that name may lie. A wheel's data goes below the prefix that
    holds lib/pythonX.Y/site-packages, which is not sys.prefix for `pip install --user` or `--prefix`.
    """
    package = Path(__file__).resolve().parent
    if (package.parent / "pyproject.toml").is_file():
        return package.parent / folder
    prefixes = [*package.parents[3:4], Path(sys.prefix)]
    places = [prefix / "share" / "voicebot" / folder for prefix in prefixes]
    return next((place for place in places if place.is_dir()), places[-1])


def models_dir() -> Path:
    """Where the embedded models lie."""
    return Path(os.environ.get("VOICEBOT_MODELS") or _shipped("models"))


def pulled_models_dir() -> Path:
    """Where `voicebot models pull` puts the models of others."""
    return Path(os.environ.get("VOICEBOT_HOME") or default_home()).expanduser() / "models"


def intent_model_dir() -> Path:
    """Where the intent model lies: ours, or a folder of transformers named by VOICEBOT_INTENT_MODEL."""
    return Path(os.environ.get("VOICEBOT_INTENT_MODEL") or models_dir())


def scripts_dir() -> Path:
    """Where the call scripts lie."""
    return Path(os.environ.get("VOICEBOT_SCRIPTS") or _shipped("scripts"))


def default_home() -> Path:
    """`~/.voicebot`; for root /var/lib/voicebot, as the embedded PostgreSQL's own user must reach what lies below."""
    return Path("/var/lib/voicebot") if os.geteuid() == 0 else Path("~/.voicebot")
