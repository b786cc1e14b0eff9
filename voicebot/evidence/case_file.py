"""Case file: the seven kinds of evidence of one case in one signed zip, each call in it a bundle of its own.

Recording, transcript, messages, promise, demand letter, consents and notices, operation log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicebot import __version__
from voicebot.domain.clock import Clock
from voicebot.domain.names import mask_name
from voicebot.domain.operation import Operation
from voicebot.domain.phone import mask_number
from voicebot.evidence.bundle import bundle_path, verifier_script
from voicebot.evidence.export import export_members
from voicebot.evidence.format import CASE_FORMAT
from voicebot.evidence.journal import plain, read_facts
from voicebot.evidence.notary import known_state
from voicebot.evidence.signer import Signer, utc
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import zip_bytes
from voicebot.evidence.transcript import TranscriptLine, transcript_lines
from voicebot.evidence.vault import VaultLocked
from voicebot.store.papers import CasePapers, Row

NOTICES = ("notice", "recap", "predue", "pre_call")
_PERSONAL = {"number": mask_number, "to": mask_number}
_DIGITS = re.compile(r"\d{4,}")
_README = """本压缩包是一个案件的全部证据，七类：录音、转写、信息、承诺、催告函、同意与告知、操作日志。
每个 call-*.zip 是一通电话的独立证据包，可以单独核验。

All evidence of one case, of seven kinds. Each call-*.zip is the bundle of one call and verifies by itself.

核验 / To verify:  python verify.py
manifest.json 的 kinds 说明每一类在哪些文件里；missing 列出已按期限删除或尚未封存的录音。
`kinds` in manifest.json says which files hold which kind; `missing` lists recordings that were deleted when their
retention ended, or are not sealed yet.
"""


@dataclass(frozen=True, slots=True)
class CaseMaterial:
    """What goes into a case file. `masked`: for readers who may not see whom it is about; then without recordings."""

    papers: CasePapers
    operations: Sequence[Operation]
    recordings: Path
    letters: Path
    masked: bool = False


def case_file(material: CaseMaterial, signer: Signer, clock: Clock, by: str) -> bytes:
    """The signed zip. Reads all recordings of the case: call it from a thread."""
    signer = signer.fresh()
    files, missing = _calls(material, signer)
    kinds: dict[str, list[str]] = {
        "recording": sorted(name for name in files if name.endswith(".zip")),
        "transcript": sorted(name for name in files if name.startswith("transcript-")),
    }
    for kind, found in (
        ("messages", {"messages.jsonl": _rows(material.papers.messages, material.masked)}),
        ("promise", {"promises.jsonl": _rows(material.papers.promises, material.masked)}),
        ("demand_letter", _letters(material)),
        ("consents_and_notices", _consents(material)),
        ("operation_log", {"operations.jsonl": _rows([_operation(one) for one in material.operations])}),
        ("permission", {"permissions.jsonl": _rows(material.papers.permissions, material.masked)}),
    ):  # fmt: skip
        files |= found
        kinds[kind] = sorted(found)
    if material.masked:
        files = _nameless(files, material.papers.case.debtor.name)
    files |= {"case.json": _case(material), "README.txt": _README.encode(), "verify.py": verifier_script()}
    files["key.json"] = signer.key_document()
    manifest = canonical(_manifest(material, files, kinds, missing, signer, clock, by))
    return zip_bytes({**files, "manifest.json": manifest, "manifest.sig": signer.sign(manifest)})


def _nameless(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """The same texts without the debtor's name, which was also spoken and written."""
    if len(name) < 2:
        return dict(files)
    whole, shown = name.encode(), mask_name(name).encode()
    return {member: body.replace(whole, shown) for member, body in files.items()}


def _manifest(
    material: CaseMaterial, files: Mapping[str, bytes], kinds: object, missing: object, signer: Signer, clock: Clock,
    by: str,
) -> dict[str, object]:  # fmt: skip
    return {
        "format": CASE_FORMAT,
        "case_id": material.papers.case.id,
        "sealed_at": utc(clock.now()),
        "exported_by": by,
        "masked": material.masked,
        "software": {"name": "voicebot", "version": __version__},
        "key_id": signer.key_id,
        "log": known_state(signer),
        "kinds": kinds,
        "missing": missing,
        "files": {name: _listed(body) for name, body in files.items()},
    }


def _listed(body: bytes) -> dict[str, object]:
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _operation(one: Operation) -> dict[str, object]:
    return {**one.told(), "sha256": one.sha256}


def _calls(material: CaseMaterial, signer: Signer) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    files: dict[str, bytes] = {}
    missing: list[dict[str, str]] = []
    limitation: list[bytes] = []
    for call in material.papers.calls:
        try:
            members = export_members(_sealed(material.recordings / str(call["bundle"] or "")), signer)
        except (OSError, VaultLocked, KeyError) as error:
            why = "not sealed, or deleted" if isinstance(error, (OSError, KeyError)) else str(error)
            missing.append({"call_id": call["id"], "why": why})
            continue
        facts = list(read_facts(members["journal.jsonl"]))
        files[f"transcript-{call['id']}.txt"] = _text(transcript_lines(facts), material.masked)
        limitation.append(members.get("limitation.jsonl", b""))
        if not material.masked:
            files[f"call-{call['id']}.zip"] = zip_bytes(members)
    body = b"".join(limitation)
    files["limitation.jsonl"] = _mask_text(body.decode()).encode() if material.masked else body
    return files, missing


def _sealed(path: Path) -> Path:
    return bundle_path(path) if path.is_dir() else path


def _text(lines: Iterable[TranscriptLine], masked: bool) -> bytes:
    told = []
    for line in lines:
        minutes, seconds = divmod(line.start_ms // 1000, 60)
        text = _mask_text(line.text) if masked else line.text
        told.append(f"{minutes:02d}:{seconds:02d}  {line.speaker:<7}{text}\n")
    return "".join(told).encode()


def _letters(material: CaseMaterial) -> dict[str, bytes]:
    """Letters: what was ordered, and the pages themselves."""
    rows = [row for row in material.papers.messages if row.get("channel") == "letter"]
    files = {"letters.jsonl": _rows(rows, material.masked)}
    for row in rows:
        page = material.letters / str(row.get("external_id") or "").partition(" ")[0]
        inside = page.resolve().is_relative_to(material.letters.resolve())
        if not material.masked and inside and page.is_file():
            files[f"letter-{row['id']}.html"] = page.read_bytes()
    return files


def _consents(material: CaseMaterial) -> dict[str, bytes]:
    """Consents, stops, and what the debtor was told before and after calls."""
    papers = material.papers
    notices = [row for row in papers.messages if str(row["kind"]).startswith(NOTICES) or "recap" in str(row["kind"])]
    return {
        "consents.jsonl": _rows(papers.consents, material.masked),
        "stops.jsonl": _rows(papers.stops, material.masked),
        "notices.jsonl": _rows(notices, material.masked),
    }


def _case(material: CaseMaterial) -> bytes:
    told = plain({"status": material.papers.status, **_fields(material.papers.case)})
    return canonical(_masked(told) if material.masked else told)


def _fields(case: Any) -> Row:
    found = plain(case)
    assert isinstance(found, dict)
    return found


def _rows(rows: Iterable[Mapping[str, Any]], masked: bool = False) -> bytes:
    plains = (plain(row) for row in rows)
    return b"".join(canonical(_masked(row) if masked else row) + b"\n" for row in plains)


_NAMES = frozenset({"name", "number", "to", "id_last4", "birth_mmdd", "address", "holder"})


def _masked(value: object, key: str = "") -> object:
    """The same without whom it is about: numbers by their ends, names by their first character."""
    if isinstance(value, dict):
        return {name: _masked(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, key) for item in value]
    if not isinstance(value, str):
        return value
    if key in _PERSONAL:
        return mask_number(value)
    if key in _NAMES:
        return value[:1] + "*" * (len(value) > 0)
    return _mask_text(value) if key in ("text", "words", "detail", "note", "notes") else value


def _mask_text(text: str) -> str:
    """Without long runs of digits, such as numbers of telephones, cards and people."""
    return _DIGITS.sub("****", text)
