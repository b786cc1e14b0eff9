"""Time-stamps over the log: a real authority (openssl), queued while it is away, checked by openssl too."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicebot.domain.clock import FixedClock
from voicebot.evidence.der import read_token
from voicebot.evidence.export import export_bundle
from voicebot.evidence.reading import read_member
from voicebot.evidence.signer import Signer
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip, zip_bytes
from voicebot.evidence.verify import verify_bundle
from voicebot.evidence.witness import TimeStampAuthority, WitnessAway, Witnessing, load_witness

from .authority import Authority, serving
from .conftest import START, record


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def url(authority: Authority) -> Iterator[str]:
    authority.away = False
    with serving(authority) as where:
        yield where


async def test_a_call_is_stamped_once_the_authority_is_back(tmp_path: Path, authority: Authority, url: str) -> None:
    signer = Signer.load_or_create(tmp_path / "keys")
    bundle = record(tmp_path, ticks=5).seal(signer)
    witnessing = Witnessing(signer, [TimeStampAuthority(url, authority.roots)], FixedClock(START))
    authority.away = True
    assert await witnessing.round() == 0 and witnessing.waiting == (url,)
    assert not json.loads(export_bundle(bundle, signer, tmp_path / "without.zip").read_member("proof.json"))[
        "timestamps"
    ]
    record(tmp_path, "call-2", ticks=5).seal(signer)
    authority.away, asked = False, authority.asked
    assert await witnessing.round() == 1 and witnessing.waiting == ()
    assert await witnessing.round() == 0 and authority.asked == asked + 1, "one token covers both calls"

    stamped = export_bundle(bundle, signer, tmp_path / "stamped.zip").path
    assert verify_bundle(stamped).failures == ()
    proof = json.loads(read_member(stamped, "proof.json"))
    assert proof["head"]["size"] == 2 and [entry["authority"] for entry in proof["timestamps"]] == [url]
    _openssl_agrees(tmp_path, proof, authority)


def _openssl_agrees(folder: Path, proof: dict[str, object], authority: Authority) -> None:
    """The way README.txt describes."""
    (folder / "head").write_bytes(canonical(proof["head"]))
    (entry,) = proof["timestamps"]  # type: ignore[misc]
    (folder / "token").write_bytes(base64.b64decode(entry["token"]))
    command = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        "head",
        "-in",
        "token",
        "-token_in",
        "-CAfile",
        str(authority.roots),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "OK" in done.stdout + done.stderr


async def test_every_changed_byte_of_a_token_is_found(tmp_path: Path, authority: Authority, url: str) -> None:
    """Some bits of a token are signed by nobody; our own signature over the proof covers them."""
    signer = Signer.load_or_create(tmp_path / "keys")
    bundle = record(tmp_path, ticks=1).seal(signer)
    await Witnessing(signer, [TimeStampAuthority(url)], FixedClock(START)).round()
    members, _ = unzip(export_bundle(bundle, signer, tmp_path / "stamped.zip").path.read_bytes())
    proof = json.loads(members["proof.json"])
    token = base64.b64decode(proof["timestamps"][0]["token"])
    for at in range(0, len(token), 23):
        changed = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        proof["timestamps"][0]["token"] = base64.b64encode(changed).decode()
        damaged = tmp_path / "damaged.zip"
        damaged.write_bytes(zip_bytes({**members, "proof.json": canonical(proof)}))
        assert "proof_altered" in {code for code, _ in verify_bundle(damaged).failures}


async def test_a_token_of_something_else_is_no_proof(tmp_path: Path, authority: Authority, url: str) -> None:
    signer = Signer.load_or_create(tmp_path / "keys")
    bundle = record(tmp_path, ticks=1).seal(signer)
    members, _ = unzip(bundle.read_bytes())
    proof = json.loads(members["proof.json"])
    token = await TimeStampAuthority(url).testify(b"something else")
    proof["timestamps"] = [{"authority": url, "token": base64.b64encode(token).decode()}]
    del proof["signature"]
    proof["signature"] = signer.sign(canonical(proof)).hex()
    forged = tmp_path / "forged.zip"
    forged.write_bytes(zip_bytes({**members, "proof.json": canonical(proof)}))
    assert {code for code, _ in verify_bundle(forged).failures} == {"timestamp_bad"}


async def test_an_authority_that_nobody_trusts_is_away(tmp_path: Path, url: str) -> None:
    stranger = Authority(tmp_path)
    with pytest.raises(WitnessAway, match="not signed"):
        await TimeStampAuthority(url, stranger.roots).testify(b"head")
    with pytest.raises(WitnessAway):
        await TimeStampAuthority("http://127.0.0.1:9/").testify(b"head")


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", bytes(50), b"\x30\x03\x02\x01\x00"]
)
def test_any_bytes_are_no_token(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_token(data)


class Notary:
    """A second anchor that is away at first."""

    name, kind = "notary.example", "sworn"

    def __init__(self) -> None:
        self.away = True
        self.asked: list[bytes] = []

    async def testify(self, statement: bytes) -> bytes:
        self.asked.append(statement)
        if self.away:
            raise WitnessAway("closed at night")
        return b"sworn: " + statement


async def test_another_witness_stands_beside_the_authority(tmp_path: Path, authority: Authority, url: str) -> None:
    signer, notary = Signer.load_or_create(tmp_path / "keys"), Notary()
    bundle = record(tmp_path, ticks=5).seal(signer)
    stamps = TimeStampAuthority(url, authority.roots)
    witnessing = Witnessing(signer, [stamps, notary], FixedClock(START))
    assert await witnessing.round() == 1 and witnessing.waiting == (notary.name,)
    notary.away = False
    assert await witnessing.round() == 1 and witnessing.waiting == ()
    assert await witnessing.round() == 0 and len(set(notary.asked)) == 1, "it is asked about another head"
    exported = export_bundle(bundle, signer, tmp_path / "stamped.zip")
    proof = json.loads(exported.read_member("proof.json"))
    assert [entry["authority"] for entry in proof["timestamps"]] == [url]
    (said,) = proof["testimonies"]
    assert (said["witness"], said["kind"]) == (notary.name, "sworn")
    assert base64.b64decode(said["testimony"]) == b"sworn: " + canonical(proof["head"])
    assert verify_bundle(exported.path).failures == ()
    members = dict(exported.members)
    forged = {**proof, "testimonies": [{**said, "testimony": base64.b64encode(b"never said").decode()}]}
    members["proof.json"] = canonical(forged)
    exported.path.write_bytes(zip_bytes(members))
    assert {code for code, _ in verify_bundle(exported.path).failures} == {"proof_altered"}


def test_witnesses_are_loaded_by_name() -> None:
    assert load_witness(f"{__name__}:Notary").name == "notary.example"
    for where in ("nowhere.at.all:Notary", f"{__name__}:Nobody", "", "json"):
        with pytest.raises(ValueError, match="VOICEBOT_WITNESSES"):
            load_witness(where)
