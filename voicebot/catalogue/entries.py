"""The catalogue: models/models.toml as values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

CATALOGUE_NAME = "models.toml"


class CatalogueError(ValueError):
    """The catalogue can't be used, or has no such model; the message says what to do."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: int | None = None
    sha256: str | None = None
    about: bool = False


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    engine: str
    kind: str
    title: str
    licence: str
    page: str
    base: str
    files: list[_File]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. `size` in bytes where it is known exactly, `roughly` where only about."""

    name: str
    url: str
    size: int | None
    roughly: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model. `engine` is what runs it (sherpa, whisper, piper), `kind` its family."""

    name: str
    engine: str
    kind: str
    title: str
    licence: str
    page: str
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes, as far as they are known."""
        return sum(file.size or file.roughly or 0 for file in self.files)


def read_catalogue(path: Path) -> dict[str, Entry]:
    """All models by name. Raises CatalogueError."""
    try:
        rows = TypeAdapter(dict[str, _Model]).validate_python(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValidationError, ValueError) as error:
        raise CatalogueError(f"{path}: not a catalogue of models: {error}") from error
    return {name: _entry(name, row) for name, row in rows.items()}


def entry_of(catalogue: dict[str, Entry], name: str) -> Entry:
    """Raises CatalogueError, with the names there are."""
    if name not in catalogue:
        raise CatalogueError(f"no model {name!r} in the catalogue; there are: {', '.join(sorted(catalogue))}")
    return catalogue[name]


def _entry(name: str, row: _Model) -> Entry:
    files = tuple(
        ModelFile(
            file.name,
            f"{row.base}/{file.name}",
            None if file.about else file.size,
            file.size if file.about else None,
            file.sha256,
        )
        for file in row.files
    )
    return Entry(name, row.engine, row.kind, row.title, row.licence, row.page, files)
