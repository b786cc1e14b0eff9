"""Every failure code that is documented is reached by some change of a sealed call, and none is given that is not."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicebot.evidence.signer import Signer
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip, zip_bytes, zip_local
from voicebot.evidence.verify import verify_bundle

from .conftest import record

ROOT = Path(__file__).parents[3]
Members = dict[str, bytes]


@pytest.fixture
def sealed(tmp_path: Path, signer: Signer) -> Members:
    return unzip(record(tmp_path, "one", ticks=100).seal(signer).read_bytes())[0]


def codes(data: bytes, folder: Path) -> set[str]:
    path = folder / "changed.zip"
    path.write_bytes(data)
    return {code for code, _ in verify_bundle(path).failures}


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Members, Signer], bytes]:
    """A change of the manifest, spelled canonically and signed again by the house itself."""

    def changed(members: Members, signer: Signer) -> bytes:
        document = json.loads(members["manifest.json"])
        change(document)
        body = canonical(document)
        return zip_bytes({**members, "manifest.json": body, "manifest.sig": signer.sign(body)})

    return changed


def torn_line(members: Members, signer: Signer) -> bytes:
    return zip_bytes({**members, "journal.jsonl": members["journal.jsonl"][:-1]})


def no_json(members: Members, signer: Signer) -> bytes:
    return zip_bytes({**members, "manifest.json": b"{"})


def twice(members: Members, signer: Signer) -> bytes:
    body = members["README.txt"]
    local = zip_local("README.txt", zlib.crc32(body), len(body))
    return local + body + zip_bytes(members)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (manifest(lambda document: document.update(call_id="another")), "manifest_figures"),
        (manifest(lambda document: document["chain"].update(rows=99)), "manifest_figures"),
        (manifest(lambda document: document["files"].pop("promise.json")), "manifest_files"),
        (manifest(lambda document: document.update(format="voicebot-evidence-9")), "manifest_format"),
        (no_json, "manifest_unreadable"),
        (torn_line, "content_unreadable"),
        (twice, "zip_duplicate"),
    ],
)
def test_changes_that_no_other_test_makes(
    sealed: Members, signer: Signer, tmp_path: Path, change: Callable[[Members, Signer], bytes], code: str
) -> None:
    assert codes(zip_bytes(sealed), tmp_path) == set()
    assert code in codes(change(sealed, signer), tmp_path)


def test_every_documented_code_is_reached_by_a_test_and_every_code_given_is_documented() -> None:
    table = (ROOT / "docs/reference/evidence.md").read_text(encoding="utf-8").split("## Failure codes")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    given = set()
    for name in ("content", "examine", "proofs", "redacted", "stored_zip", "tampering", "verify"):
        source = (ROOT / f"voicebot/evidence/{name}.py").read_text(encoding="utf-8")
        given |= set(re.findall(r'\(\s*"([a-z]+(?:_[a-z]+)+)", f?"', source))
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    assert {code for code in documented if f'"{code}"' not in tests} == set()
    assert given - documented - {"third_gap"} == set()  # a key beside codes
    assert len(given) > 20, "the codes are no longer found in the source"
