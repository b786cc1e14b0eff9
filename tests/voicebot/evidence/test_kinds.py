"""Each kind of tampering has a failure code of its own, beside those that say what no longer fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicebot.evidence.examine import examine
from voicebot.evidence.format import FACT, link, wav_header
from voicebot.evidence.notary import sign_head
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip

from .conftest import START, record

Members = dict[str, bytes]
SECOND = 32000


@pytest.fixture
def sealed(tmp_path: Path, signer: Signer) -> Members:
    return unzip(record(tmp_path, "one", ticks=200).seal(signer).read_bytes())[0]


@pytest.fixture
def other(tmp_path: Path, signer: Signer) -> Members:
    return unzip(record(tmp_path, "other", ticks=200).seal(signer).read_bytes())[0]


def codes(members: Members, key: str | None = None) -> set[str]:
    return {code for code, _ in examine(members, key, verify_signature)}


def seconds(members: Members) -> list[bytes]:
    sound = members["audio.wav"][44:]
    return [sound[at : at + SECOND] for at in range(0, len(sound), SECOND)]


def with_sound(members: Members, *parts: bytes) -> Members:
    sound = b"".join(parts)
    return {**members, "audio.wav": wav_header(len(sound)) + sound}


def lines(members: Members) -> list[bytes]:
    return members["journal.jsonl"].splitlines(keepends=True)


def test_untouched(sealed: Members) -> None:
    assert codes(sealed) == set()


def test_a_flipped_bit_of_sound(sealed: Members) -> None:
    wav = bytearray(sealed["audio.wav"])
    wav[44 + SECOND + 7] ^= 1
    assert codes({**sealed, "audio.wav": bytes(wav)}) == {"audio_altered", "hash_mismatch"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: with_sound(one, *seconds(one)[:2], seconds(one)[3]), "audio_cut"),
        (lambda one: with_sound(one, *seconds(one)[:3]), "audio_cut"),
        (lambda one: with_sound(one, seconds(one)[1], seconds(one)[0], *seconds(one)[2:]), "audio_reordered"),
        (lambda one: with_sound(one, *seconds(one), seconds(one)[0]), "audio_spliced"),
    ],
)
def test_seconds_cut_and_put_in_another_order(sealed: Members, change: Callable[[Members], Members], code: str) -> None:
    assert {code, "hash_mismatch"} <= codes(change(sealed))


def test_seconds_of_another_call_put_in(sealed: Members, other: Members) -> None:
    ours, theirs = seconds(sealed), seconds(other)
    assert "audio_spliced" in codes(with_sound(sealed, ours[0], theirs[1], theirs[2], ours[3]))


def test_channels_exchanged(sealed: Members) -> None:
    samples = np.frombuffer(sealed["audio.wav"][44:], "<i2").reshape(-1, 2)
    assert "channels_swapped" in codes(with_sound(sealed, samples[:, ::-1].tobytes()))


def test_sound_made_anew_at_another_rate(sealed: Members) -> None:
    samples = np.frombuffer(sealed["audio.wav"][44:], "<i2").reshape(-1, 2)
    twice = np.repeat(samples, 2, axis=0).tobytes()
    assert "audio_resampled" in codes(with_sound(sealed, twice)), "the header says what it always said"
    header = bytearray(wav_header(len(twice)))
    header[24:32] = (16000).to_bytes(4, "little") + (64000).to_bytes(4, "little")
    assert "audio_resampled" in codes({**sealed, "audio.wav": bytes(header) + twice})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda found: [*found[:2], *found[3:]], "journal_cut"),
        (lambda found: found[:-1], "journal_cut"),
        (lambda found: [found[1], found[0], *found[2:]], "journal_reordered"),
        (lambda found: [*found, found[-1]], "journal_repeated"),
    ],
)
def test_lines_of_the_journal(sealed: Members, change: Callable[[list[bytes]], list[bytes]], code: str) -> None:
    changed = {**sealed, "journal.jsonl": b"".join(change(lines(sealed)))}
    assert {code, "journal_broken", "hash_mismatch"} <= codes(changed)


def test_a_journal_of_another_call(sealed: Members, other: Members) -> None:
    assert "spliced" in codes({**sealed, "journal.jsonl": other["journal.jsonl"]})


def test_a_whole_recording_of_another_call_under_this_manifest(sealed: Members, other: Members) -> None:
    taken = ("audio.wav", "chain.jsonl", "journal.jsonl")
    assert {"replayed", "hash_mismatch"} <= codes({**sealed, **{name: other[name] for name in taken}})


def test_a_manifest_replayed_over_another_call(sealed: Members, other: Members) -> None:
    mixed = {**other, **{name: sealed[name] for name in ("manifest.json", "manifest.sig", "key.json", "proof.json")}}
    assert "replayed" in codes(mixed)


def test_a_file_renamed(sealed: Members) -> None:
    renamed = dict(sealed)
    renamed["sound.wav"] = renamed.pop("audio.wav")
    assert {"file_renamed", "file_missing", "file_extra"} <= codes(renamed)


def _signed_again(members: Members, signer: Signer) -> Members:
    """Somebody with all our code, and a key, changes the journal and makes every hash and signature anew."""
    changed, head = dict(members), json.loads(members["chain.jsonl"].splitlines()[0])["hash"]
    rows, previous = [], bytes.fromhex(head)
    for line in members["journal.jsonl"].splitlines():
        row = json.loads(line)
        row.pop("hash")
        row["data"] = {**row["data"], "text": "好的"}
        previous = link(FACT, previous, row)
        rows.append(canonical({**row, "hash": previous.hex()}) + b"\n")
    changed["journal.jsonl"], changed["key.json"] = b"".join(rows), signer.key_document()
    manifest = json.loads(changed["manifest.json"])
    manifest["key_id"] = signer.key_id
    for name in ("journal.jsonl", "key.json"):
        body = changed[name]
        manifest["files"][name] = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    changed["manifest.json"] = canonical(manifest)
    return {**changed, "manifest.sig": signer.sign(changed["manifest.json"])}


def test_signed_again_by_a_stranger(sealed: Members, signer: Signer) -> None:
    forged = _signed_again(sealed, Signer(Ed25519PrivateKey.generate()))
    assert {"resigned", "key_mismatch"} <= codes(forged)
    assert "key_untrusted" in codes(forged, signer.public.hex())


def test_signed_again_with_our_own_key(sealed: Members, signer: Signer) -> None:
    """An insider has the key, but not the past: the log holds the first manifest."""
    assert "resigned" in codes(_signed_again(sealed, signer))


def _proof_of(members: Members, signer: Signer, **changes: object) -> Members:
    proof = {**json.loads(members["proof.json"]), **changes}
    proof.pop("signature")
    return {**members, "proof.json": canonical({**proof, "signature": signer.sign(canonical(proof)).hex()})}


def test_a_log_rolled_back(sealed: Members, tmp_path: Path) -> None:
    """A head from before the call, signed by the same key."""
    signer = Signer.load_or_create(tmp_path / "keys")
    first = record(tmp_path, "first", ticks=1).seal(signer)
    before = json.loads(unzip(first.read_bytes())[0]["proof.json"])
    second = unzip(record(tmp_path, "second", ticks=1).seal(signer).read_bytes())[0]
    old = {name: before[name] for name in ("head", "head_signature")}
    assert codes(_proof_of(second, signer, **old)) == {"log_rolled_back"}


def test_a_log_forked(tmp_path: Path) -> None:
    """An insider makes another log, with this call in it, and a head signed by the true key."""
    signer = Signer.load_or_create(tmp_path / "keys")
    record(tmp_path, "first", ticks=1).seal(signer)
    second = unzip(record(tmp_path, "second", ticks=1).seal(signer).read_bytes())[0]
    level = signer.log.folder / "levels" / "0"
    level.write_bytes(bytes(32) + level.read_bytes()[32:])
    (signer.log.folder / "levels" / "1").unlink()
    head = sign_head(signer, START)
    inclusion = [one.hex() for one in signer.log.inclusion(1, 2)]
    consistency = [one.hex() for one in signer.log.consistency(1, 2)]
    forged = _proof_of(second, signer, **head, inclusion=inclusion, consistency=consistency)
    assert codes(forged) == {"log_forked"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"inclusion": []}, "inclusion_bad"),
        ({"inclusion": ["00" * 32]}, "inclusion_bad"),
        ({"head_signature": "00" * 64}, "head_signature_bad"),
        ({"keys": []}, "key_history_bad"),
    ],
)
def test_parts_of_the_proof(tmp_path: Path, change: dict[str, object], code: str) -> None:
    signer = Signer.load_or_create(tmp_path / "keys")
    record(tmp_path, "first", ticks=1).seal(signer)
    second = unzip(record(tmp_path, "second", ticks=1).seal(signer).read_bytes())[0]
    assert code in codes(_proof_of(second, signer, **change))


def test_a_proof_of_another_call(sealed: Members, other: Members) -> None:
    assert "resigned" in codes({**sealed, "proof.json": other["proof.json"]})


def test_a_proof_of_another_installation(sealed: Members, tmp_path: Path) -> None:
    stranger = Signer.load_or_create(tmp_path / "stranger" / "keys")
    theirs = unzip(record(tmp_path / "stranger", "one", ticks=200).seal(stranger).read_bytes())[0]
    assert {"log_foreign", "key_mismatch"} <= codes({**sealed, "proof.json": theirs["proof.json"]})
