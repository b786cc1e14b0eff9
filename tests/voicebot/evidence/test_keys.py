"""Key history: rotation, endorsement, periods; old calls stay valid and old pins stay true."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from voicebot.evidence.bundle import seal_folder
from voicebot.evidence.examine import examine
from voicebot.evidence.keys import history_fault
from voicebot.evidence.recorder import write_wav_headers
from voicebot.evidence.signer import KEY_FILE, NEXT_KEY_FILE, Signer, verify_signature
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip, zip_bytes
from voicebot.evidence.verify import verify_bundle

from .conftest import START, record

LATER = START + dt.timedelta(days=30)


def codes(path: Path, key: str | None = None) -> set[str]:
    return {code for code, _ in verify_bundle(path, key).failures}


def test_a_rotated_key_descends_from_the_published_one(tmp_path: Path) -> None:
    first = Signer.load_or_create(tmp_path / "keys")
    old = record(tmp_path, "old", ticks=1).seal(first)
    second = first.rotate(LATER)
    third = second.rotate(LATER + dt.timedelta(days=1))
    recorder = record(tmp_path, "new", ticks=1)
    recorder._closed = True
    recorder._hand_over_second()
    recorder._files.finish()
    write_wav_headers(recorder.folder)
    new = seal_folder(recorder.folder, first, LATER + dt.timedelta(days=2))
    recorder._files.close()
    assert json.loads(unzip(new.read_bytes())[0]["key.json"])["key_id"] == third.key_id, "a running process notices"
    for pin in (first, second, third):
        assert codes(new, pin.public.hex()) == set()
    assert codes(old, first.public.hex()) == set()
    assert codes(old, third.public.hex()) == {"key_untrusted"}, "what comes later vouches for nothing earlier"


def test_a_key_counts_only_in_its_time(tmp_path: Path) -> None:
    first = Signer.load_or_create(tmp_path / "keys")
    second = first.rotate(LATER)
    early = record(tmp_path, "early", ticks=1).seal(second)
    assert codes(early) == {"key_period"}
    assert Signer.load_or_create(tmp_path / "keys").key_id == second.key_id


def test_a_rotation_that_was_killed_is_finished(tmp_path: Path) -> None:
    first = Signer.load_or_create(tmp_path / "keys")
    old_pem = (tmp_path / "keys" / KEY_FILE).read_bytes()
    second = first.rotate(LATER)
    (tmp_path / "keys" / KEY_FILE).rename(tmp_path / "keys" / NEXT_KEY_FILE)
    (tmp_path / "keys" / KEY_FILE).write_bytes(old_pem)
    assert Signer.load_or_create(tmp_path / "keys").key_id == second.key_id


def test_no_entry_of_a_history_can_be_changed(tmp_path: Path) -> None:
    signer = Signer.load_or_create(tmp_path / "keys").rotate(LATER).rotate(LATER + dt.timedelta(days=1))
    assert history_fault(signer.history, verify_signature) is None
    changes = (("from", "2020-01-01T00:00:00.000+00:00"), ("endorsement", "00" * 64), ("key_id", "0" * 16))
    for number in range(1, 3):
        for name, value in changes:
            changed = [dict(entry) for entry in signer.history]
            changed[number][name] = value
            assert history_fault(changed, verify_signature), f"key {number + 1}: {name}"
    assert history_fault(signer.history[1:], verify_signature) and history_fault([], verify_signature)


def test_a_stranger_cannot_join_a_history(tmp_path: Path) -> None:
    ours = Signer.load_or_create(tmp_path / "ours" / "keys")
    theirs = Signer.load_or_create(tmp_path / "theirs" / "keys")
    bundle = record(tmp_path, "theirs", ticks=1).seal(theirs)
    members, _ = unzip(bundle.read_bytes())
    entry = {**theirs.history[0], "from": "2026-01-01T00:00:00.000+00:00", "endorsement": "11" * 64}
    key = {**json.loads(members["key.json"]), "history": [ours.history[0], entry]}
    bundle.write_bytes(zip_bytes({**members, "key.json": canonical(key)}))
    assert "key_history_bad" in codes(bundle, ours.public.hex())


def test_the_first_format_is_still_verified() -> None:
    """Sealed by the first version: other spelling of numbers, no log."""
    bundle = Path(__file__).parent / "data" / "first-format.zip"
    assert codes(bundle) == set()
    data = bytearray(bundle.read_bytes())
    data[data.index(b'"large":1e+16') + 8] ^= 1
    assert {"zip_altered"} < {code for code, _ in _faults(bytes(data))}


def _faults(data: bytes) -> list[tuple[str, str]]:
    members, failures = unzip(data)
    return failures + examine(members, None, verify_signature)
