"""Settings: every choice an operator can make, from VOICEBOT_… variables or a TOML file."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from voicebot.config_names import strangers
from voicebot.domain.case import INSTITUTION
from voicebot.domain.ice import parse_ice_servers
from voicebot.places import default_home
from voicebot.places import intent_model_dir as intent_model_dir
from voicebot.places import models_dir as models_dir
from voicebot.places import pulled_models_dir as pulled_models_dir
from voicebot.places import scripts_dir as scripts_dir

_CONFIG_VARIABLE = "VOICEBOT_CONFIG"


class SettingsError(ValueError):
    """The settings can't be used; the message names the key and the remedy, for the operator."""


class Settings(BaseSettings):
    """All settings. Addresses are host:port; port 0 asks for a free one."""

    model_config = SettingsConfigDict(env_prefix="VOICEBOT_", extra="ignore")

    home: Path = Field(default_factory=default_home, description="All state lies below this folder")
    database_url: str | None = Field(default=None, description="PostgreSQL to use instead of the embedded one")
    sip_listen: str = Field(default="127.0.0.1:5060", description="Where the first worker listens for SIP (UDP)")
    http_listen: str = Field(default="127.0.0.1:8080", description="Where console and API listen")
    http_certificate: Path | None = Field(default=None, description="The console's certificate chain, PEM")
    http_key: Path | None = Field(default=None, description="Its private key, PEM")
    http_behind_proxy: bool = Field(
        default=False, description="A reverse proxy with TLS stands before the console, and nobody reaches it otherwise"
    )
    session_hours: int = Field(default=12, ge=1, le=168, description="How long a login lasts at most")
    session_idle_minutes: int = Field(default=120, ge=1, le=1440, description="How long one that nobody uses")
    oidc_issuer: str | None = Field(default=None, description="OpenID Connect provider of single sign-on, https://…")
    oidc_client_id: str = Field(default="voicebot", description="Our name there")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Our secret there")
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Which claim makes which role, such as groups:voicebot-admins=admin, by commas"
    )
    oidc_url: str | None = Field(default=None, description="The console's own address there, https://console.example")
    oidc_ca: Path | None = Field(default=None, description="Authorities the provider's certificate may come from, PEM")
    workers: int = Field(default=1, ge=1, le=64, description="Pairs of line and brain on this machine")
    inbound_script: str = Field(default="inbound", description="Call script that answers incoming calls")
    institution: str = Field(
        default=INSTITUTION, min_length=1, description="Neutral name for callers whose case is not known"
    )
    allowed_peers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.0/8", "::1/128"), description="Networks whose INVITEs are answered, separated by commas"
    )
    worker_address: str | None = Field(
        default=None, description="IP address by which other workers reach this one; default: as the database sees us"
    )
    max_calls: int = Field(default=40, ge=1, le=2000, description="Calls at once per worker")
    rtp_ports: str = Field(default="30000-34999", description="UDP ports for media, first-last")
    trunk: str | None = Field(default=None, description="host:port of the SIP trunk for numbers; sip: URIs go direct")
    trunks: Annotated[Path | tuple[dict[str, Any], ...] | None, NoDecode] = Field(
        default=None, description="TOML file of trunks; in the settings file also [[trunks]]"
    )
    caller_id: str = Field(default="voicebot", description="User part of our From address, where no trunk names one")
    most_late_ms: float = Field(
        default=80.0,
        ge=5,
        le=1000,
        description="Tick lateness (p99) at which a worker takes no further call; lag of loop and brain in proportion",
    )
    line_engine: Literal["sip", "pyvoip"] = Field(default="sip", description="What speaks SIP and RTP")
    public_address: str | None = Field(default=None, description="Our IP address as seen from outside a NAT")
    sip_tcp: bool = Field(default=False, description="Listen on TCP too, on the port of sip_listen")
    sip_tls_listen: str | None = Field(default=None, description="Where the first worker listens for SIP over TLS")
    tls_certificate: Path | None = Field(default=None, description="Our certificate, PEM")
    tls_key: Path | None = Field(default=None, description="Its private key, PEM")
    tls_ca: Path | None = Field(default=None, description="Authorities we trust, PEM; the system's if left out")
    recognizer: str = Field(
        default="embedded", description="embedded, sherpa:NAME, whisper:NAME or remote:ws://HOST:PORT"
    )
    synthesizer: str = Field(default="embedded", description="embedded, piper:NAME or recorded:FOLDER")
    voice_activity: Literal["silero", "webrtc"] = Field(
        default="silero", description="What hears voices: silero, or webrtc, cheaper and easily fooled"
    )
    transfer_wait_s: float = Field(default=60, ge=0, le=900, description="How long a call waits for a person")
    transfer_urgent_wait_s: float = Field(default=45, ge=5, le=900, description="The same while somebody is in danger")
    transfer_ring_s: float = Field(default=20, ge=3, le=120, description="How long one agent's phone rings")
    transfer_by_key: bool = Field(
        default=False, description="Agents accept by key 1 or click; else by hearing the briefing to its end"
    )
    transfer_targets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Beginnings of outside numbers and URIs that agents may ring, by commas; * is all"
    )
    transfer_greeting: bool = Field(default=True, description="Both hear a short sentence when an agent has joined")
    message_webhook: str | None = Field(
        default=None, description="URL that short messages are posted to; without it none are sent"
    )
    message_secret: SecretStr | None = Field(default=None, description="Secret that signs those posts")
    message_templates: Path | None = Field(default=None, description="YAML file with the wording of short messages")
    push_webhook: str | None = Field(default=None, description="URL that app push messages are posted to, signed alike")
    smtp_url: str | None = Field(
        default=None, description="Mail server: smtps://user@host, smtp://user@host (STARTTLS) or smtp+plain://host"
    )
    smtp_from: str = Field(default="", description="Sender of e-mail, such as 客服 <service@example.com>")
    smtp_password: SecretStr | None = Field(default=None, description="Password for the mail server")
    smtp_ca: Path | None = Field(default=None, description="Authorities the mail server's certificate may come from")
    wechat_app_id: str | None = Field(default=None, description="Official account that sends template messages")
    wechat_secret: SecretStr | None = Field(default=None, description="Its secret")
    wechat_token: SecretStr | None = Field(default=None, description="Token that signs what WeChat reports to us")
    wechat_templates: Path | None = Field(default=None, description="YAML file: message, template id and its fields")
    wechat_api: str = Field(default="https://api.weixin.qq.com", description="Where WeChat's interface is reached")
    letters: bool = Field(default=False, description="Letters may be sent: as pages to print below home/letters")
    channels: Path | None = Field(default=None, description="YAML file with caps and hours of each message channel")
    follow_up: Path | None = Field(default=None, description="YAML file with terms of promises, tickets and recaps")
    score_model: str | None = Field(
        default=None, description="module:object with predict_proba that scores cases in the scorecard's place"
    )
    timestamp_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Time-stamp authorities (RFC 3161) that witness the log of evidence, by commas"
    )
    timestamp_roots: Path | None = Field(default=None, description="Certificates that must have signed those, PEM")
    witnesses: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="More witnesses of that log (a notary's platform), each module:factory, by commas"
    )
    timestamp_every_s: float = Field(default=600, ge=10, description="How often they are asked")
    vault_key: str | None = Field(
        default=None, description="Master key that encrypts bundles: a file, env:NAME or python:module:factory"
    )
    backup_key: str | None = Field(
        default=None, description="Master key that encrypts backups, given alike; without it the vault's"
    )
    disk_reserve_mb: int = Field(default=512, ge=0, description=(
        "Nobody is dialled when less is free for recordings; where the rulebook wants more, that counts"
    ))
    metrics_listen: str | None = Field(
        default=None, description="Where Prometheus reads /metrics from elsewhere, such as 10.0.0.5:9464; no login"
    )
    otlp_endpoint: str | None = Field(
        default=None, description="OpenTelemetry collector for traces (OTLP over HTTP), such as http://host:4318"
    )
    otlp_share: float = Field(default=1.0, ge=0, le=1, description="Share of all calls that are traced")
    object_store: str | None = Field(
        default=None, description="Where sealed calls are uploaded to: s3://bucket or s3://bucket/prefix"
    )
    object_store_endpoint: str | None = Field(default=None, description="URL of an S3 store other than Amazon's")
    object_store_region: str | None = Field(default=None, description="Its region")
    object_store_key_id: str | None = Field(default=None, description="Access key; without it boto3 looks for one")
    object_store_secret: SecretStr | None = Field(default=None, description="Secret of that access key")
    object_store_ca: Path | None = Field(default=None, description="Authorities the store's certificate may come from")
    object_lock: Literal["off", "governance", "compliance"] = Field(
        default="governance", description="How retention and legal holds bind the store; off where it has no locks"
    )
    keep_local_days: float | None = Field(
        default=None, ge=0, description="Days after a verified upload until the local copy goes; without it, it stays"
    )
    drain_seconds: float = Field(default=180, ge=0, description="How long running calls may go on after SIGTERM")
    softphone_listen: str | None = Field(
        default=None, description="Where browsers' telephones are SIP extensions; default: the SIP host, any free port"
    )
    softphone_rtp_ports: str = Field(default="35000-35999", description="UDP ports between lines and softphones")
    ice_servers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="stun:host:port and turn:user:password@host:port for softphones, separated by commas"
    )

    @field_validator(
        "allowed_peers", "ice_servers", "transfer_targets", "timestamp_urls", "witnesses", "oidc_roles", mode="before"
    )
    @classmethod
    def _split_peers(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_peers")
    @classmethod
    def _check_peers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("ice_servers")
    @classmethod
    def _check_ice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_ice_servers(value)
        return value

    @field_validator("home")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator(
        "trunks", "tls_certificate", "tls_key", "tls_ca", "message_templates", "smtp_ca", "wechat_templates",
        "channels", "follow_up", "timestamp_roots", "object_store_ca",
    )  # fmt: skip
    @classmethod
    def _expand_path(cls, value: object) -> object:
        return value.expanduser().absolute() if isinstance(value, Path) else value

    @field_validator("public_address", "worker_address")
    @classmethod
    def _check_ip(cls, value: str | None) -> str | None:
        return str(ipaddress.ip_address(value)) if value is not None else None

    @field_validator("sip_listen", "http_listen", "trunk", "sip_tls_listen", "softphone_listen", "metrics_listen")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None:
            host_port(value)
        return value

    @field_validator("rtp_ports", "softphone_rtp_ports")
    @classmethod
    def _check_ports(cls, value: str) -> str:
        first, _, last = value.partition("-")
        if not (first.isdigit() and last.isdigit() and 1024 <= int(first) < int(last) <= 65535):
            raise ValueError("expected two ports, first-last, between 1024 and 65535, such as 30000-34999")
        return value

    @field_validator("message_webhook", "push_webhook", "wechat_api", "otlp_endpoint")
    @classmethod
    def _check_webhook(cls, value: str | None) -> str | None:
        if value is not None:
            HttpUrl(value)
        return value

    @field_validator("object_store")
    @classmethod
    def _check_store(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#]*)?", value):
            raise ValueError("expected s3://bucket or s3://bucket/prefix")
        return value

    @model_validator(mode="after")
    def _check_messages(self) -> Self:
        if (self.message_webhook or self.push_webhook) and self.message_secret is None:
            name = "VOICEBOT_MESSAGE_WEBHOOK" if self.message_webhook else "VOICEBOT_PUSH_WEBHOOK"
            raise ValueError(f"{name} needs VOICEBOT_MESSAGE_SECRET: unsigned messages are not sent")
        return self

    @model_validator(mode="after")
    def _check_certificate(self) -> Self:
        if (self.http_certificate is None) != (self.http_key is None):
            raise ValueError("VOICEBOT_HTTP_CERTIFICATE and VOICEBOT_HTTP_KEY need each other")
        return self

    @property
    def message_channels(self) -> tuple[str, ...]:
        """By which channels this installation can send messages."""
        wechat = self.wechat_app_id and self.wechat_secret and self.wechat_templates
        ways = {"sms": self.message_webhook, "wechat": wechat, "push": self.push_webhook, "email": self.smtp_url,
                "letter": self.letters}  # fmt: skip
        return tuple(name for name, way in ways.items() if way)

    @property
    def in_writing(self) -> bool:
        """Whether there is any way to send a message."""
        return bool(self.message_channels)

    @property
    def recordings(self) -> Path:
        """Evidence bundles, YYYY/MM/DD/<call-id>/."""
        return self.home / "recordings"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def rtp_range(self) -> tuple[int, int]:
        return _ports(self.rtp_ports)

    @property
    def softphone_rtp_range(self) -> tuple[int, int]:
        return _ports(self.softphone_rtp_ports)

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        return host_port(self.metrics_listen) if self.metrics_listen else None

    @property
    def softphone_address(self) -> tuple[str, int]:
        """Where the softphone gateway listens for the lines of this machine."""
        if self.softphone_listen is not None:
            return host_port(self.softphone_listen)
        host, _ = host_port(self.sip_listen)
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), 0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments beat the environment, the environment beats the file."""
        file = config_file()
        toml = (TomlConfigSettingsSource(settings_cls, file),) if file else ()
        return (init_settings, env_settings, *toml)


def load_settings(config: Path | None = None) -> Settings:
    """Read the settings; `config` is a TOML file, kept in the environment so that child processes find it.

    Raises SettingsError with one line per wrong key.
    """
    if config is not None:
        if not config.is_file():
            raise SettingsError(f"{config}: no such file; give --config the path of a TOML file")
        os.environ[_CONFIG_VARIABLE] = str(config.absolute())
    try:
        return Settings()
    except ValidationError as error:
        lines = [_told(str(one["loc"][0]), one["msg"], one["input"]) for one in error.errors()]
        raise SettingsError("\n".join(lines)) from error
    except ValueError as error:
        raise SettingsError(f"{config or 'settings'}: {error}") from error


def _told(key: str, message: str, given: object) -> str:
    """One line about one wrong key, without the passwords in it."""
    shown = "" if key in ("ice_servers", "database_url") else f" (got {given!r})"
    return f"VOICEBOT_{key.upper()}: {message}{shown}"


def unread_settings() -> list[str]:
    """One line per VOICEBOT_… variable, and per key of the settings file, that nobody reads, with what may be meant."""
    keys: tuple[str, ...] = ()
    if (file := config_file()) is not None:
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError):
            keys = tuple(tomllib.loads(file.read_text("utf-8")))
    return strangers(os.environ, keys, Settings.model_fields)


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last)


def config_file() -> Path | None:
    """The settings file of this process, where there is one."""
    file = os.environ.get(_CONFIG_VARIABLE)
    return Path(file) if file else None


def check_door(host: str, encrypted: bool) -> None:
    """ValueError when the console would listen beyond this machine without TLS, its own or a proxy's."""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside and not encrypted:
        raise ValueError(
            f"VOICEBOT_HTTP_LISTEN: the console does not listen on {host} without TLS, as passwords and personal data "
            "would cross the network in plain text. Set VOICEBOT_HTTP_CERTIFICATE and VOICEBOT_HTTP_KEY, or "
            "VOICEBOT_HTTP_BEHIND_PROXY=true when a proxy with TLS stands in front, or listen on 127.0.0.1"
        )


def host_port(address: str) -> tuple[str, int]:
    """Split 'host:port' or '[v6]:port'; ValueError says what was expected."""
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535 or not host:
        raise ValueError("expected host:port, such as 127.0.0.1:5060")
    return host.strip("[]"), int(port)
