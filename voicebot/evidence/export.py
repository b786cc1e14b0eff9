"""Export: a sealed call with the strongest proof that the log can give today. The sealed zip stays as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from voicebot.evidence.format import FORMAT
from voicebot.evidence.log import replace
from voicebot.evidence.merkle import leaf_hash
from voicebot.evidence.notary import prove
from voicebot.evidence.proofs import leaf_data
from voicebot.evidence.reading import sealed_members
from voicebot.evidence.signer import Signer
from voicebot.evidence.stored_zip import zip_bytes
from voicebot.evidence.witness import witnessed_head


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written to `path`."""

    path: Path
    members: dict[str, bytes]

    def read_member(self, name: str) -> bytes:
        """One of its files. KeyError: there is none of this name."""
        return self.members[name]


def export_members(bundle: Path, signer: Signer) -> dict[str, bytes]:
    """The members of a sealed call; a head with time-stamps takes the place of the one at its sealing."""
    members = dict(sealed_members(bundle))
    manifest = members["manifest.json"]
    if json.loads(manifest)["format"] != FORMAT:
        return members
    index = json.loads(members["proof.json"])["leaf"]["index"]
    signer = signer.fresh()
    ours = index < signer.log.size and signer.log.leaf(index) == leaf_hash(leaf_data(manifest))
    head = witnessed_head(signer.log, beyond=index) if ours else None
    if head is not None:
        members["proof.json"] = prove(manifest, index, head, signer)
    return members


def export_bundle(bundle: Path, signer: Signer, target: Path) -> Exported:
    """Write a sealed call, readable by everybody, to `target`. OSError, ValueError: `bundle` is not a sealed call."""
    members = export_members(bundle, signer)
    replace(target, zip_bytes(members))
    return Exported(target, members)
