"""TLS contexts, and whether a certificate names the domain we meant (RFC 5922)."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from typing import Any

from sip.errors import SipError
from sip.transport.base import TlsSettings


def server_context(settings: TlsSettings) -> ssl.SSLContext | None:
    """For connections to us; None where there is no certificate to show. Raises SipError."""
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, settings)
    if settings.client_certificate:
        _load_authorities(context, settings)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """For connections of ours. The name is checked by `names`, for SIP also knows names in URI form."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    if settings.certificate is not None:
        _load_own(context, settings)
    if settings.verify:
        _load_authorities(context, settings)
    else:
        context.verify_mode = ssl.CERT_NONE
    return context


def names(certificate: Mapping[str, Any], domain: str) -> bool:
    """RFC 5922 7.1: a `sip:` URI of the domain, else its DNS name, or the IP address; no wildcard, no common name.

    `certificate` is what `SSLObject.getpeercert()` gives.
    """
    wanted = domain.rstrip(".").lower()
    found = [(kind, value.lower()) for kind, value in certificate.get("subjectAltName", ())]
    if _is_ip(wanted):
        return any(kind == "IP Address" and _same_ip(value, wanted) for kind, value in found)
    identities = {value[4:] for kind, value in found if kind == "URI" and value.startswith("sip:") and "@" not in value}
    return wanted in (identities or {value for kind, value in found if kind == "DNS"})


def _load_own(context: ssl.SSLContext, settings: TlsSettings) -> None:
    assert settings.certificate is not None  # both callers have looked
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise SipError(
            f"the TLS certificate {settings.certificate} or its key can't be used ({error}): "
            "give a PEM certificate with its chain, and the unencrypted PEM key that belongs to it"
        ) from error


def _load_authorities(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if settings.authorities is None:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(settings.authorities)
    except (OSError, ssl.SSLError) as error:
        raise SipError(f"{settings.authorities} holds no PEM certificates of authorities ({error})") from error


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _same_ip(text: str, wanted: str) -> bool:
    return _is_ip(text) and ipaddress.ip_address(text) == ipaddress.ip_address(wanted)
