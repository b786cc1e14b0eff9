"""Gateways: the channels that the settings of this installation open."""

from __future__ import annotations

from voicebot.config import Settings, SettingsError
from voicebot.domain.clock import Clock
from voicebot.domain.message import MessageChannel
from voicebot.messages.channel import Channel
from voicebot.messages.email import EmailChannel, mail_server
from voicebot.messages.letter import LetterChannel
from voicebot.messages.webhook import WebhookChannel
from voicebot.messages.wechat import WeChatChannel, WeChatError, load_wechat_templates


def open_gateways(settings: Settings, clock: Clock) -> dict[MessageChannel, Channel]:
    """SMS and push by webhook, e-mail, WeChat, letters: those that are configured. SettingsError."""
    found: dict[MessageChannel, Channel] = {}
    secret = settings.message_secret.get_secret_value() if settings.message_secret else ""
    if settings.message_webhook is not None:
        found[MessageChannel.SMS] = WebhookChannel(settings.message_webhook, secret, clock)
    if settings.push_webhook is not None:
        found[MessageChannel.PUSH] = WebhookChannel(settings.push_webhook, secret, clock, MessageChannel.PUSH)
    mail = email_channel(settings)
    if mail is not None:
        found[MessageChannel.EMAIL] = mail
    wechat = _wechat(settings, clock)
    if wechat is not None:
        found[MessageChannel.WECHAT] = wechat
    if settings.letters:
        found[MessageChannel.LETTER] = LetterChannel(settings.home / "letters", clock)
    return found


def email_channel(settings: Settings) -> EmailChannel | None:
    """The way to send e-mail, None where none is configured. SettingsError."""
    if settings.smtp_url is None:
        return None
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    try:
        server = mail_server(settings.smtp_url, password, str(settings.smtp_ca) if settings.smtp_ca else None)
        return EmailChannel(server, settings.smtp_from)
    except ValueError as error:
        raise SettingsError(f"VOICEBOT_SMTP_URL, VOICEBOT_SMTP_FROM: {error}") from error


def _wechat(settings: Settings, clock: Clock) -> WeChatChannel | None:
    if settings.wechat_app_id is None or settings.wechat_secret is None or settings.wechat_templates is None:
        return None
    try:
        templates = load_wechat_templates(settings.wechat_templates)
    except WeChatError as error:
        raise SettingsError(f"VOICEBOT_WECHAT_TEMPLATES: {error}") from error
    secret = settings.wechat_secret.get_secret_value()
    return WeChatChannel(settings.wechat_app_id, secret, templates, clock, settings.wechat_api)
