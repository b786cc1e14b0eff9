"""A console in the test's own process: logins, accounts, people and API behind the gate; no socket and no pages."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from tests.voicebot.console.day import PASSWORD
from voicebot.console.account_api import access_routes, account_routes
from voicebot.console.api import api_routes
from voicebot.console.case_api import case_routes
from voicebot.console.gate import Gate
from voicebot.console.limits import Limits
from voicebot.console.login import login_routes
from voicebot.console.people_api import people_routes
from voicebot.console.second_step import second_step_routes
from voicebot.console.sessions import Sessions
from voicebot.console.settings import ConsoleSettings, Door
from voicebot.console.single_sign_on import single_sign_on_routes
from voicebot.console.store_data import StoreData
from voicebot.domain.clock import Clock, SystemClock
from voicebot.store import Store

URL = "https://console.example"


class Whole:
    """Browsers that know nothing of each other, on one console."""

    def __init__(self, store: Store, door: Door | None = None, clock: Clock | None = None) -> None:
        self.door = door or Door(behind_proxy=True)
        settings = ConsoleSettings(secret="a secret for tests", door=self.door)
        data, clock = StoreData(store, clock), clock or SystemClock()
        self._sessions = sessions = Sessions(data, settings)
        app = FastAPI()
        for routes in (
            login_routes(data, settings, sessions, clock),
            second_step_routes(data, settings, sessions, clock),
            single_sign_on_routes(data, settings, sessions),
            account_routes(data, settings, sessions),
            access_routes(data, sessions),
            people_routes(data, settings, sessions),
            api_routes(data, settings),
            case_routes(data),
        ):
            app.include_router(routes)
        limits = Limits(self.door.logins_per_minute, self.door.api_per_minute, self.door.exports_per_minute)
        self.app = Gate(app, sessions, limits, https=True, behind_proxy=self.door.behind_proxy)

    def forget(self) -> None:
        """Accounts are remembered for ten real seconds, whatever a clock of a test says."""
        self._sessions.forget()

    def browser(self, address: str = "203.0.113.9", token: str = "") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 40000), raise_app_exceptions=False)
        headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
        return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)

    async def logged_in(self, username: str, address: str = "203.0.113.9") -> httpx.AsyncClient:
        client = self.browser(address)
        answer = await client.post("/login", data={"username": username, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client
