"""A certificate is for a domain only if it says so (RFC 5922 section 7.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip import SipError
from sip.transport import TlsSettings
from sip.transport.tls import client_context, names, server_context

DNS, URI, IP = "DNS", "URI", "IP Address"


@pytest.mark.parametrize(
    ("subjects", "domain", "expected"),
    [
        ([(DNS, "sip.example.com")], "sip.example.com", True),
        ([(DNS, "SIP.Example.com")], "sip.example.COM.", True),
        ([(URI, "sip:example.com")], "example.com", True),
        ([(URI, "sip:example.com"), (DNS, "other.example.com")], "other.example.com", False),
        ([(URI, "sip:user@example.com"), (DNS, "example.com")], "example.com", True),
        ([(URI, "https://example.com")], "example.com", False),
        ([(DNS, "*.example.com")], "sip.example.com", False),
        ([(DNS, "example.com")], "sip.example.com", False),
        ([(DNS, "192.0.2.1")], "192.0.2.1", False),
        ([(IP, "192.0.2.1")], "192.0.2.1", True),
        ([(IP, "2001:DB8:0:0:0:0:0:1")], "2001:db8::1", True),
        ([], "example.com", False),
    ],
)
def test_who_is_named(subjects: list[tuple[str, str]], domain: str, expected: bool) -> None:
    certificate = {"subjectAltName": tuple(subjects), "subject": ((("commonName", domain),),)}
    assert names(certificate, domain) is expected


def test_certificates_that_can_not_be_used_name_the_file_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("")
    with pytest.raises(SipError, match=r"empty\.pem.*PEM"):
        server_context(TlsSettings(certificate=path, key=path))
    with pytest.raises(SipError, match=r"empty\.pem"):
        client_context(TlsSettings(authorities=path))
    assert server_context(TlsSettings()) is None
