"""Whatever is changed in a sealed call is found, by us and by the verifier that travels with it."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicebot.evidence.examine import examine
from voicebot.evidence.format import FACT, link
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip, zip_bytes
from voicebot.evidence.verify import verify_bundle, verify_rows

from .conftest import record


def codes(path: Path, key: str | None = None) -> set[str]:
    return {code for code, _ in verify_bundle(path, key).failures}


def standalone(*arguments: Path | str) -> tuple[int, list[dict[str, object]]]:
    """Run the verifier of the first argument's bundle in a bare interpreter."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def unpack(bundle: Path) -> Path:
    folder = bundle.with_suffix("")
    zipfile.ZipFile(bundle).extractall(folder)
    return folder


def faults(data: bytes) -> list[tuple[str, str]]:
    members, failures = unzip(data)
    return failures + examine(members, None, verify_signature)


def test_a_sealed_call_is_valid_everywhere(bundle: Path) -> None:
    folder = unpack(bundle)
    assert verify_bundle(bundle).valid
    assert verify_bundle(folder).valid
    assert standalone(folder / "verify.py", folder, bundle) == (0, [*verify_rows([folder, bundle])])
    assert zipfile.ZipFile(bundle).testzip() is None
    assert sorted(path.name for path in folder.iterdir()) == sorted(zipfile.ZipFile(bundle).namelist())


def _flip_every(data: bytes, step: int) -> None:
    dice = random.Random(1)
    for at in range(dice.randrange(step), len(data), step):
        damaged = bytearray(data)
        damaged[at] ^= 1 << dice.randrange(8)
        assert unzip(bytes(damaged))[1] or faults(bytes(damaged)), f"a flip at byte {at} went unnoticed"


def _flip_every_of_a_folder(data: bytes, step: int) -> None:
    """Without the zip's own frame: sizes, hashes, chains, signatures and proofs alone."""
    members, _ = unzip(data)
    dice = random.Random(2)
    for name, body in members.items():
        for at in range(0, len(body), 1 if name in ("manifest.json", "manifest.sig") else step):
            damaged = bytearray(body)
            damaged[at] ^= 1 << dice.randrange(8)
            assert examine({**members, name: bytes(damaged)}, None, verify_signature), f"{name} byte {at}"


def test_flipped_bytes_are_found(tmp_path: Path, signer: Signer) -> None:
    data = record(tmp_path, ticks=5).seal(signer).read_bytes()
    _flip_every(data, 307)
    _flip_every_of_a_folder(data, 997)


@pytest.mark.slow
def test_every_flipped_byte_is_found(tmp_path: Path, signer: Signer) -> None:
    data = record(tmp_path, ticks=5).seal(signer).read_bytes()
    _flip_every(data, 1)


@pytest.mark.slow
def test_every_flipped_byte_of_an_unpacked_folder_is_found(tmp_path: Path, signer: Signer) -> None:
    data = record(tmp_path, ticks=5).seal(signer).read_bytes()
    _flip_every_of_a_folder(data, 1)


@pytest.mark.slow
def test_ten_thousand_random_changes_of_a_long_call_are_found(tmp_path: Path, signer: Signer) -> None:
    data, dice = record(tmp_path, ticks=1500).seal(signer).read_bytes(), random.Random(4)
    for _ in range(10_000):
        assert faults(_changed(data, dice))


def _changed(data: bytes, dice: random.Random) -> bytes:
    """One random change: a flip, a cut, something put in, two pieces exchanged, a piece repeated."""
    one, length = dice.randrange(len(data) - 4000), dice.randrange(1, 2000)
    piece = data[one : one + length]
    match dice.randrange(5):
        case 0:
            return data[:one] + bytes([data[one] ^ 1 << dice.randrange(8)]) + data[one + 1 :]
        case 1:
            return data[:one] + data[one + length :]
        case 2:
            return data[:one] + dice.randbytes(length) + data[one:]
        case 3:
            other = dice.randrange(one + length, len(data) - length + 1) if one + 2 * length < len(data) else one
            swapped = data[:one] + data[other : other + length] + data[one + length : other] + piece
            changed = swapped + data[other + length :]
            return changed if other > one and changed != data else data[:-1]
        case _:
            return data[: one + length] + piece + data[one + length :]


def test_both_verifiers_agree_on_damage(bundle: Path, tmp_path: Path) -> None:
    folder, data, dice = unpack(bundle), bundle.read_bytes(), random.Random(3)
    broken = []
    for number in range(20):
        damaged = bytearray(data)
        damaged[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        broken.append(tmp_path / f"broken-{number}.zip")
        broken[-1].write_bytes(damaged)
    assert standalone(folder / "verify.py", *broken) == (1, list(verify_rows(broken)))


def test_every_truncation_and_addition_is_found(bundle: Path) -> None:
    data = bundle.read_bytes()
    for size in [*range(200), *range(200, len(data), 997), len(data) - 1]:
        assert faults(data[:size]), f"cut at {size}"
    assert faults(data + b"\0") and faults(b"\0" + data)


def _write(members: dict[str, bytes], path: Path) -> Path:
    path.write_bytes(zip_bytes(members))
    return path


def _rename(members: dict[str, bytes]) -> None:
    members["sound.wav"] = members.pop("audio.wav")


def _swap_channels(members: dict[str, bytes]) -> None:
    wav = bytearray(members["audio.wav"])
    wav[44::4], wav[46::4] = wav[46::4], wav[44::4]
    members["audio.wav"] = bytes(wav)


def _drop_fact(members: dict[str, bytes]) -> None:
    lines = members["journal.jsonl"].splitlines(keepends=True)
    members["journal.jsonl"] = b"".join(lines[:1] + lines[2:])


def _swap_seconds(members: dict[str, bytes]) -> None:
    lines = members["chain.jsonl"].splitlines(keepends=True)
    members["chain.jsonl"] = b"".join([lines[0], lines[2], lines[1], *lines[3:]])


def _shorten(members: dict[str, bytes]) -> None:
    members["audio.wav"] = members["audio.wav"][:-640]


def _prettify(members: dict[str, bytes]) -> None:
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]), indent=1).encode()


Damage = Callable[[dict[str, bytes]], object]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda members: members.pop("audio.wav"), {"file_missing"}),
        (lambda members: members.update({"more.txt": b""}), {"file_extra"}),
        (_rename, {"file_missing", "file_extra"}),
        (_swap_channels, {"audio_altered", "hash_mismatch"}),
        (_drop_fact, {"journal_broken", "hash_mismatch"}),
        (_swap_seconds, {"chain_broken", "hash_mismatch"}),
        (_shorten, {"audio_length", "audio_header", "hash_mismatch"}),
        (_prettify, {"manifest_not_canonical", "signature_bad"}),
        (lambda members: members.update({"key.json": b"{}"}), {"signature_bad", "hash_mismatch"}),
    ],
)
def test_each_kind_of_damage_has_its_code(bundle: Path, damage: Damage, expected: set[str]) -> None:
    members, _ = unzip(bundle.read_bytes())
    damage(members)
    found = codes(_write(members, bundle))
    assert expected <= found
    assert "zip_altered" not in found, "the zip itself is well made"


def test_damage_is_located(bundle: Path) -> None:
    members, _ = unzip(bundle.read_bytes())
    wav = bytearray(members["audio.wav"])
    wav[44 + 32000 + 2] ^= 1  # the first sample of the callee in second 1
    lines = members["journal.jsonl"].splitlines(keepends=True)
    lines[1] = lines[1].replace("你好".encode(), "您好".encode())
    damaged = {**members, "audio.wav": bytes(wav), "journal.jsonl": b"".join(lines)}
    whats = [what for _, what in verify_bundle(_write(damaged, bundle)).failures]
    assert any("second 1, right channel" in what for what in whats)
    assert any(what.startswith("line 2 ") for what in whats)


def test_a_bundle_signed_by_a_stranger_is_found_by_log_and_pin(bundle: Path, signer: Signer) -> None:
    """Integrity comes from the bundle, identity from the pinned key."""
    members, _ = unzip(bundle.read_bytes())
    stranger = Signer(Ed25519PrivateKey.generate())
    manifest = json.loads(members["manifest.json"])
    manifest["key_id"] = stranger.key_id
    members["key.json"] = stranger.key_document()
    manifest["files"]["key.json"] = {
        "size": len(members["key.json"]),
        "sha256": hashlib.sha256(members["key.json"]).hexdigest(),
    }
    members["manifest.json"] = canonical(manifest)
    members["manifest.sig"] = stranger.sign(members["manifest.json"])
    assert codes(bundle, signer.public.hex()) == set()
    assert codes(_write(members, bundle)) == {"key_mismatch", "resigned"}, "the log holds the true one"
    assert codes(bundle, signer.public.hex()) == {"key_mismatch", "resigned", "key_untrusted"}
    members["key.json"] = signer.key_document()
    assert {"key_mismatch", "signature_bad"} <= codes(_write(members, bundle))


def test_a_fact_from_another_call_does_not_fit(tmp_path: Path, signer: Signer) -> None:
    one, other = (unzip(record(tmp_path, name).seal(signer).read_bytes())[0] for name in ("one", "other"))
    mixed = {**one, "journal.jsonl": other["journal.jsonl"]}
    assert {"journal_broken", "hash_mismatch"} <= codes(_write(mixed, tmp_path / "mixed.zip"))


def test_a_rewritten_journal_is_not_covered_by_the_chain(bundle: Path) -> None:
    """Somebody recomputes the journal's hashes: the rows of the chain still remember the true heads."""
    members, _ = unzip(bundle.read_bytes())
    previous = bytes.fromhex(json.loads(members["chain.jsonl"].splitlines()[0])["hash"])
    lines = []
    for line in members["journal.jsonl"].splitlines():
        row = json.loads(line)
        row.pop("hash")
        row["at"] = row["at"].replace("2026", "2025")
        previous = link(FACT, previous, row)
        lines.append(canonical({**row, "hash": previous.hex()}) + b"\n")
    found = verify_bundle(_write({**members, "journal.jsonl": b"".join(lines)}, bundle)).failures
    assert any(code == "journal_broken" and "second 0" in what for code, what in found)


def test_foreign_zips_and_other_things_are_judged_not_raised(tmp_path: Path, bundle: Path) -> None:
    repacked, directory = tmp_path / "repacked.zip", unpack(bundle)
    shutil.make_archive(str(repacked.with_suffix("")), "zip", directory)
    assert {"zip_malformed", "zip_altered"} & codes(repacked)
    (tmp_path / "empty.zip").write_bytes(b"")
    assert codes(tmp_path / "empty.zip") and codes(tmp_path / "absent.zip") == {"unreadable"}
    (directory / "nested").mkdir()
    assert codes(directory) == {"file_extra"}


@pytest.mark.parametrize(
    "document", [b"null", b"[]", b"{}", b'{"hash":1}', b"\xff", b"[" * 100_000, b'"x"\n']
)
@pytest.mark.parametrize("name", ["manifest.json", "key.json", "chain.jsonl", "journal.jsonl"])
def test_any_json_gives_a_verdict(bundle: Path, name: str, document: bytes) -> None:
    members, _ = unzip(bundle.read_bytes())
    assert codes(_write({**members, name: document}, bundle))
