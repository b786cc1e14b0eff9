"""A self-signed certificate for 127.0.0.1 that every party of a test trusts."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Certificate:
    """Its file, its key's file, and both in one file as some programs want it."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key, self.both = (folder / name for name in ("cert.pem", "key.pem", "both.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self.key), "-out", str(self.certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        self.both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
