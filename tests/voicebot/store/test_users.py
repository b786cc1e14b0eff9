"""Users: passwords, locks, links and tokens."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from argon2 import PasswordHasher

from voicebot.domain.records import Role
from voicebot.store import Store, users
from voicebot.store.lockouts import FAILURES_ALLOWED, PASSWORD, Attempt, wait_after
from voicebot.store.users import LoginRefused

from .samples import MINUTE, NOON


async def test_passwords_are_checked_and_kept_as_argon2(store: Store, database_url: str) -> None:
    await store.users.create("wang", Role.OPERATOR, NOON, password="correct horse")
    assert (await store.users.login("Wang", "correct horse", NOON)).role is Role.OPERATOR
    for username, password in [("wang", "wrong"), ("li", "correct horse"), ("wang", "")]:
        with pytest.raises(LoginRefused):
            await store.users.login(username, password, NOON)
    with psycopg.connect(database_url) as connection:
        assert "$argon2id$" in str(connection.execute("SELECT password_hash FROM users").fetchone())


@pytest.mark.parametrize("username", ["wang", "nobody"])
async def test_waits_after_five_failures_grow_for_known_and_unknown_names_alike(
    store: Store, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(users, "_hasher", quick)
    monkeypatch.setattr(users, "_NOBODY", quick.hash("nobody's"))
    await store.users.create("wang", Role.ADMIN, NOON, password="right")
    at, waits = NOON, []
    for _ in range(FAILURES_ALLOWED + 2):
        with pytest.raises(LoginRefused) as refused:
            await store.users.login(username, "wrong", at)
        until = refused.value.locked_until
        waits.append(round((until - at) / MINUTE) if until else 0)
        at = until or at
    assert waits == [0, 0, 0, 0, 1, 2, 4]
    with pytest.raises(LoginRefused) as refused:
        await store.users.login(username, "right", at - MINUTE)
    assert refused.value.locked_until == at
    with pytest.raises(LoginRefused):
        await store.users.login(username, "wrong", at - MINUTE / 2)
    assert [user.locked_until for user in await store.users.all()] == [at if username == "wang" else None]
    if username == "wang":
        assert await store.users.login("wang", "right", at)
        assert (await store.users.all())[0].locked_until is None


async def test_a_hundred_guesses_at_once_count_as_a_hundred(store: Store) -> None:
    tried = await asyncio.gather(*(store.lockouts.attempt(PASSWORD, "wang", NOON) for _ in range(20)))
    assert sum(one.refused_until is None for one in tried) == FAILURES_ALLOWED


async def test_an_administrator_ends_a_wait_and_a_day_ends_the_count(store: Store) -> None:
    for _ in range(FAILURES_ALLOWED):
        await store.lockouts.attempt(PASSWORD, "Wang", NOON)
    assert (await store.lockouts.attempt(PASSWORD, "wang", NOON)).refused_until == NOON + MINUTE
    assert await store.lockouts.forget(["wang"], NOON) == 1
    assert (await store.lockouts.attempt(PASSWORD, "wang", NOON)) == Attempt()
    for _ in range(3):
        await store.lockouts.attempt(PASSWORD, "wang", NOON)
    assert (await store.lockouts.attempt(PASSWORD, "wang", NOON + 1441 * MINUTE)) == Attempt()


def test_the_longest_wait_is_an_hour() -> None:
    assert [wait_after(n) for n in (4, 5, 11, 12, 10_000)] == [None, MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE]


async def test_links_work_once_and_tokens_until_revoked(store: Store, database_url: str) -> None:
    await store.users.create("admin", Role.ADMIN, NOON)
    with pytest.raises(LoginRefused):
        await store.users.login("admin", "", NOON)
    link, late = [await store.users.issue_link("admin", NOON) for _ in range(2)]
    user = await store.users.redeem_link(link, NOON + MINUTE)
    assert user is not None and user.username == "admin"
    assert await store.users.redeem_link(link, NOON + MINUTE) is None
    assert await store.users.redeem_link(late, NOON + 61 * MINUTE) is None
    token = await store.tokens.issue("admin", "crm", NOON)
    assert await store.users.redeem_link(token, NOON) is None, "a token is no link"
    found = await store.tokens.find(token, NOON)
    assert found is not None and found.username == "admin" and found.scopes == frozenset()
    with psycopg.connect(database_url) as connection:
        kept = str(connection.execute("SELECT * FROM secrets").fetchall())
    assert token not in kept and link not in kept
    assert await store.users.revoke_tokens("admin") == 3
    assert await store.tokens.find(token, NOON) is None


async def test_roles_have_permissions(store: Store) -> None:
    assert "users" in await store.users.permissions_of(Role.ADMIN)
    assert await store.users.permissions_of(Role.AGENT) == {"calls", "desk", "tickets", "appeal", "names"}
    roles = await store.users.roles()
    assert roles["auditor"] == {"calls", "reports", "scripts", "operations", "access"}
    assert all(roles[role] for role in Role) and roles["admin"] >= roles["auditor"]
