"""Short secrets under a master key: bound to what they are for, and to every bit."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.domain.event import Webhook
from voicebot.store import Store, master_key
from voicebot.store.master_key import KeyRing, VaultLocked, locked_text, opened_text

from .samples import NOON

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@given(st.text())
def test_what_was_locked_comes_back_and_says_nothing(secret: str) -> None:
    kept = locked_text(secret, "webhook a", KeyRing(OLD))
    assert opened_text(kept, "webhook a", KeyRing(NEW, OLD)) == secret
    assert len(secret) < 4 or secret not in kept


@given(st.integers(0, 200), st.integers(1, 255))
def test_every_change_is_noticed(at: int, by: int) -> None:
    kept = locked_text("a secret of this length", "webhook a", KeyRing(OLD)).encode()
    at = len("vbsecret1:") + at % (len(kept) - len("vbsecret1:"))
    changed = kept[:at] + bytes([kept[at] ^ by]) + kept[at + 1 :]
    with pytest.raises((VaultLocked, UnicodeDecodeError)):
        opened_text(changed.decode(), "webhook a", KeyRing(OLD))


def test_a_secret_opens_for_its_purpose_alone() -> None:
    kept = locked_text("geheim", "webhook a", KeyRing(OLD))
    with pytest.raises(VaultLocked):
        opened_text(kept, "webhook b", KeyRing(OLD))
    with pytest.raises(VaultLocked, match="VOICEBOT_VAULT_KEY"):
        opened_text(kept, "webhook a", KeyRing(NEW))
    assert opened_text("plain", "webhook a") == "plain"


async def test_secrets_of_webhooks_are_locked_when_a_key_comes_and_again_when_it_changes(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> str:
        with psycopg.connect(database_url) as connection:
            return str(connection.execute("SELECT secret FROM webhooks").fetchone())

    async def secret() -> str:
        hook = await store.webhooks.find("crm")
        assert hook is not None
        return hook.secret

    monkeypatch.setattr(master_key, "master_key", lambda: None)
    await store.webhooks.save(Webhook("crm", "https://crm.example/in", "geheim", NOON + dt.timedelta(), ()))
    assert "geheim" in kept() and await store.webhooks.lock_secrets() == 0
    for ring in (KeyRing(OLD), KeyRing(NEW, OLD)):
        monkeypatch.setattr(master_key, "master_key", lambda ring=ring: ring)
        assert await store.webhooks.lock_secrets() == 1 and await store.webhooks.lock_secrets() == 0
        assert "geheim" not in kept() and ring.name in kept() and await secret() == "geheim"
    await store.webhooks.save(Webhook("crm", "https://crm.example/in", "anders", NOON, ()))
    assert "anders" not in kept() and await secret() == "anders"
