"""Merkle trees: the public vectors of transparency-dev, and our own log against a tree made the slow way."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.evidence.log import EMPTY_ROOT, Log
from voicebot.evidence.merkle import consistency_holds, inclusion_holds, leaf_hash, node_hash

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "rfc6962.jsonl").read_text().splitlines()
]
"""https://github.com/transparency-dev/merkle, testdata at 417fb0c3 (Apache-2.0), one file per line."""
DUMMY_ROOTS = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["file"])
def test_public_vectors(vector: dict[str, Any]) -> None:
    path = [_bytes(one) for one in vector["proof"] or ()]
    if "leafIdx" in vector:
        leaf, root = _bytes(vector["leafHash"]), _bytes(vector["root"])
        holds = inclusion_holds(vector["leafIdx"], vector["treeSize"], leaf, path, root)
    else:
        roots = _bytes(vector["root1"]), _bytes(vector["root2"])
        holds = consistency_holds(vector["size1"], vector["size2"], *roots, path)
    refused = vector["wantErr"] or vector["file"] == DUMMY_ROOTS  # its roots are no hashes: 12 bytes
    assert holds is not refused


def _slow_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(_slow_root(leaves[:middle]), _slow_root(leaves[middle:]))


def test_every_proof_of_a_log_of_up_to_forty_leaves(tmp_path: Path) -> None:
    log, leaves = Log(tmp_path), []
    assert log.root() == EMPTY_ROOT
    for size in range(1, 41):
        assert log.append(b"%d" % size) == size - 1
        leaves.append(leaf_hash(b"%d" % size))
        assert log.size == size and log.root() == _slow_root(leaves)
        for index in range(size):
            path = log.inclusion(index, size)
            assert len(path) <= (size - 1).bit_length()
            assert inclusion_holds(index, size, leaves[index], path, log.root())
            assert not inclusion_holds(index, size, leaves[index - 1], path, log.root()) or size == 1
        for first in range(1, size + 1):
            path = log.consistency(first, size)
            assert consistency_holds(first, size, log.root(first), log.root(), path)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_proof_holds(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    log = Log(tmp_path_factory.mktemp("log"))
    size = data.draw(st.integers(2, 12))
    for number in range(size):
        log.append(bytes([number]))
    index = data.draw(st.integers(0, size - 1))
    path = log.inclusion(index, size)
    place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    broken = bytearray(path[place])
    broken[bit // 8] ^= 1 << bit % 8
    changed = [*path[:place], bytes(broken), *path[place + 1 :]]
    assert not inclusion_holds(index, size, log.leaf(index), changed, log.root())
    assert not inclusion_holds(index, size, log.leaf(index), path[:-1], log.root())


def test_a_log_is_mended_after_a_kill(tmp_path: Path) -> None:
    """Torn hashes go, lost inner nodes come back, and what was added stays added."""
    log = Log(tmp_path)
    for number in range(11):
        log.append(bytes([number]))
    root = log.root()
    (tmp_path / "levels" / "2").unlink()
    (tmp_path / "levels" / "1").write_bytes((tmp_path / "levels" / "1").read_bytes()[:-40])
    with (tmp_path / "levels" / "0").open("ab") as file:
        file.write(b"torn")
    assert log.root() == root
    assert log.append(b"next") == 11
    assert inclusion_holds(3, 12, leaf_hash(b"\x03"), log.inclusion(3, 12), log.root())
    assert consistency_holds(11, 12, root, log.root(), log.consistency(11, 12))
    assert log.append_once(b"\x05") == 5 and log.size == 12


def test_many_writers_lose_no_leaf(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: Log(tmp_path).append(n.to_bytes(4, "big")), range(200)))
    assert sorted(numbers) == list(range(200))
    log = Log(tmp_path)
    assert all(log.leaf(at) == leaf_hash(n.to_bytes(4, "big")) for n, at in enumerate(numbers))
    assert log.root() == _slow_root([log.leaf(at) for at in range(200)])
