"""Shelf: which file a call's script lies in. Published versions are frozen files; else it is the shipped file.

The frozen folder holds `<script>@<number>.yaml`, and `on-air.json`, which says what calls get:
{"<script>": [{"number": 3, "share": 1.0}, …], …}.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from voicebot.domain.script_version import OnAir, Share, chosen

ON_AIR = "on-air.json"
SETTLES_S = 4.0
"""A new version takes calls from then on: the brain has read it and spoken its sentences by that time."""


def frozen_folder(home: Path) -> Path:
    """Where the published versions of an installation lie as files."""
    return home / "scripts"


def freeze(folder: Path, on_air: Iterable[OnAir]) -> None:
    """Write what is on the air into the folder. Files of older versions stay: running calls may need them."""
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[str, list[dict[str, float]]] = {}
    for entry in on_air:
        version = entry.version
        _write(folder / f"{version.script}@{version.number}.yaml", version.frozen or version.source)
        table.setdefault(version.script, []).append({"number": version.number, "share": entry.share})
    _write(folder / ON_AIR, json.dumps(table, indent=1))


def _write(file: Path, text: str) -> None:
    """Whole or not at all; what stands there already is left alone."""
    data = text.encode()
    if file.is_file() and file.read_bytes() == data:
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(file)


class Shelf:
    """Looks at `on-air.json` whenever it is asked; a change counts once it is SETTLES_S old."""

    def __init__(self, shipped: Path, frozen: Path | None = None) -> None:
        self._shipped = shipped
        self._frozen = frozen
        self._stamp = -1
        self._table: Mapping[str, Sequence[Share]] = {}

    def pick(self, script: str, key: str) -> str:
        """The name to load for a call about `key` (case or number): `reminder@3`, or `reminder` as shipped."""
        self._look()
        shares = self._table.get(script, ())
        return f"{script}@{chosen(shares, key)}" if shares else script

    def path(self, name: str) -> Path:
        """The file of a name that `pick` gave; it need not exist."""
        if "@" in name and self._frozen is not None and (self._frozen / f"{name}.yaml").is_file():
            return self._frozen / f"{name}.yaml"
        return self._shipped / f"{name.partition('@')[0]}.yaml"

    def sha256(self, name: str) -> str | None:
        """Of the file; None when there is none."""
        try:
            return hashlib.sha256(self.path(name).read_bytes()).hexdigest()
        except OSError:
            return None

    def names(self) -> list[str]:
        """Everything that a call may be given, now or in a moment."""
        table = _read(self._frozen / ON_AIR) if self._frozen else {}
        published = [f"{script}@{share.number}" for script, shares in table.items() for share in shares]
        return published + sorted(file.stem for file in self._shipped.glob("*.yaml") if file.stem not in table)

    def _look(self) -> None:
        if self._frozen is None:
            return
        try:
            changed = (self._frozen / ON_AIR).stat().st_mtime_ns
        except OSError:
            return
        settled = time.time_ns() - changed > SETTLES_S * 1e9
        if changed != self._stamp and (settled or self._stamp == -1):
            self._stamp, self._table = changed, _read(self._frozen / ON_AIR)


def _read(file: Path) -> Mapping[str, Sequence[Share]]:
    """Empty for anything that is not such a table: the shipped files are there."""
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(script): tuple(Share(int(entry["number"]), float(entry["share"])) for entry in entries)
            for script, entries in table.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
