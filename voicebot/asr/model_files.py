"""ModelFiles: where a recogniser's files lie, of which kind they are, and what to do when they are not there."""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("zipformer", "zipformer-ctc", "paraformer", "sense-voice", "whisper")
FACTS = "model.toml"
"""Beside the files of a model: `kind`, and `sample_rate` and `bands` where they are not 16000 and 80."""


class ModelMissingError(FileNotFoundError):
    """A model or the package that runs it is not here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """One model's folder. `sample_rate` in Hz, `bands` of its features."""

    name: str
    folder: Path
    kind: str
    sample_rate: int = 16000
    bands: int = 80

    def one(self, pattern: str) -> Path:
        """The file that matches, an int8 one before others. Raises ModelMissingError."""
        found = sorted(self.folder.glob(pattern), key=lambda path: ("int8" not in path.name, path.name))
        if not found:
            raise ModelMissingError(
                f"{self.folder} holds no {pattern}: the model is incomplete; voicebot models pull {self.name}"
            )
        return found[0]


def find_model(model: str, models: Path) -> ModelFiles:
    """The model of that name below `models`, or the folder `model` itself. Raises ModelMissingError."""
    folder = Path(model) if Path(model).is_dir() else models / model
    if not model or not folder.is_dir():
        raise ModelMissingError(
            f"no model {model!r} below {models}: voicebot models list shows names, voicebot models pull NAME gets one"
        )
    facts = _facts(folder)
    return ModelFiles(folder.name, folder, facts["kind"], facts.get("sample_rate", 16000), facts.get("bands", 80))


def _facts(folder: Path) -> dict[str, Any]:
    """What model.toml says, else what the names of the files tell."""
    try:
        facts: dict[str, Any] = tomllib.loads((folder / FACTS).read_text("utf-8"))
    except FileNotFoundError:
        facts = {"kind": _guess(folder)}
    except (OSError, ValueError) as error:
        raise ModelMissingError(f"{folder / FACTS} can't be read: {error}") from error
    if facts.get("kind") not in KINDS:
        raise ModelMissingError(f"{folder / FACTS}: `kind` must be one of {', '.join(KINDS)}")
    return facts


def _guess(folder: Path) -> str:
    names = " ".join(path.name for path in folder.iterdir())
    if "joiner" in names:
        return "zipformer"
    if "encoder" in names:
        return "paraformer"
    return "whisper" if "model.bin" in names else "sense-voice"


def need(module: str, extra: str) -> Any:
    """Import an optional package. Raises ModelMissingError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelMissingError(
            f"this engine needs the package {module}: install voicebot with its extra, pip install 'voicebot[{extra}]'"
        ) from error
