"""The published schema takes what the compiler takes, and refuses what its reader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from voicebot.config import scripts_dir
from voicebot.dialog.catalogue import catalogue
from voicebot.dialog.json_schema import schema, schema_text

DOCS = Path(__file__).parents[3] / "docs" / "reference"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def plain(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_the_published_schema_is_this_one() -> None:
    published = (DOCS / "script.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "voicebot script schema > docs/reference/script.schema.json"
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("file", sorted(scripts_dir().glob("**/*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_script_fits(file: Path) -> None:
    assert [e.message for e in VALIDATOR.iter_errors(plain(file.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "code",
    ["schema", "unknown-key", "unknown-kind", "unknown-topic", "unknown-type", "unknown-intent", "unknown-effect"],
)
def test_misspelt_words_do_not_fit_and_mended_ones_do(code: str) -> None:
    bad, mended = catalogue()[code].scripts()
    assert not VALIDATOR.is_valid(plain(bad)) and VALIDATOR.is_valid(plain(mended))
