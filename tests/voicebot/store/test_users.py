"""Users: passwords, locks, links and tokens."""

from __future__ import annotations

import psycopg
import pytest

from voicebot.domain.records import Role
from voicebot.store import Store
from voicebot.store.users import FAILURES_ALLOWED, LoginRefused

from .samples import MINUTE, NOON


async def test_passwords_are_checked_and_kept_as_argon2(store: Store, database_url: str) -> None:
    await store.users.create("wang", Role.OPERATOR, NOON, password="correct horse")
    assert (await store.users.login("Wang", "correct horse", NOON)).role is Role.OPERATOR
    for username, password in [("wang", "wrong"), ("li", "correct horse"), ("wang", "")]:
        with pytest.raises(LoginRefused):
            await store.users.login(username, password, NOON)
    with psycopg.connect(database_url) as connection:
        assert "$argon2id$" in str(connection.execute("SELECT password_hash FROM users").fetchone())


async def test_five_failures_lock_for_a_while(store: Store) -> None:
    await store.users.create("wang", Role.ADMIN, NOON, password="right")
    for n in range(FAILURES_ALLOWED):
        with pytest.raises(LoginRefused) as refused:
            await store.users.login("wang", "wrong", NOON)
        assert (refused.value.locked_until is not None) == (n == FAILURES_ALLOWED - 1)
    with pytest.raises(LoginRefused):
        await store.users.login("wang", "right", NOON + 14 * MINUTE)
    assert await store.users.login("wang", "right", NOON + 16 * MINUTE)


async def test_links_work_once_and_tokens_until_revoked(store: Store, database_url: str) -> None:
    await store.users.create("admin", Role.ADMIN, NOON)
    with pytest.raises(LoginRefused):
        await store.users.login("admin", "", NOON)
    link, late = [await store.users.issue_link("admin", NOON) for _ in range(2)]
    user = await store.users.redeem_link(link, NOON + MINUTE)
    assert user is not None and user.username == "admin"
    assert await store.users.redeem_link(link, NOON + MINUTE) is None
    assert await store.users.redeem_link(late, NOON + 61 * MINUTE) is None
    token = await store.users.issue_token("admin", "crm", NOON)
    assert await store.users.redeem_link(token, NOON) is None, "a token is no link"
    assert await store.users.user_of_token(token, NOON) == user
    with psycopg.connect(database_url) as connection:
        kept = str(connection.execute("SELECT * FROM secrets").fetchall())
    assert token not in kept and link not in kept
    assert await store.users.revoke_tokens("admin") == 3
    assert await store.users.user_of_token(token, NOON) is None


async def test_roles_have_permissions(store: Store) -> None:
    assert "users" in await store.users.permissions_of(Role.ADMIN)
    assert await store.users.permissions_of(Role.AGENT) == {"calls", "desk", "tickets", "appeal"}
