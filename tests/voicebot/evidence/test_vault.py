"""The vault: nothing at rest is readable without the master key, and no byte of it can be changed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.evidence import bundle as bundles
from voicebot.evidence import vault
from voicebot.evidence.reading import read_audio, read_journal
from voicebot.evidence.signer import Signer
from voicebot.evidence.vault import CHUNK, MAGIC, KeyRing, VaultLocked, load_master, locked, unlocked
from voicebot.evidence.verify import verify_bundle

from .conftest import record

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyRing]:
    """This process has a master key."""
    ring = KeyRing(NEW)
    for module in (vault, bundles):
        monkeypatch.setattr(module, "master_key", lambda: ring)
    yield ring


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]))
def test_what_goes_in_comes_out(size: int) -> None:
    data, ring = os.urandom(size), KeyRing(NEW)
    kept = locked(data, "call:1", ring)
    assert unlocked(kept, ring) == data
    assert size < 16 or data[:16] not in kept
    assert kept != locked(data, "call:1", ring), "a key of its own for each"


def test_every_kind_of_change_is_noticed() -> None:
    ring, dice = KeyRing(NEW), random.Random(1)
    kept = locked(os.urandom(2 * CHUNK + 100), "call:1", ring)
    header = len(MAGIC) + 4 + int.from_bytes(kept[len(MAGIC) : len(MAGIC) + 4], "big")
    places = [*range(len(MAGIC), header), *(dice.randrange(header, len(kept)) for _ in range(60))]
    chunks = [kept[at : at + CHUNK + 16] for at in range(header, len(kept), CHUNK + 16)]
    changed = [kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :] for at in places]
    changed += [kept[:header] + chunks[1] + chunks[0] + chunks[2], kept[:header] + b"".join(chunks[:2]), kept[:header]]
    changed += [kept + b"x", kept[:-1], kept[:header] + b"".join(chunks[1:])]
    for one in changed:
        with pytest.raises(VaultLocked):
            unlocked(one, ring)


def test_master_keys_can_be_changed(tmp_path: Path) -> None:
    kept = locked(b"old call", "call:1", KeyRing(OLD))
    (tmp_path / "key").write_text(f"{NEW.hex()}\n{OLD.hex()}\n")
    ring = load_master(str(tmp_path / "key"))
    assert unlocked(kept, ring) == b"old call" and ring.name == KeyRing(NEW).name
    with pytest.raises(VaultLocked, match="needs master key"):
        unlocked(kept, KeyRing(NEW))


def test_where_a_master_key_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", NEW.hex())
    assert load_master("env:THE_KEY").name == KeyRing(NEW).name
    assert load_master("python:tests.voicebot.evidence.test_vault:device").name == "device"
    for wrong in ("env:NO_KEY", str(tmp_path / "none"), "python:none:none", "python:os:nothing"):
        with pytest.raises(VaultLocked, match="restore"):
            load_master(wrong)
    (tmp_path / "short").write_text("abcd")
    with pytest.raises(VaultLocked, match="32 bytes"):
        load_master(str(tmp_path / "short"))


class _Device:
    """A key that never leaves its device, as one behind PKCS#11."""

    name = "device"

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        return bytes(one ^ 0x55 for one in data_key) + context

    def unwrap(self, name: str, wrapped: bytes, context: bytes) -> bytes:
        if not wrapped.endswith(context):
            raise VaultLocked("another recording's key")
        return bytes(one ^ 0x55 for one in wrapped[:32])


def device() -> _Device:
    return _Device()


def test_a_device_wraps_the_keys() -> None:
    assert unlocked(locked(b"call", "call:1", device()), device()) == b"call"


def test_a_call_is_sealed_into_the_vault(tmp_path: Path, signer: Signer, ring: KeyRing) -> None:
    sealed = record(tmp_path).seal(signer)
    raw = sealed.read_bytes()
    assert raw.startswith(MAGIC) and b"PK\x03\x04" not in raw and "你好".encode() not in raw
    assert verify_bundle(sealed).failures == ()
    assert read_journal(sealed) and len(read_audio(sealed)) == 51 * 160
    assert [path.name for path in sealed.parent.iterdir()] == [sealed.name], "nothing plain is left behind"


def test_without_the_key_a_recording_stays_shut(tmp_path: Path, signer: Signer, ring: KeyRing) -> None:
    sealed = record(tmp_path).seal(signer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "master_key", lambda: None)
        assert [code for code, _ in verify_bundle(sealed).failures] == ["vault_locked"]
        with pytest.raises(VaultLocked, match="VOICEBOT_VAULT_KEY"):
            read_journal(sealed)
