"""E-mail: messages by SMTP, as plain text and HTML; and bounces read back to the message that came back."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

from voicebot.messages.channel import GatewayAway, Letter, Undeliverable

TIMEOUT_S: Final = 20.0
_FOR_GOOD: Final = 500
_KEY = re.compile(r"<(voicebot-\d{1,18})@")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\]{1,64}@[A-Za-z0-9.-]{1,253}")
_PAGE = Markup(
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><body style="font:16px/1.7 sans-serif;color:#1d2b28">'
    "<p>{text}</p><p style=\"color:#6b7a76;font-size:13px\">{foot}</p></body></html>"
)
_FOOT: Final = "如不希望再收到此类邮件，请回复“退订”。"


class BounceError(ValueError):
    """The bytes are no report about one of our e-mails."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `security`: tls (from the start), starttls (must succeed), or plain."""

    host: str
    port: int
    security: str = "starttls"
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """`mime` such as application/pdf."""

    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Bounce:
    """`permanent`: the address does not work. False: the mail server goes on trying."""

    key: str
    permanent: bool
    why: str


def mail_server(url: str, password: str | None = None, ca_file: str | None = None) -> MailServer:
    """From smtps://user@host:465 (TLS), smtp://user@host:587 (STARTTLS) or smtp+plain://host:25. ValueError."""
    parts = urlsplit(url)
    ways = {"smtps": ("tls", 465), "smtp": ("starttls", 587), "smtp+plain": ("plain", 25)}
    if parts.scheme not in ways or not parts.hostname:
        raise ValueError("expected smtps://user@host, smtp://user@host or smtp+plain://host")
    security, port = ways[parts.scheme]
    username = unquote(parts.username) if parts.username else None
    given = unquote(parts.password) if parts.password else password
    return MailServer(parts.hostname, parts.port or port, security, username, given, ca_file)


class EmailChannel:
    """`sender` is the From address, such as 客服 <service@example.com>. One connection for each message."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server, self._sender = server, sender
        _, at, domain = sender.rstrip(">").rpartition("@")
        if not at or not domain or any(char in sender for char in "\r\n"):
            raise ValueError(f"{sender!r} is no address to send e-mail from, such as 客服 <service@example.com>")
        self._domain = domain

    def wording(self, letter: Letter) -> str:
        return letter.text

    async def send(self, letter: Letter) -> str | None:
        institution = letter.values.get("institution", "")
        return await self.send_document(letter.to, f"{institution}通知" if institution else "通知", letter.text,
                                        key=letter.key, foot=_FOOT)  # fmt: skip

    async def send_document(
        self, to: str, subject: str, text: str, attachments: Sequence[Attachment] = (), *, key: str, foot: str = ""
    ) -> str:
        """Send text with files; the Message-ID. `key` makes it the same mail when it is sent again.

        Raises Undeliverable, GatewayAway.
        """
        mail = self._written(to, subject, text, attachments, key, foot)
        try:
            await asyncio.to_thread(self._hand_in, mail, to)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()), (_FOR_GOOD, b""))
            raise _error(code, said) from refused
        except smtplib.SMTPResponseException as refused:
            if isinstance(refused, smtplib.SMTPAuthenticationError):
                raise GatewayAway(f"the mail server does not take our password ({refused.smtp_code})") from refused
            raise _error(refused.smtp_code, refused.smtp_error) from refused
        except (smtplib.SMTPException, OSError) as error:
            raise GatewayAway(f"the mail server does not answer: {type(error).__name__}") from error
        return str(mail["Message-ID"])

    async def close(self) -> None: ...

    def _written(
        self, to: str, subject: str, text: str, attachments: Sequence[Attachment], key: str, foot: str
    ) -> EmailMessage:
        if _ADDRESS.fullmatch(to) is None:
            raise Undeliverable("this is no e-mail address")
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"], mail["To"] = self._sender, to
        mail["Subject"] = " ".join(subject.split())
        mail["Message-ID"] = f"<{key}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{text}\n\n{foot}\n" if foot else f"{text}\n")
        mail.add_alternative(_PAGE.format(text=text, foot=foot), subtype="html")
        for each in attachments:
            kind, _, subkind = each.mime.partition("/")
            mail.add_attachment(each.data, maintype=kind, subtype=subkind, filename=each.name)
        return mail

    def _hand_in(self, mail: EmailMessage, to: str) -> None:
        server, trust = self._server, ssl.create_default_context(cafile=self._server.ca_file)
        connection: smtplib.SMTP
        if server.security == "tls":
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=trust)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        try:
            if server.security == "starttls":
                connection.starttls(context=trust)
            if server.username and server.password:
                connection.login(server.username, server.password)
            connection.send_message(mail, to_addrs=[to])
        finally:
            connection.close()  # without a QUIT, whose answer a server that is cross with us may never give


def _error(code: int, said: bytes | str) -> Exception:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    reason = f"the mail server answers {code} {' '.join(text.split())}"[:300]
    return Undeliverable(reason) if code >= _FOR_GOOD else GatewayAway(reason)


def read_bounce(source: bytes) -> Bounce:
    """The message that a delivery report (RFC 3464) is about. BounceError for any other bytes."""
    try:
        mail = email.message_from_bytes(source, policy=email.policy.default)
        parts = list(mail.walk())
        status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
        text = status.as_string() if status is not None else ""
    except Exception as error:  # the parser of the library is not safe against every text
        raise BounceError(f"this is no e-mail: {type(error).__name__}") from error
    action = re.search(r"^Action:\s*(\w+)", text, re.M | re.I)
    if action is None:
        raise BounceError("this e-mail is no delivery report")
    key = _KEY.search(source.decode("utf-8", "replace"))
    if key is None:
        raise BounceError("the report names none of our messages")
    code = re.search(r"^Status:\s*(\d\.\d{1,3}\.\d{1,3})", text, re.M | re.I)
    said = re.search(r"^Diagnostic-Code:\s*(.+)", text, re.M | re.I)
    why = " ".join(filter(None, ("bounced", code and code[1], said and said[1].strip())))
    return Bounce(key[1], action[1].lower() == "failed", why[:300])
