"""The public names of the library, and what its pure half may not import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sip

PURE = ["message", "sdp", "transaction", "auth.py", "dialog.py", "dtmf_info.py", "repeat.py", "exchange.py", "trace.py"]
PURE += ["reason.py", "redirection.py", "replaces.py", "session_timer.py", "digits.py", "dialog_client.py"]
IMPURE = {"asyncio", "socket", "time", "datetime", "random", "secrets", "threading", "os"}


def test_public_names() -> None:
    assert set(sip.__all__) == {
        *("Answered", "Call", "CallEvent", "CallState", "CallStateError", "Credentials", "DigestServer", "Dtmf"),
        *("EarlyMedia", "Ended", "Held", "Hop", "RefusedError", "Registration", "RegistrationState", "Replaced"),
        *("Request", "ResolveError", "Response", "Resumed", "Ringing", "SdpError", "SipError", "SipParseError"),
        *("TlsSettings", "TransferRequested", "TransferResult", "UserAgent"),
    }
    assert all(hasattr(sip, name) for name in sip.__all__)


@pytest.mark.parametrize("part", PURE)
def test_the_core_has_no_clock_no_socket_and_no_chance(part: str) -> None:
    path = Path(sip.__file__).parent / part
    for file in path.glob("*.py") if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & IMPURE, file
