"""Notary: gives a manifest its place in the log and writes the proof of it, and writes later, stronger ones."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from voicebot.evidence.log import Log, replace
from voicebot.evidence.merkle import leaf_hash
from voicebot.evidence.proofs import PROOF_FORMAT, leaf_data
from voicebot.evidence.signer import Signer, utc
from voicebot.evidence.spelling import canonical

Head = dict[str, Any]
"""{"head": {"origin","size","root","at","key_id"}, "head_signature": hex}"""


def known_state(signer: Signer) -> dict[str, object]:
    """The log as it is now, for the manifest of the next call."""
    size = signer.log.size
    return {"origin": signer.origin, "size": size, "root": signer.log.root(size).hex()}


def sign_head(signer: Signer, at: dt.datetime) -> Head:
    """Sign the log as it is now and keep the head as its last one."""
    log = signer.log
    size = log.size
    head = {
        "origin": signer.origin, "size": size, "root": log.root(size).hex(), "at": utc(at), "key_id": signer.key_id,
    }  # fmt: skip
    signed = {"head": head, "head_signature": signer.sign(canonical(head)).hex()}
    log.write_head(canonical(signed))
    return signed


def enter(manifest: bytes, signer: Signer, at: dt.datetime, *, again: bool) -> bytes:
    """Put a manifest into the log; its proof.json. `again`: it may be in there already, as after a crash."""
    log, data = signer.log, leaf_data(manifest)
    index = log.append_once(data) if again else log.append(data)
    return prove(manifest, index, sign_head(signer, at), signer)


def prove(manifest: bytes, index: int, head: Head, signer: Signer) -> bytes:
    """proof.json of a manifest that is leaf `index`, against a signed head; with the tokens that this head has."""
    log, size = signer.log, head["head"]["size"]
    known = json.loads(manifest)["log"]["size"]
    proof = {
        "format": PROOF_FORMAT,
        "leaf": {"index": index, "hash": leaf_hash(leaf_data(manifest)).hex()},
        **{name: head[name] for name in ("head", "head_signature")},
        "inclusion": [one.hex() for one in log.inclusion(index, size)],
        "consistency": [one.hex() for one in log.consistency(known, size)],
        "timestamps": tokens_of(log, size),
        "keys": signer.history,
        "key_id": signer.key_id,
    }
    said = testimonies_of(log, size)
    if said:
        proof["testimonies"] = said
    return canonical({**proof, "signature": signer.sign(canonical(proof)).hex()})


def tokens_of(log: Log, size: int) -> list[dict[str, str]]:
    """What authorities said about the head of this size: {"authority","token" in base64}."""
    return [
        {"authority": entry["authority"], "token": entry["token"]} for entry in _kept(log, size) if "kind" not in entry
    ]


def testimonies_of(log: Log, size: int) -> list[dict[str, str]]:
    """What other witnesses said about the head of this size: {"witness","kind","testimony" in base64}."""
    return [
        {"witness": entry["authority"], "kind": entry["kind"], "testimony": entry["token"]}
        for entry in _kept(log, size)
        if "kind" in entry
    ]


def _kept(log: Log, size: int) -> list[Mapping[str, str]]:
    paths = sorted((log.folder / "tokens").glob(f"{size:012d}-*.json"))
    return [json.loads(path.read_bytes()) for path in paths]


def keep_token(log: Log, size: int, authority: str, token: bytes, kind: str = "") -> None:
    """Keep what an authority said about the head of this size; `kind` is empty for a time-stamp of RFC 3161."""
    folder = log.folder / "tokens"
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob(f"{size:012d}-*.json")))
    entry = {"authority": authority, "token": base64.b64encode(token).decode("ascii")}
    entry |= {"kind": kind} if kind else {}
    replace(folder / f"{size:012d}-{number}.json", canonical(entry))
