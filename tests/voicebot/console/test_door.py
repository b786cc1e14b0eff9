"""The console listens beyond this machine only with TLS; and knows who is at the door."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.types import Scope

from voicebot.app import serve
from voicebot.config import Settings
from voicebot.console.door import client_address
from voicebot.console.server import serve_console
from voicebot.console.settings import ConsoleSettings, Door, door_of
from voicebot.console.store_data import StoreData
from voicebot.store import Store


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "console.example", "192.168.1.2"])
def test_nothing_listens_beyond_this_machine_without_tls(host: str) -> None:
    with pytest.raises(ValueError, match="VOICEBOT_HTTP_CERTIFICATE"):
        ConsoleSettings(host=host)
    assert ConsoleSettings(host=host, door=Door(behind_proxy=True)).url.startswith("http://")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_needs_none(host: str) -> None:
    assert ConsoleSettings(host=host).port == 8080


async def test_serve_refuses_to_start_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="VOICEBOT_HTTP_BEHIND_PROXY"):
        await serve(Settings(home=tmp_path, http_listen="0.0.0.0:8080"), None)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    assert door_of(Settings(home=tmp_path, http_listen="0.0.0.0:1", http_certificate=chain, http_key=key)).https
    key.write_text("no key")
    with pytest.raises(ValueError, match=r"VOICEBOT_HTTP_KEY=.*key\.pem"):
        door_of(Settings(home=tmp_path, http_listen="0.0.0.0:1", http_certificate=chain, http_key=key))
    with pytest.raises(ValueError, match="need each other"):
        Settings(home=tmp_path, http_certificate=chain)


async def test_the_console_speaks_tls_with_its_own_certificate(store: Store, tmp_path: Path) -> None:
    import asyncio

    chain, key = certificate(tmp_path)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    settings = ConsoleSettings(port=0, recordings=tmp_path, door=Door(certificate=(chain, key)))
    serving = asyncio.create_task(serve_console(StoreData(store), settings, stop, ready.set_result))
    address = await ready
    trust = ssl.create_default_context(cafile=str(chain))
    async with httpx.AsyncClient(verify=trust, base_url=address) as client:
        answer = await client.get("/login")
        assert address.startswith("https://") and answer.status_code == 200
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(address.replace("https", "http") + "/login")
    stop.set()
    await serving


@pytest.mark.parametrize(
    ("forwarded", "behind_proxy", "address"),
    [
        ("", False, "10.0.0.1"),
        ("6.6.6.6", False, "10.0.0.1"),  # anybody may write this
        ("6.6.6.6, 203.0.113.9", True, "203.0.113.9"),  # only what the proxy itself added counts
        ("nonsense", True, "10.0.0.1"),
        ("", True, "10.0.0.1"),
    ],
)
def test_only_the_proxy_says_who_asks(forwarded: str, behind_proxy: bool, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope: Scope = {"type": "http", "client": ("10.0.0.1", 1234), "headers": headers}
    assert client_address(scope, behind_proxy) == address


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 signed by itself, and its key."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "console")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, no_password))
    return chain, private
