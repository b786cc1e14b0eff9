"""ConsoleSettings: where the console listens and what it may show."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from voicebot.domain.ice import IceServer


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Settings of one console.

    `secret` signs session cookies; without one, everybody must log in again after a restart.
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
    session_hours: int = 12
    synthesizer: str = "embedded"
    """The engine that speaks lines of call scripts to their designers, as VOICEBOT_SYNTHESIZER names it."""
    version: str = ""
    softphone: Path | None = None
    """The socket of this machine's softphone gateway; None: there are no telephones in the browser."""
    message_secret: str = field(default="", repr=False)
    """Signs what message gateways report to us; without it nothing is believed."""
    wechat_token: str = field(default="", repr=False)
    ice_servers: tuple[IceServer, ...] = field(default=(), repr=False)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
