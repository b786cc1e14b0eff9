"""The spelling of a bundle: canonical JSON, chained hashes, the WAV header, the figures of a manifest.

    audio.wav      stereo, 8 kHz, 16 bit: left = our side, right = the callee; ticks of 20 ms
    journal.jsonl  one fact per line;  hash_n = SHA-256(0x03 | hash_n-1 | fact n without "hash")
    chain.jsonl    a header, then one row per second of audio with the SHA-256 of both channels, the gap bits
                   (bit k: tick k of the callee was lost and concealed) and the journal's head at that moment;
                   header = SHA-256(0x01 | 32 zero bytes | header without "hash"),
                   hash_n = SHA-256(0x02 | hash_n-1 | row n without "hash")
    manifest.json  size and SHA-256 of every file, figures, heads;  manifest.sig: Ed25519 over it (RFC 8032)

Both chains start from the header's hash. "|" joins bytes; JSON is canonical: sorted keys, no spaces, UTF-8.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping

FORMAT = "voicebot-evidence-1"
SIGNED = ("README.txt", "audio.wav", "chain.jsonl", "journal.jsonl", "key.json", "verify.py")
MEMBERS = tuple(sorted((*SIGNED, "manifest.json", "manifest.sig")))
RATE, TICK_MS, TICK_BYTES, TICKS_PER_SECOND = 8000, 20, 320, 50
HEADER, SECOND, FACT = b"\x01", b"\x02", b"\x03"


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value; ValueError for NaN and infinity, which JSON does not have."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def link(tag: bytes, previous: bytes, value: Mapping[str, object]) -> bytes:
    """The next hash of a chain: 32 bytes."""
    return hashlib.sha256(tag + previous + canonical(value)).digest()


def wav_header(data_bytes: int) -> bytes:
    """The 44 bytes in front of `data_bytes` of stereo 16-bit PCM at 8 kHz."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, RATE, RATE * 4, 4, 16)
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
