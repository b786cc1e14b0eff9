"""No secret reaches a log or an answer: passwords, codes, tokens, cookies, links, secrets of others."""

from __future__ import annotations

import datetime as dt
import io
import json

import pyotp
import pytest

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.whole import Whole
from voicebot.config import Settings
from voicebot.console.oidc import SingleSignOn, role_rules
from voicebot.console.sessions import create_admin_link
from voicebot.console.settings import ConsoleSettings, Door
from voicebot.console.store_data import StoreData
from voicebot.domain.event import Webhook
from voicebot.domain.records import Role
from voicebot.store import Store
from voicebot.telemetry.logs import setup_logs

NOW = dt.datetime.now(dt.UTC)
TYPED = "Typed-by-mistake-9"


async def test_nothing_secret_is_logged_or_told(store: Store, quick_passwords: None) -> None:
    out = io.StringIO()
    setup_logs("DEBUG", as_json=True, stream=out)
    single = SingleSignOn("http://127.0.0.1:9", "voicebot", "provider-secret-1", role_rules(["g:x=admin"]), "https://c")
    whole = Whole(store, Door(behind_proxy=True, single_sign_on=single))
    await store.users.create("wang", Role.ADMIN, NOW, password=PASSWORD)
    await store.webhooks.save(Webhook("crm", "http://127.0.0.1:9/in", "hook-secret-1", NOW, ()))
    browser = await whole.logged_in("wang")
    answers = [(await browser.get(path)).text for path in ("/api/account", "/api/people/users", "/api/access")]
    for password in (TYPED, "x" * 300):
        await browser.post("/login", data={"username": "wang", "password": password})
    secret = await store.second_factors.begin("wang", NOW)
    code = pyotp.TOTP(secret).now()
    await browser.post("/second-factor", data={"code": "000000"})
    page = await browser.post("/second-factor", data={"code": code})
    token = (await browser.post("/api/account/tokens", json={"label": "x"})).json()["token"]
    link = (await browser.post("/api/people/users/wang/link")).json()["url"].rpartition("=")[2]
    await whole.browser(token=token).get("/api/calls")
    await whole.browser(token=token + "x").get("/api/calls")
    await browser.get("/login/sso")
    await browser.get("/login/sso/back?code=the-code-1&state=the-state-1")
    await browser.post("/password", data={"token": link, "password": "short"})
    await browser.post("/password", data={"token": link, "password": "New-password-77"})
    hooks = await StoreData(store).follow.webhooks()
    setup = await create_admin_link(StoreData(store), ConsoleSettings(secret="cookie-secret-1"))
    cookies = [value for value in browser.cookies.values() if len(value) > 8]
    secrets = [PASSWORD, TYPED, secret, code, token, link, "hook-secret-1", "provider-secret-1", "New-password-77",
               "the-code-1", "$argon2", *cookies]  # fmt: skip
    said = out.getvalue()
    assert setup is None and hooks is not None and page.status_code == 200
    assert len(said.splitlines()) > 5 and all(json.loads(line) for line in said.splitlines())
    assert [one for one in secrets if one in said] == []
    assert [one for one in secrets if any(one in answer for answer in answers)] == []


@pytest.mark.parametrize(
    "value",
    [
        ConsoleSettings(secret="never-shown-1", message_secret="never-shown-1", wechat_token="never-shown-1"),
        SingleSignOn("https://id.example", "x", "never-shown-1", role_rules(["g:x=admin"]), "https://c"),
        Settings(oidc_client_secret="never-shown-1", message_secret="never-shown-1", smtp_password="never-shown-1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_hold_secrets_do_not_spell_them(value: object) -> None:
    assert "never-shown-1" not in repr(value) and "never-shown-1" not in str(value)
