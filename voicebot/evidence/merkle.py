"""Merkle trees of RFC 6962 section 2.1: hashes, and the checks of inclusion and consistency proofs.

A tree over no leaf has the SHA-256 of nothing as its root. Every hash is 32 bytes; other lengths prove nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _whole(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)


def inclusion_holds(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that `leaf` (its hash) is number `index` of the tree of `size` leaves with this root.

    Algorithm: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size or not _whole(leaf, root, *path):
        return False
    number, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(step, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, step)
        number, last = number >> 1, last >> 1
    return last == 0 and found == root


def consistency_holds(first: int, second: int, old: bytes, new: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree of `second` leaves goes on from that of `first` leaves.

    Algorithm: RFC 9162 section 2.1.4.2. Nothing is proved about an empty first tree.
    """
    if not 0 < first <= second or not _whole(old, new, *path):
        return False
    if first == second:
        return not path and old == new
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, old)
    if not steps:
        return False
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            now = node_hash(now, step)
        number, last = number >> 1, last >> 1
    return last == 0 and was == old and now == new
