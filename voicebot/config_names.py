"""Names of settings: which variables and keys there are, and which one was meant by a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

PREFIX = "VOICEBOT_"

ELSEWHERE: Mapping[str, str] = {
    "VOICEBOT_CONFIG": "TOML file with settings; `--config` beats it",
    "VOICEBOT_MODELS": "Folder of the models, where it is not the shipped one",
    "VOICEBOT_INTENT_MODEL": "Folder of another intent model",
    "VOICEBOT_SCRIPTS": "Folder of call scripts, where it is not the shipped one",
    "VOICEBOT_TRAIN_DIR": "Where training keeps its sound and checkpoints",
}
"""Variables that are read before there are settings, or only by training; they have no key in the file."""


def strangers(environ: Iterable[str], keys: Iterable[str], fields: Iterable[str]) -> list[str]:
    """One line for each VOICEBOT_… variable and each key of the settings file that nobody reads.

    `fields` are the names of Settings. A secret named in a trunk file may be any variable: hence told, never refused.
    """
    variables = {f"{PREFIX}{name.upper()}" for name in fields} | set(ELSEWHERE)
    told = [
        f"{name} is no setting and is not read{_meant(name.upper(), variables)}"
        for name in sorted(environ)
        if name.upper().startswith(PREFIX) and name.upper() not in variables
    ]
    names = set(fields)
    return told + [
        f"{key} is no setting and is not read from the settings file{_meant(key.lower(), names)}"
        for key in keys
        if key.lower() not in names
    ]


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""
