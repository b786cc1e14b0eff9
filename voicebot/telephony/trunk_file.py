"""The trunk file: TOML tables to trunks, and every mistake in them named with its remedy."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from voicebot.config import Settings, SettingsError, config_file, host_port
from voicebot.telephony.trunk import (
    DEFAULT_PORT,
    Account,
    CallerIdentity,
    CallerRule,
    CodecName,
    Inbound,
    Network,
    NumberFormat,
    Registering,
    Shape,
    Srtp,
    Transport,
    Trunk,
)

SHORT_FORM = "trunk"
"""The name of the one trunk that VOICEBOT_TRUNK makes."""
_USER = re.compile(r"[A-Za-z0-9+\-_.!~*'()&=$,;?/%]+")
_HOST = re.compile(r"[A-Za-z0-9.\-_]+|[0-9A-Fa-f:]+")
_LINE = re.compile(r"[^\r\n\x00]*")


class TrunkFileError(SettingsError):
    """The trunks can't be used; one line per mistake, with file, trunk, key and remedy."""


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise ValueError("expected a number or a SIP user name, such as +861012345678")
    return value


def _line(value: str) -> str:
    if not _LINE.fullmatch(value):
        raise ValueError("must be one line")
    return value


def _domain(value: str) -> str:
    host, _, port = value.partition(":")
    if not _HOST.fullmatch(host) or (port and not port.isdigit()):
        raise ValueError("expected a host name or address without sip:, such as ims.example.net")
    return value


User = Annotated[str, AfterValidator(_user)]
Line = Annotated[str, AfterValidator(_line)]
Domain = Annotated[str, AfterValidator(_domain)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Secret(_Table):
    """user and a password that stands in a file or an environment variable, never here."""

    user: User | None = None
    password_file: Path | None = None
    password_env: str | None = None
    realm: Line | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Secret:
        sources = [s for s in (self.password_file, self.password_env) if s is not None]
        if self.user is not None and len(sources) != 1:
            raise ValueError("a user needs password_file or password_env, one of them")
        if self.user is None and sources:
            raise ValueError("a password needs a user")
        return self

    def account(self, folder: Path) -> Account | None:
        return Account(self.user, self._password(folder), self.realm) if self.user is not None else None

    def _password(self, folder: Path) -> str:
        if self.password_env is not None:
            value = os.environ.get(self.password_env, "")
            if not value:
                raise ValueError(f"password_env: set the environment variable {self.password_env}")
            return value
        assert self.password_file is not None
        path = folder / self.password_file.expanduser()
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"password_file: {path} can't be read: {error}") from error
        if not value or "\n" in value:
            raise ValueError(f"password_file: {path} must hold the password in one line")
        return value


class _Caller(_Table):
    numbers: Annotated[list[User], Field(min_length=1)] | None = None
    rule: CallerRule = CallerRule.FIXED
    display: Line | None = None
    domain: Domain | None = None
    asserted: bool = False
    preferred: bool = False
    diversion: User | None = None
    privacy: Literal["none", "id", "user", "header", "session", "critical", "id;critical"] | None = None


class _Numbers(_Table):
    shape: Shape = Shape.E164
    strip: Annotated[str, Field(pattern=r"^[0-9+*#]*$")] = ""
    prefix: Annotated[str, Field(pattern=r"^[0-9+*#]*$")] = ""


class _Inbound(_Secret):
    peers: list[str] = []
    digest: Literal["md5", "sha-256"] = "md5"
    script: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]+$")] | None = None
    called: dict[User, Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]+$")]] = {}

    @model_validator(mode="after")
    def _networks(self) -> _Inbound:
        for peer in self.peers:
            try:
                ipaddress.ip_network(peer)
            except ValueError as error:
                raise ValueError(f"peers: expected networks such as 198.51.100.0/24: {error}") from error
        return self


class _Trunk(_Secret):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]
    host: str
    transport: Transport = "udp"
    domain: Domain | None = None
    proxy: str | None = None
    registering: Annotated[bool, Field(alias="register")] = False
    registrar: str | None = None
    expires_s: Annotated[int, Field(ge=30, le=86400)] = 300
    priority: Annotated[int, Field(ge=0, le=1000)] = 10
    weight: Annotated[int, Field(ge=0, le=1000)] = 10
    max_calls: Annotated[int, Field(ge=1, le=10000)] = 30
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    codecs: Annotated[list[CodecName], Field(min_length=1)] = ["PCMA", "PCMU"]
    srtp: Srtp = "off"
    session_expires_s: Annotated[int, Field(ge=0, le=86400)] = 1800
    transfer: Literal["bridge", "refer"] = "bridge"
    dtmf: Literal["rfc4733", "info"] = "rfc4733"
    options_every_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    early_media: bool = True
    try_s: Annotated[float, Field(ge=1, le=32)] = 5.0
    caller: _Caller = _Caller()
    numbers: _Numbers = _Numbers()
    inbound: _Inbound = _Inbound()

    @model_validator(mode="after")
    def _consistent(self) -> _Trunk:
        _host_of(self.host, self.transport)
        if self.registering and self.user is None:
            raise ValueError("register needs user and password_file or password_env")
        if self.srtp == "require" and self.transport != "tls":
            raise ValueError('srtp = "require" needs transport = "tls": keys that travel in clear protect nothing')
        if 0 < self.session_expires_s < 90:
            raise ValueError("session_expires_s: 90 or more (RFC 4028 section 5), or 0 for no session timer")
        return self

    def made(self, folder: Path) -> Trunk:
        host, port = _host_of(self.host, self.transport)
        registrar = _sip(self.registrar) if self.registrar else None
        return Trunk(
            self.name, host, port, self.transport, self.domain,
            _proxy(self.proxy, self.transport) if self.proxy else None,
            account=self.account(folder),
            registering=Registering(registrar, self.expires_s) if self.registering else None,
            priority=self.priority, weight=self.weight, max_calls=self.max_calls,
            calls_per_second=self.calls_per_second, codecs=tuple(self.codecs), srtp=self.srtp,
            caller=CallerIdentity(
                tuple(self.caller.numbers or (self.user or "voicebot",)), self.caller.rule, self.caller.display,
                self.caller.domain, self.caller.asserted, self.caller.preferred, self.caller.diversion,
                self.caller.privacy,
            ),
            numbers=NumberFormat(self.numbers.shape, self.numbers.strip, self.numbers.prefix),
            session_expires_s=self.session_expires_s or None, transfer=self.transfer, dtmf=self.dtmf,
            options_every_s=self.options_every_s, early_media=self.early_media, try_s=self.try_s,
            inbound=Inbound(
                _peers(self.inbound.peers, host), self.inbound.account(folder),
                "MD5" if self.inbound.digest == "md5" else "SHA-256", self.inbound.script,
                tuple(self.inbound.called.items()),
            ),
        )  # fmt: skip


def _host_of(value: str, transport: Transport) -> tuple[str, int]:
    """'sip.example.net', '192.0.2.4:5080' or '[2001:db8::4]:5060'."""
    host, port = value, DEFAULT_PORT[transport]
    if value.startswith("[") or value.count(":") == 1:
        if value.endswith("]"):
            host = value.strip("[]")
        else:
            host, port = host_port(value)
    if not _HOST.fullmatch(host):
        raise ValueError("host: expected host or host:port without sip:, such as sip.example.net:5060")
    return host, port


def _proxy(value: str, transport: Transport) -> str:
    if value.startswith(("sip:", "sips:")):
        return value
    host, port = _host_of(value, transport)
    return f"sip:{f'[{host}]' if ':' in host else host}:{port};transport={transport}"


def _sip(value: str) -> str:
    return value if value.startswith(("sip:", "sips:")) else f"sip:{value}"


def _peers(peers: Sequence[str], host: str) -> tuple[Network, ...]:
    """The networks named; else the trunk's own address where it is one."""
    if peers:
        return tuple(ipaddress.ip_network(peer) for peer in peers)
    try:
        return (ipaddress.ip_network(host),)
    except ValueError:
        return ()


def trunks_of(settings: Settings) -> tuple[Trunk, ...]:
    """The trunks that the settings name: a file, tables of the settings file, or the short form. TrunkFileError."""
    if isinstance(settings.trunks, Path):
        return read_trunks(settings.trunks)
    if settings.trunks:
        file = config_file()
        return _trunks(settings.trunks, str(file or "settings"), file.absolute().parent if file else Path())
    if settings.trunk is None:
        return ()
    host, port = host_port(settings.trunk)
    everything = settings.max_calls * settings.workers
    return (
        Trunk(
            SHORT_FORM, host, port, caller=CallerIdentity((settings.caller_id,)), max_calls=everything,
            calls_per_second=max(10.0, everything), options_every_s=0.0, inbound=Inbound(_peers((), host)),
        ),
    )  # fmt: skip


def channels_of(settings: Settings) -> int:
    """Calls that all trunks together carry at once; where there are none, those that the workers carry."""
    trunks = trunks_of(settings)
    return sum(trunk.max_calls for trunk in trunks) if trunks else settings.max_calls * settings.workers


def read_trunks(file: Path) -> tuple[Trunk, ...]:
    """The trunks of a file. TrunkFileError names every mistake in it."""
    try:
        with file.open("rb") as stream:
            tables = tomllib.load(stream)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        remedy = "give VOICEBOT_TRUNKS the path of a TOML file with [[trunks]]"
        raise TrunkFileError(f"{file}: {error}; {remedy}") from error
    unknown = sorted(set(tables) - {"trunks"})
    rows = tables.get("trunks")
    if unknown or not isinstance(rows, list) or not rows:
        wrong = f"{unknown[0]!r} is no table of a trunk file" if unknown else "no [[trunks]]"
        raise TrunkFileError(f"{file}: {wrong}: every trunk begins with a line [[trunks]]")
    return _trunks(rows, str(file), file.absolute().parent)


def _trunks(rows: Sequence[Any], source: str, folder: Path) -> tuple[Trunk, ...]:
    made: list[Trunk] = []
    mistakes: list[str] = []
    for number, row in enumerate(rows, 1):
        where = f"{source}: trunk {_name(row, number)}"
        try:
            trunk = _Trunk.model_validate(row).made(folder)
        except ValidationError as error:
            mistakes += [f"{where}, {_said(one)}" for one in error.errors()]
        except ValueError as error:
            mistakes.append(f"{where}, {error}")
        else:
            if any(trunk.name == other.name for other in made):
                mistakes.append(f"{where}, name: taken by a trunk above, choose another")
            made.append(trunk)
    if mistakes:
        raise TrunkFileError("\n".join(mistakes))
    return tuple(made)


def _name(row: object, number: int) -> str:
    name = row.get("name") if isinstance(row, Mapping) else None
    return repr(name) if isinstance(name, str) else f"number {number}"


def _said(error: Any) -> str:
    """One mistake of pydantic's, without the value: it may be a password in the wrong place."""
    key = ".".join(str(part) for part in error["loc"]) or "the trunk"
    if error["type"] == "extra_forbidden":
        secret = " (a password stands in password_file or password_env)" if "password" in key else ""
        return f"{key}: no such key, see docs/how-to/sip-trunk.md{secret}"
    return f"{key}: {error['msg'].removeprefix('Value error, ')}"
