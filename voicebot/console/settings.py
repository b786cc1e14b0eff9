"""ConsoleSettings: where the console listens and what it may show."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.config import Settings, check_door, host_port
from voicebot.console.oidc import SingleSignOn, role_rules
from voicebot.domain.ice import IceServer


@dataclass(frozen=True, slots=True)
class Door:
    """How people come in.

    `idle_minutes`: a session that nobody uses for so long ends; an open page alone is no use of it. `certificate`:
    chain and private key, PEM; None: no TLS of our own. `behind_proxy`: a proxy with TLS stands in front, so addresses
    are what it says they are, and cookies are for https alone. Rates: logins of one address, API calls of one token or
    session, exports of one user.
    """

    session_hours: int = 12
    idle_minutes: int = 120
    certificate: tuple[Path, Path] | None = None
    behind_proxy: bool = False
    single_sign_on: SingleSignOn | None = None
    logins_per_minute: int = 60
    api_per_minute: int = 1200
    exports_per_minute: int = 60

    @property
    def https(self) -> bool:
        """Whether browsers reach us by https."""
        return self.certificate is not None or self.behind_proxy


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Settings of one console.

    `secret` signs the first administrator's link and what passes between two steps of a login. ValueError for a `host`
    beyond loopback whose door has no TLS.
    `recordings` is the only folder from which audio and bundles are ever read.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    recordings: Path = Path("recordings")
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    demo_login: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password shown on the login page of a demo, never set otherwise."""
    home: Path | None = None
    """Where lines leave their figures; None shows none."""
    door: Door = field(default_factory=Door)
    synthesizer: str = "embedded"
    """The engine that speaks lines of call scripts to their designers, as VOICEBOT_SYNTHESIZER names it."""
    version: str = ""
    softphone: Path | None = None
    """The socket of this machine's softphone gateway; None: there are no telephones in the browser."""
    message_secret: str = field(default="", repr=False)
    """Signs what message gateways report to us; without it nothing is believed."""
    wechat_token: str = field(default="", repr=False)
    ice_servers: tuple[IceServer, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        check_door(self.host, encrypted=self.door.https)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.door.certificate else 'http'}://{host}:{self.port}"


def door_of(settings: Settings) -> Door:
    """How people come in, as an operator set it. ValueError says what is wrong with it, and who must do what."""
    single = None
    if settings.oidc_issuer:
        secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
        url = settings.oidc_url or f"http://{settings.http_listen}"
        rules = role_rules(settings.oidc_roles)
        single = SingleSignOn(settings.oidc_issuer, settings.oidc_client_id, secret, rules, url, settings.oidc_ca)
    pair = (settings.http_certificate, settings.http_key)
    door = Door(
        session_hours=settings.session_hours,
        idle_minutes=settings.session_idle_minutes,
        certificate=(pair[0], pair[1]) if pair[0] and pair[1] else None,
        behind_proxy=settings.http_behind_proxy,
        single_sign_on=single,
    )
    check_door(host_port(settings.http_listen)[0], encrypted=door.https)
    if door.certificate:
        _check_certificate(*door.certificate)
    return door


def _check_certificate(chain: Path, key: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=lambda: "")
    except OSError as wrong:  # ssl.SSLError is one
        raise ValueError(f"VOICEBOT_HTTP_CERTIFICATE={chain}, VOICEBOT_HTTP_KEY={key}: {wrong}") from wrong
