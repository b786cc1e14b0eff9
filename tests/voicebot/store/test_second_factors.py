"""Codes by the clock are right once; recovery codes too; secrets lie under the master key."""

from __future__ import annotations

import psycopg
import pyotp
import pytest

from voicebot.domain.records import Role
from voicebot.store import Store, master_key

from .samples import MINUTE, NOON


async def _user(store: Store) -> str:
    await store.users.create("wang", Role.ADMIN, NOON, password="right")
    return await store.second_factors.begin("wang", NOON)


async def test_a_factor_counts_from_its_first_right_code_on(store: Store) -> None:
    secret = await _user(store)
    assert await store.second_factors.begin("wang", NOON + 59 * MINUTE) == secret, "a page is opened twice"
    clock = pyotp.TOTP(secret)
    assert await store.second_factors.of("wang") is None
    assert await store.second_factors.confirm("wang", "000000", NOON) is None
    assert not await store.second_factors.check("wang", clock.at(NOON), NOON), "it does not count yet"
    codes = await store.second_factors.confirm("wang", clock.at(NOON), NOON)
    assert codes is not None and len(set(codes)) == 10
    factor = await store.second_factors.of("wang")
    assert factor is not None and factor.recovery_codes == 10
    assert await store.second_factors.users() == {"wang"}
    with pytest.raises(ValueError, match="already"):
        await store.second_factors.begin("wang", NOON)


async def test_no_code_is_right_twice_or_at_another_time(store: Store) -> None:
    clock = pyotp.TOTP(await _user(store))
    await store.second_factors.confirm("wang", clock.at(NOON), NOON)
    assert not await store.second_factors.check("wang", clock.at(NOON), NOON), "used to confirm"
    later = NOON + MINUTE
    assert not await store.second_factors.check("wang", clock.at(later + MINUTE), later)
    code = clock.at(later)
    assert await store.second_factors.check("wang", f"{code[:3]} {code[3:]}", later + MINUTE / 2), "a slow clock"
    assert not await store.second_factors.check("wang", code, later)
    for bad in ("", "12345", "１２３４５６", "x" * 1000, "\x00" * 6, "12345a"):
        assert not await store.second_factors.check("wang", bad, later)


async def test_recovery_codes_are_right_once_in_any_spelling(store: Store, database_url: str) -> None:
    clock = pyotp.TOTP(await _user(store))
    codes = await store.second_factors.confirm("wang", clock.at(NOON), NOON)
    assert codes is not None
    assert await store.second_factors.check("wang", codes[0].upper().replace("-", " "), NOON)
    assert not await store.second_factors.check("wang", codes[0], NOON)
    factor = await store.second_factors.of("wang")
    assert factor is not None and factor.recovery_codes == 9
    with psycopg.connect(database_url) as connection:
        kept = str(connection.execute("SELECT * FROM recovery_codes").fetchall())
    assert codes[1] not in kept and codes[1].replace("-", "") not in kept
    assert await store.second_factors.forget("wang") and not await store.second_factors.forget("wang")
    assert not await store.second_factors.check("wang", codes[1], NOON)


async def test_roles_may_have_to_have_one(store: Store) -> None:
    assert await store.second_factors.demanded() == frozenset()
    await store.second_factors.demand("admin", True)
    await store.second_factors.demand("agent", True)
    await store.second_factors.demand("agent", False)
    assert await store.second_factors.demanded() == {"admin"}


async def test_secrets_lie_under_the_master_key(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = master_key.KeyRing(bytes(range(32)))
    monkeypatch.setattr(master_key, "master_key", lambda: ring)
    secret = await _user(store)
    with psycopg.connect(database_url) as connection:
        (kept,) = connection.execute("SELECT secret FROM second_factors").fetchone() or ("",)
    assert secret not in kept and ring.name in kept
    assert await store.second_factors.begin("wang", NOON + 61 * MINUTE) != secret
    secret = await store.second_factors.begin("wang", NOON + 61 * MINUTE)
    assert await store.second_factors.confirm("wang", pyotp.TOTP(secret).at(NOON), NOON)
    monkeypatch.setattr(master_key, "master_key", lambda: None)
    with pytest.raises(master_key.VaultLocked, match="VOICEBOT_VAULT_KEY"):
        await store.second_factors.check("wang", pyotp.TOTP(secret).at(NOON + MINUTE), NOON + MINUTE)
