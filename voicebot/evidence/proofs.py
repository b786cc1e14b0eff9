"""What proof.json must say: this manifest, and no other, has its place in a log that only ever grew."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from voicebot.evidence.der import read_token
from voicebot.evidence.keys import Verify, history_fault, public_key_of, unhex
from voicebot.evidence.merkle import consistency_holds, inclusion_holds, leaf_hash
from voicebot.evidence.spelling import canonical

Found = list[tuple[str, str]]
PROOF_FORMAT = "voicebot-proof-1"


def leaf_data(manifest: bytes) -> bytes:
    """What the log holds of a call: the SHA-256 of its manifest."""
    return hashlib.sha256(manifest).digest()


def check_proof(members: Mapping[str, bytes], verify: Verify) -> Found:
    """Reasons not to believe that the log holds this bundle's manifest."""
    proof = json.loads(members["proof.json"])
    manifest = json.loads(members["manifest.json"])
    if proof["format"] != PROOF_FORMAT or canonical(proof) != members["proof.json"]:
        return [("proof_altered", "proof.json is not spelled as it was written")]
    failures = _check_signatures(proof, manifest, verify)
    if proof["leaf"]["hash"] != leaf_hash(leaf_data(members["manifest.json"])).hex():
        failures.append(("resigned", "the log holds another manifest of this call: this one was made afterwards"))
    failures += check_head(proof, manifest["log"])
    return failures + _check_tokens(proof)


def _check_signatures(proof: Any, manifest: Any, verify: Verify) -> Found:
    failures: Found = []
    fault = history_fault(proof["keys"], verify)
    if fault:
        failures.append(("key_history_bad", f"the key history of proof.json: {fault}"))
    if public_key_of(proof["keys"], manifest["key_id"]) is None:
        failures.append(("key_mismatch", "the log belongs to an installation that never had the manifest's key"))
    told = {name: value for name, value in proof.items() if name != "signature"}
    for what, code, name, value, signature in (
        ("proof.json", "proof_altered", proof["key_id"], told, proof["signature"]),
        ("the head of the log", "head_signature_bad", proof["head"]["key_id"], proof["head"], proof["head_signature"]),
    ):
        public = public_key_of(proof["keys"], name)
        if public is None or not verify(public, canonical(value), unhex(signature)):
            failures.append((code, f"the signature of {what} does not fit"))
    return failures


def check_head(proof: Any, known: Any) -> Found:
    """The signed head against the leaf and against the state of the log that the manifest knew."""
    head, index = proof["head"], proof["leaf"]["index"]
    size, root = head["size"], bytes.fromhex(head["root"])
    if head["origin"] != known["origin"]:
        return [("log_foreign", "the proof is of another log than the one the manifest names")]
    if size <= index or size < known["size"] or index < known["size"]:
        return [("log_rolled_back", f"a log of {size} leaves is older than this call (leaf {index})")]
    failures: Found = []
    path = [bytes.fromhex(one) for one in proof["inclusion"]]
    if not inclusion_holds(index, size, bytes.fromhex(proof["leaf"]["hash"]), path, root):
        failures.append(("inclusion_bad", f"the path does not lead from leaf {index} to the head of the log"))
    path = [bytes.fromhex(one) for one in proof["consistency"]]
    old = bytes.fromhex(known["root"])
    if known["size"] and not consistency_holds(known["size"], size, old, root, path):
        failures.append(("log_forked", "the log is not the one that the manifest saw when it was sealed"))
    return failures


def _check_tokens(proof: Any) -> Found:
    failures: Found = []
    digest = hashlib.sha256(canonical(proof["head"])).digest()
    for entry in proof["timestamps"]:
        try:
            fits = read_token(base64.b64decode(entry["token"], validate=True))[0] == digest
        except (ValueError, IndexError):
            fits = False
        if not fits:
            failures.append(("timestamp_bad", f"the time-stamp of {entry['authority']} is not of this head"))
    return failures
