"""Helm: by its own program where it is installed, else by its library, which a Python package brings along."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

_ABSENT = "!!! NO HELM: the chart is not rendered. Install helm, or: pip install --ignore-requires-python helm-sdkpy"
_HINT = 1
_PROBE = """\
{{- range $path, $_ := .Files.Glob "rendered/*.yaml" }}
{{- fail (tpl ($.Files.Get $path) $) }}
{{- end }}
"""
"""Linting tells on standard error what would have failed: so a library that only lints shows what it rendered."""


def lint(chart: Path) -> list[str]:
    """What Helm has against a chart: errors and warnings."""
    if program := shutil.which("helm"):
        told = _run([program, "lint", str(chart)]).splitlines()
        return [line for line in told if line.startswith(("[WARNING]", "[ERROR]"))]
    return _run([*_library(), "lint", str(chart)]).splitlines()


def render(chart: Path) -> list[dict[str, Any]]:
    """The objects that an installation named `house` would make."""
    if program := shutil.which("helm"):
        text = _run([program, "template", "house", str(chart)])
    else:
        templates = chart / "templates"
        (chart / "rendered").mkdir()
        for file in templates.glob("*.yaml"):
            file.rename(chart / "rendered" / file.name)
        (templates / "probe.yaml").write_text(_PROBE, "utf-8")
        text = _run([*_library(), "render", str(chart)])
    return [one for one in yaml.safe_load_all(text) if one]


@functools.cache
def _library() -> tuple[str, ...]:
    loaded = [sys.executable, "-c", "import helm_sdkpy; helm_sdkpy.get_version()"]
    if subprocess.run(loaded, capture_output=True, check=False, timeout=240).returncode != 0:
        pytest.skip(_ABSENT)
    return (sys.executable, "-m", "tests.deploy.helm")


def _run(command: list[str]) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, cwd=root)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def _by_library(what: str, chart: str) -> None:
    """In a process of its own: Helm's library writes to standard error, and is another runtime beside Python's."""
    import helm_sdkpy

    with tempfile.TemporaryFile() as errors:
        os.dup2(errors.fileno(), 2)
        told = asyncio.run(helm_sdkpy.Lint(helm_sdkpy.Configuration(namespace="default")).run(chart))
        errors.seek(0)
        lines = errors.read().decode("utf-8").splitlines()
    if what == "lint":
        assert told["TotalChartsLinted"] == 1
        for one in told["Messages"]:
            if one["Severity"] > _HINT:
                print(one["Path"], one["Err"])
    else:
        for quoted in re.findall(r'funcMap fail message=(".*")$', "\n".join(lines), re.MULTILINE):
            print("---", json.loads(quoted), sep="\n")


if __name__ == "__main__":
    _by_library(sys.argv[1], sys.argv[2])
