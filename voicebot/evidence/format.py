"""The spelling of a bundle: chained hashes, the WAV headers, the figures of a manifest, the names of its members.

    audio.wav      stereo, 8 kHz, 16 bit: left = our side, right = the callee; ticks of 20 ms
    consult.wav    mono, where somebody was consulted: their leg, only the seconds whose rows have "third"
    journal.jsonl  one fact per line;  hash_n = SHA-256(0x03 | hash_n-1 | fact n without "hash")
    chain.jsonl    a header, then one row per second of audio with the SHA-256 of each channel, the gap bits
                   (bit k: tick k of the callee was lost and concealed) and the journal's head at that moment;
                   header = SHA-256(0x01 | 32 zero bytes | header without "hash"),
                   hash_n = SHA-256(0x02 | hash_n-1 | row n without "hash")
    manifest.json  size and SHA-256 of every file, figures, heads;  manifest.sig: Ed25519 over it (RFC 8032)
    proof.json     the manifest's place in the log; redaction.json: what was taken out of a copy

Both chains start from the header's hash. "|" joins bytes; JSON is spelled by RFC 8785.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping

from voicebot.evidence.spelling import canonical, canonical_first

FIRST_FORMAT = "voicebot-evidence-1"
FORMAT = "voicebot-evidence-2"
CASE_FORMAT = "voicebot-case-1"
"""All evidence of one case: bundles of calls among other files."""
Spell = Callable[[object], bytes]
SPELLINGS: dict[str, Spell] = {FIRST_FORMAT: canonical_first, FORMAT: canonical}
_FIRST = ("README.txt", "audio.wav", "chain.jsonl", "journal.jsonl", "key.json", "verify.py")
TOLD = (
    "decisions.jsonl",
    "environment.json",
    "limitation.jsonl",
    "messages.jsonl",
    "permission.json",
    "promise.json",
    "transcript.jsonl",
)
"""Members that are read out of header and journal when a call is sealed."""
SIGNED = {FIRST_FORMAT: _FIRST, FORMAT: (*_FIRST, *TOLD)}
UNLISTED = {
    FIRST_FORMAT: ("manifest.json", "manifest.sig"),
    FORMAT: ("manifest.json", "manifest.sig", "proof.json"),
}
CONSULT, REDACTION = "consult.wav", "redaction.json"
RATE, TICK_MS, TICK_BYTES, TICKS_PER_SECOND = 8000, 20, 320, 50
HEADER, SECOND, FACT = b"\x01", b"\x02", b"\x03"


def link(tag: bytes, previous: bytes, value: Mapping[str, object], spell: Spell = canonical) -> bytes:
    """The next hash of a chain: 32 bytes."""
    return hashlib.sha256(tag + previous + spell(value)).digest()


def wav_header(data_bytes: int, channels: int = 2) -> bytes:
    """The 44 bytes in front of `data_bytes` of 16-bit PCM at 8 kHz."""
    width = channels * 2
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE, RATE * width, width, 16)
    riff = struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE")
    return riff + fmt + struct.pack("<4sI", b"data", data_bytes)


def key_id(public: bytes) -> str:
    """The short name of a public key: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def figures(head: str, rows: int, journal_head: str, lines: int, pcm_bytes: int) -> dict[str, object]:
    """What a manifest states of audio, chain and journal."""
    ticks = pcm_bytes // (TICK_BYTES * 2)
    return {
        "audio": {"channels": ["ours", "callee"], "rate": RATE, "tick_ms": TICK_MS, "ticks": ticks},
        "chain": {"head": head, "rows": rows},
        "journal": {"head": journal_head, "lines": lines},
    }
