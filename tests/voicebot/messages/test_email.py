"""E-mail against a real SMTP server: TLS, password, refusals, and bounces back to their message."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.messages.certificates import self_signed
from voicebot.messages.channel import GatewayAway, Letter, Undeliverable
from voicebot.messages.email import Attachment, BounceError, EmailChannel, MailServer, mail_server, read_bounce

SENDER = "示例客服 <service@example.com>"
LETTER = Letter("voicebot-17", "demo@example.net", "【示例】您好。约定：11月27日前办理1000元。", "promise_recap",
                {"institution": "示例客户服务中心"})  # fmt: skip


class Box:
    """Takes every mail but those for `refused`, which are answered with that line."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def box() -> Box:
    return Box()


def permitted(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"bot", b"geheim")
    return AuthResult(success=good)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


async def listening(smtp: Callable[[], SMTP]) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0)


@pytest_asyncio.fixture
async def secure(box: Box, certificate: Path) -> AsyncIterator[asyncio.Server]:
    """Wants STARTTLS and a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await listening(
        lambda: SMTP(box, tls_context=context, require_starttls=True, auth_required=True, authenticator=permitted)
    )
    yield server
    server.close()


@pytest_asyncio.fixture
async def plain(box: Box) -> AsyncIterator[asyncio.Server]:
    server = await listening(lambda: SMTP(box))
    yield server
    server.close()


def channel(server: asyncio.Server, security: str = "plain", **more: Any) -> EmailChannel:
    port = int(server.sockets[0].getsockname()[1])
    return EmailChannel(MailServer("127.0.0.1", port, security, **more), SENDER)


async def test_a_mail_goes_out_under_tls_with_a_password_in_chinese_twice_over(
    box: Box, secure: asyncio.Server, certificate: Path
) -> None:
    safe = channel(secure, "starttls", username="bot", password="geheim", ca_file=str(certificate))
    assert await safe.send(LETTER) == "<voicebot-17@example.com>"
    assert await safe.send(LETTER) == "<voicebot-17@example.com>", "the same message is the same mail"
    mail = box.mails[0]
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "demo@example.net", "示例客户服务中心通知")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None
    assert LETTER.text in plain.get_content() and LETTER.text in html.get_content()
    assert "退订" in plain.get_content()


async def test_no_password_is_sent_without_tls_and_a_wrong_one_may_be_put_right(
    box: Box, plain: asyncio.Server, secure: asyncio.Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.messages.email.TIMEOUT_S", 2.0)  # this server falls silent after a wrong password
    with pytest.raises(GatewayAway):
        await channel(plain, "starttls", username="bot", password="geheim").send(LETTER)
    wrong = channel(secure, "starttls", username="bot", password="falsch", ca_file=str(certificate))
    with pytest.raises(GatewayAway):
        await wrong.send(LETTER)
    with pytest.raises(GatewayAway):
        await channel(secure, "starttls", username="bot", password="geheim").send(LETTER)
    assert box.mails == []


async def test_what_is_refused_for_good_and_what_for_now(box: Box, plain: asyncio.Server) -> None:
    box.refused = {LETTER.to: "550 5.1.1 no such user"}
    with pytest.raises(Undeliverable, match="550"):
        await channel(plain).send(LETTER)
    box.refused = {LETTER.to: "451 4.7.1 come back later"}
    with pytest.raises(GatewayAway, match="451"):
        await channel(plain).send(LETTER)
    with pytest.raises(GatewayAway, match="does not answer"):
        await EmailChannel(MailServer("127.0.0.1", 9, "plain"), SENDER).send(LETTER)


async def test_an_address_can_smuggle_nothing_into_the_head(box: Box, plain: asyncio.Server) -> None:
    for to in ("a@b\r\nBcc: c@d", "", "@", "a@b@c", "<a@b>, c@d"):
        with pytest.raises(Undeliverable, match="no e-mail address"):
            await channel(plain).send(Letter("voicebot-1", to, "x", "y"))
    assert box.mails == []


async def test_files_go_along(box: Box, plain: asyncio.Server) -> None:
    report = Attachment("月报.pdf", "application/pdf", b"%PDF-1.7 \x00\xff")
    await channel(plain).send_document("boss@example.net", "月报", "请见附件。", [report], key="report-1")
    (part,) = box.mails[0].iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "月报.pdf", "application/pdf", report.data,
    )  # fmt: skip


BOUNCE = b"""From: MAILER-DAEMON@example.net
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net

Final-Recipient: rfc822; demo@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: message/rfc822

Message-ID: <voicebot-17@example.com>
Subject: x

x
--b--
"""


def test_a_bounce_names_its_message_and_whether_it_is_for_good() -> None:
    bounce = read_bounce(BOUNCE)
    assert (bounce.key, bounce.permanent) == ("voicebot-17", True)
    assert "5.1.1" in bounce.why and "550" in bounce.why
    assert not read_bounce(BOUNCE.replace(b"Action: failed", b"Action: delayed")).permanent


@pytest.mark.parametrize("source", [b"", b"Subject: hello\n\nhello", BOUNCE.replace(b"voicebot-17", b"another-17")])
def test_other_mail_is_no_bounce(source: bytes) -> None:
    with pytest.raises(BounceError):
        read_bounce(source)


@given(st.binary(max_size=400), st.integers(0, len(BOUNCE)))
def test_any_bytes_are_a_bounce_or_an_error(noise: bytes, at: int) -> None:
    for source in (noise, BOUNCE[:at] + noise + BOUNCE[at:]):
        try:
            assert read_bounce(source).key.startswith("voicebot-")
        except BounceError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://u%40x:p@mail.example.com", MailServer("mail.example.com", 465, "tls", "u@x", "p")),
        ("smtp://u@mail.example.com", MailServer("mail.example.com", 587, "starttls", "u", "set")),
        ("smtp+plain://127.0.0.1:2525", MailServer("127.0.0.1", 2525, "plain", None, "set")),
    ],
)
def test_addresses_of_mail_servers(url: str, server: MailServer) -> None:
    assert mail_server(url, "set") == server


@pytest.mark.parametrize("url", ["", "http://x", "smtp://", "mail.example.com"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtps://"):
        mail_server(url)
    with pytest.raises(ValueError, match="no address"):
        EmailChannel(MailServer("x", 25), "service")
