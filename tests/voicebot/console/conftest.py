"""One running console for all tests that ask it something over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from argon2 import PasswordHasher

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.served import Served, serving
from voicebot.store import users


@pytest.fixture(scope="session")
def console(postgres: str) -> Iterator[Served]:
    with serving(postgres) as served:
        yield served


@pytest.fixture
def stranger(console: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=console.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def log_in(console: Served) -> Iterator[Callable[[str], httpx.Client]]:
    """A client of a logged-in user; each user logs in once."""
    clients: dict[str, httpx.Client] = {}

    def client_of(username: str) -> httpx.Client:
        if username not in clients:
            client = httpx.Client(base_url=console.url, timeout=60)
            answer = client.post("/login", data={"username": username, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            clients[username] = client
        return clients[username]

    yield client_of
    for client in clients.values():
        client.close()


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with next to no work, for tests that log in often and try something else."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", quick)
    monkeypatch.setattr(users, "_NOBODY", quick.hash("nobody's"))


@pytest.fixture
def admin(log_in: Callable[[str], httpx.Client]) -> httpx.Client:
    return log_in("demo")
