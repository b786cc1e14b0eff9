"""The softphone gateway's process: a SIP line and an event loop of its own, so that it disturbs nobody."""

from __future__ import annotations

import asyncio
import sys

import structlog

from voicebot.config import Settings
from voicebot.domain.clock import SystemClock
from voicebot.domain.ice import parse_ice_servers
from voicebot.softphone.gateway import Gateway
from voicebot.softphone.link import GatewayEnd, socket_path
from voicebot.softphone.phone import News
from voicebot.store import Store
from voicebot.store.urls import first_host
from voicebot.telephony.fellows import Fellows
from voicebot.telephony.leg import CallLeg
from voicebot.telephony.sip_line import SipLine
from voicebot.worker.company import fleet_secret, keep_company
from voicebot.worker.lifeline import database_url, run_process
from voicebot.worker.names import address_towards, machine_name, worker_name

log = structlog.get_logger(__name__)


class SoftphoneProcess:
    """Builds and runs one gateway."""

    def __init__(self, settings: Settings, store: Store, fellows: Fellows, *, with_lines: bool, database: str) -> None:
        """`with_lines`: lines of this machine reach the extensions, and lines of others by way of the first of them.

        Else the lines of other machines do, at the address at which `database` sees us.
        """
        self._settings, self._store, self._fellows = settings, store, fellows
        self._link = GatewayEnd(self._obey)
        servers = parse_ice_servers(settings.ice_servers)
        self._gateway = Gateway(
            machine_name(settings.home), store.softphones, SystemClock(), servers, lambda news: self._link.tell(news)
        )
        host, port = settings.softphone_address
        if with_lines:
            self._gateway.via = worker_name(0, settings.home)
        elif settings.softphone_listen is None:
            host = settings.worker_address or address_towards(database)
        self._line = SipLine(
            (host, port),
            rtp_ports=settings.softphone_rtp_range,
            allowed=_lines(settings, host),
            caller_id="softphone",
            on_incoming=self._ring,
            refusal=lambda: None,
            fellows=fellows,
            on_extension=self._ring,
        )
        self._gateway.of_fleet = not with_lines

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; then calls end and their agents are offline."""
        try:
            await self._line.start()
        except OSError as taken:
            log.error("no softphones: free VOICEBOT_SOFTPHONE_LISTEN, or leave it out", error=str(taken))
            raise SystemExit(1) from taken
        self._gateway.address = self._line.address
        await self._link.listen(socket_path(self._settings))
        sweeping = asyncio.create_task(self._gateway.run())
        company = asyncio.create_task(keep_company(self._store, self._fellows))
        log.info("softphones ready", sip=":".join(map(str, self._line.address)))
        try:
            await stop.wait()
        finally:
            sweeping.cancel()
            company.cancel()
            await self._gateway.close()
            await self._link.close()
            await self._line.close()

    async def _ring(self, leg: CallLeg) -> None:
        await self._gateway.ring(leg)

    async def _obey(self, verb: str, agent: str, session: str, more: News) -> News:
        return await self._gateway.obey(verb, agent, session, more)


def _lines(settings: Settings, host: str) -> tuple[str, ...]:
    """Who may ring the extensions: the lines of this machine, and our peers where an operator chose the address."""
    here = ("127.0.0.0/8", "::1/128", f"{host}/{128 if ':' in host else 32}")
    return (*here, *settings.allowed_peers) if settings.softphone_listen is not None else here


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    url = database_url()
    async with Store.from_url(url, pool_size=2) as store:
        fellows = Fellows(await fleet_secret(store, settings.home))
        with_lines = "lines" in sys.argv[1:]
        process = SoftphoneProcess(settings, store, fellows, with_lines=with_lines, database=first_host(url))
        await process.run(stop)


if __name__ == "__main__":  # python -m voicebot.softphone.process [lines]
    sys.exit(run_process(_main))
