"""Engines: which phone line the settings ask for, built from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sip.errors import SipError
from sip.media import Lateness
from sip.transport import TlsSettings
from voicebot.config import Settings, SettingsError, host_port
from voicebot.telephony.fellows import Fellows
from voicebot.telephony.leg import CallLeg, IncomingHandler, Line
from voicebot.telephony.numbers import place_of
from voicebot.telephony.pyvoip_engine import require_pyvoip
from voicebot.telephony.pyvoip_line import PyVoipLine, fitting
from voicebot.telephony.sip_line import Refusal, SipLine
from voicebot.telephony.trunk import CallerRule, Trunk
from voicebot.telephony.trunk_desk import TrunkDesk
from voicebot.telephony.trunk_file import trunks_of


class WorkerLine(Line, Protocol):
    """What the line process asks of an engine beside dialling."""

    trunks: TrunkDesk

    @property
    def lateness(self) -> Lateness: ...

    @property
    def late_ticks(self) -> tuple[tuple[str, int], ...]: ...

    def after_tick(self, callback: TickCallback) -> None: ...

    def script_of(self, leg: CallLeg) -> str | None: ...

    async def start(self, *, register: bool = True) -> None: ...

    def registers(self, trunk: str, ours: bool) -> None:
        """Whether it is on this line to stay registered with a trunk; said again changes nothing."""
        ...

    async def withdraw(self) -> None:
        """New calls are no longer wanted: registrars are told so. Running calls go on."""
        ...


class TickCallback(Protocol):
    def __call__(self, number: int, /) -> None: ...


def check_line(settings: Settings) -> None:
    """SettingsError for trunks or an engine that can't be used; asked before anything is started."""
    trunks = trunks_of(settings)
    if settings.line_engine == "pyvoip":
        require_pyvoip()
        fitting(trunks)
        if settings.workers != 1:
            raise SettingsError("VOICEBOT_LINE_ENGINE=pyvoip needs VOICEBOT_WORKERS=1: one extension registers once")


def open_line(
    settings: Settings,
    index: int,
    listen: tuple[str, int],
    rtp_ports: tuple[int, int],
    *,
    on_incoming: IncomingHandler,
    refusal: Refusal,
    fellows: Fellows | None = None,
    on_extension: IncomingHandler | None = None,
) -> WorkerLine:
    """The line of worker `index`, not yet started. SettingsError for trunks or certificates that can't be used.

    Each line knows the whole of every trunk; what is its part of them is settled by voicebot/worker/trunk_sharing.py.
    """
    trunks = trunks_of(settings)
    if any(trunk.caller.rule is CallerRule.AREA for trunk in trunks):
        place_of(trunks[0].caller.numbers[0])  # the tables load now and not during calls
    if settings.line_engine == "pyvoip":
        return PyVoipLine(listen, rtp_ports=rtp_ports, trunks=trunks, on_incoming=on_incoming, refusal=refusal)
    try:
        return SipLine(
            listen,
            rtp_ports=rtp_ports,
            allowed=settings.allowed_peers,
            caller_id=settings.caller_id,
            on_incoming=on_incoming,
            refusal=refusal,
            trunks=trunks,
            tcp=settings.sip_tcp,
            tls=tls_of(settings, trunks),
            tls_listen=_tls_listen(settings, index),
            public_address=settings.public_address,
            fellows=fellows,
            on_extension=on_extension,
        )
    except SipError as error:
        raise SettingsError(f"VOICEBOT_TLS_CERTIFICATE, VOICEBOT_TLS_KEY or VOICEBOT_TLS_CA: {error}") from error


def tls_of(settings: Settings, trunks: Sequence[Trunk]) -> TlsSettings | None:
    """With a certificate we also listen; without one only trunks over TLS are reached."""
    wanted = settings.tls_certificate or settings.sip_tls_listen or any(t.transport == "tls" for t in trunks)
    if not wanted:
        return None
    return TlsSettings(settings.tls_certificate, settings.tls_key, settings.tls_ca)


def _tls_listen(settings: Settings, index: int) -> tuple[str, int] | None:
    """As with UDP: every worker two ports above the one before."""
    if settings.sip_tls_listen is None:
        return None
    host, port = host_port(settings.sip_tls_listen)
    return host, port + 2 * index if port else 0
