"""Verify sealed calls offline: the verdict of the bundle's own verify.py, with a faster signature check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voicebot.evidence.depot.locating import present
from voicebot.evidence.examine import judge_members, read_members
from voicebot.evidence.reading import bundle_bytes
from voicebot.evidence.signer import verify_signature
from voicebot.evidence.stored_zip import unzip
from voicebot.evidence.vault import VaultLocked


@dataclass(frozen=True, slots=True)
class Verdict:
    """Reasons, as (code, what), not to believe a bundle; none means valid."""

    path: Path
    failures: tuple[tuple[str, str], ...]

    @property
    def valid(self) -> bool:
        return not self.failures

    def row(self) -> dict[str, object]:
        """The row of `voicebot evidence verify`."""
        failures = [{"code": code, "what": what} for code, what in self.failures]
        return {"path": str(self.path), "valid": self.valid, "failures": failures}


def verify_bundle(path: Path | str, trusted_key: str | None = None) -> Verdict:
    """Judge a zip or an unpacked folder; `trusted_key` (hexadecimal) pins the public key of the signer.

    Without a pin the bundle proves that nothing changed since whoever holds its key sealed it.
    """
    path = Path(path)
    try:
        found = unzip(bundle_bytes(path)) if present(path).is_file() else read_members(str(path))
    except OSError as error:
        found = {}, [("unreadable", f"cannot read {path}: {error.strerror or error}")]
    except VaultLocked as error:
        found = {}, [("vault_locked", str(error))]
    return Verdict(path, tuple(judge_members(*found, trusted_key, verify_signature)))


def verify_rows(paths: Iterable[Path | str], trusted_key: str | None = None) -> Iterator[dict[str, object]]:
    """A row per bundle, `{"path","valid","failures":[{"code","what"}]}`, in the order given."""
    for path in paths:
        yield verify_bundle(path, trusted_key).row()
