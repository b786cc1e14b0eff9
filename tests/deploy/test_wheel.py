"""Wheel: built from the sdist, it holds all that runs, and runs outside any checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PARTS = ("voicebot", "sip", "scripts", "models", "deploy", "docs")
FILES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "Makefile")
_LEAVE = shutil.ignore_patterns("__pycache__", "*.pyc", "images", "*.egg-info")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, by way of the sdist, from a copy: nothing is left in the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, source / part, ignore=_LEAVE)
    for file in FILES:
        shutil.copy(REPOSITORY / file, source)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert len(list(out.glob("*.tar.gz"))) == 1
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody who installed the wheel; what it needs comes from this environment."""
    prefix = tmp_path_factory.mktemp("prefix")
    alone = ["--no-deps", "--no-index", "--ignore-installed", "--no-compile", "--prefix", str(prefix)]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *alone, str(wheel)], check=True, timeout=200)
    places = sysconfig.get_path("purelib", "posix_prefix", vars={"base": str(prefix), "platbase": str(prefix)})
    (Path(places) / "scripts").mkdir()  # somebody else's folder of that name lies beside us
    (Path(places) / "models").mkdir()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("VOICEBOT_")}
    yield bare | {"PYTHONPATH": places, "PREFIX": str(prefix)}


def test_it_holds_every_file_of_the_packages_and_what_lies_beside_them(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = [path for part in ("voicebot", "sip") for path in (REPOSITORY / part).rglob("*") if path.is_file()]
    names = {str(path.relative_to(REPOSITORY)) for path in ours if "__pycache__" not in path.parts}
    assert {name for name in names - held if not name.endswith(".pyc")} == set()
    shared = {name.partition("/share/voicebot/")[2] for name in held}
    for part in ("scripts/*.yaml", "models/*.onnx", "models/*.npz", "models/SHA256SUMS", "deploy/systemd/*",
                 "deploy/prometheus/*", "deploy/grafana/*", "deploy/container/*"):  # fmt: skip
        wanted = {str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob(part)}
        assert wanted and wanted <= shared, wanted - shared
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/", "scripts/")) for name in held)


def test_it_runs_without_a_checkout(installed: dict[str, str], tmp_path: Path) -> None:
    asked = "import voicebot.config as c; print(c.__file__, c.scripts_dir(), c.models_dir(), sep='\\n')"
    for line in _said(installed, tmp_path, "-c", asked).split():
        assert line.startswith(installed["PREFIX"]), line
    assert "VOICEBOT_HOME" in _said(installed, tmp_path, "-m", "voicebot.cli", "settings", "reference")


def test_the_doctor_finds_models_scripts_and_engines_in_it(installed: dict[str, str], tmp_path: Path) -> None:
    away = {"VOICEBOT_DATABASE_URL": "postgresql://127.0.0.1:9/none", "VOICEBOT_HOME": str(tmp_path / "home")}
    free = {"VOICEBOT_SIP_LISTEN": "127.0.0.1:0", "VOICEBOT_HTTP_LISTEN": "127.0.0.1:0"}
    told = json.loads(_said(installed | away | free, tmp_path, "-m", "voicebot.cli", "doctor", "--json", rc=1))
    found = {row["check"]: row for row in told["findings"]}
    for check in ("models", "scripts", "engines", "calendar", "audio"):
        assert found[check]["health"] != "fail", found[check]
    assert installed["PREFIX"] in found["models"]["said"] and installed["PREFIX"] in found["scripts"]["said"]
    assert found["database"]["health"] == "fail" and "VOICEBOT_DATABASE_URL" in found["database"]["remedy"]


def _said(environment: dict[str, str], folder: Path, *arguments: str, rc: int = 0) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == rc, done.stderr[-2000:]
    return done.stdout
