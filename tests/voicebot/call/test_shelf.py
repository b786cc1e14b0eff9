"""Which file a call's script lies in: shipped ones, published ones, splits, and broken tables."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from voicebot.call.shelf import ON_AIR, Shelf, freeze
from voicebot.domain.script_version import OnAir, ScriptVersion, VersionState, sha256_of

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def version(number: int, text: str) -> ScriptVersion:
    return ScriptVersion("s", number, "source", sha256_of(text), VersionState.PUBLISHED, "w", NOW, frozen=text)


def settle(folder: Path) -> None:
    """Make the table older than the time after which it counts."""
    os.utime(folder / ON_AIR, (1, (folder / ON_AIR).stat().st_size))


def test_without_anything_published_the_shipped_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("shipped")
    shelf = Shelf(tmp_path, tmp_path / "frozen")
    assert shelf.pick("s", "C1") == "s"
    assert (shelf.path("s").read_text(), shelf.sha256("s")) == ("shipped", sha256_of("shipped"))
    assert shelf.sha256("none") is None


def test_a_published_version_is_a_file_of_its_own_and_its_hash_that_of_the_version(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("shipped")
    (tmp_path / "t.yaml").write_text("other")
    freeze(tmp_path / "frozen", [OnAir(version(3, "three"), 1.0)])
    shelf = Shelf(tmp_path, tmp_path / "frozen")
    assert shelf.pick("s", "C1") == "s@3"
    assert shelf.sha256("s@3") == version(3, "three").sha256
    assert shelf.names() == ["s@3", "t"]


def test_a_change_counts_after_a_while_and_running_calls_keep_their_file(tmp_path: Path) -> None:
    freeze(tmp_path, [OnAir(version(1, "one"), 1.0)])
    shelf = Shelf(tmp_path, tmp_path)
    assert shelf.pick("s", "C1") == "s@1"
    freeze(tmp_path, [OnAir(version(2, "two"), 1.0)])
    assert shelf.pick("s", "C1") == "s@1"  # the brain has not read it yet
    settle(tmp_path)
    assert shelf.pick("s", "C1") == "s@2"
    assert shelf.path("s@1").read_text() == "one"


def test_a_split_gives_every_case_one_version_and_each_version_its_part(tmp_path: Path) -> None:
    freeze(tmp_path, [OnAir(version(1, "one"), 0.7), OnAir(version(2, "two"), 0.3)])
    shelf = Shelf(tmp_path, tmp_path)
    picked = [shelf.pick("s", f"C{n}") for n in range(4000)]
    assert picked == [shelf.pick("s", f"C{n}") for n in range(4000)]
    assert 0.27 < picked.count("s@2") / 4000 < 0.33


def test_a_broken_table_leaves_the_shipped_scripts(tmp_path: Path) -> None:
    for text in (
        "",
        "[]",
        '{"s": 3}',
        '{"s": [{"number": 1}]}',
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ):
        (tmp_path / ON_AIR).write_text(text)
        assert Shelf(tmp_path, tmp_path).pick("s", "C1") == "s"
