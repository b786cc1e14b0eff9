"""Single sign-on against a small OpenID provider that listens on a port of its own and signs with a key of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.voicebot.console.whole import URL, Whole
from voicebot.console import oidc
from voicebot.console.oidc import SignOnFailed, SingleSignOn, role_rules, vouched
from voicebot.console.settings import Door
from voicebot.domain.clock import SystemClock
from voicebot.domain.records import Role
from voicebot.store import Store

SECRET = "a secret of ours at the provider"
RULES = role_rules(["groups:bots=admin", "realm.roles:qa=reviewer", "department:法务=auditor"])


@cache
def _rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class SmallProvider:
    """What RFC 6749, RFC 7636 and OpenID Connect ask of a provider, for one person at a time."""

    def __init__(self) -> None:
        self.key: RSAKey | ECKey = _rsa()
        self.person: dict[str, Any] = {"sub": "17", "preferred_username": "li.na", "name": "李娜", "groups": ["bots"]}
        self.lies: dict[str, Any] = {}
        self.forged: RSAKey | None = None
        self.issuer = ""
        self._codes: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.about),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def about(self, request: Request) -> Response:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": self.issuer, **{name: f"{self.issuer}/{end}" for name, end in ends.items()}})

    async def keys(self, request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == "voicebot" and "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def token(self, request: Request) -> Response:
        given = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        asked = self._codes.pop(given["code"], None)
        ours = base64.b64encode(f"voicebot:{SECRET}".encode()).decode()
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if request.headers.get("authorization") != f"Basic {ours}" or asked is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        if challenge != asked["code_challenge"] or given["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "voicebot", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        signing = self.forged or self.key
        header = {"alg": "ES256" if isinstance(signing, ECKey) else "RS256", "kid": signing.kid}
        return JSONResponse({"id_token": jwt.encode(header, claims | self.person | self.lies, signing)})


@pytest.fixture
async def provider() -> AsyncIterator[SmallProvider]:
    small = SmallProvider()
    server = uvicorn.Server(uvicorn.Config(small.app, port=0, log_level="error"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    small.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield small
    server.should_exit = True
    await serving


@pytest.fixture
def whole(store: Store, provider: SmallProvider) -> Whole:
    single = SingleSignOn(provider.issuer, "voicebot", SECRET, RULES, URL)
    return Whole(store, Door(behind_proxy=True, single_sign_on=single))


async def come_back(whole: Whole, browser: httpx.AsyncClient) -> httpx.Response:
    """Walk the way a browser walks; the answer to coming back."""
    sent = await browser.get("/login/sso?next=%2Fcalls")
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient() as outside:
        there = await outside.get(sent.headers["location"])
    parts = urlsplit(there.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}" == URL
    return await browser.get(f"{parts.path}?{parts.query}")


async def test_somebody_new_comes_in_with_the_role_of_their_group(whole: Whole, store: Store) -> None:
    browser = whole.browser()
    assert "/login/sso" in (await browser.get("/login")).text
    answer = await come_back(whole, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls")
    mine = (await browser.get("/api/account")).json()
    assert (mine["username"], mine["display_name"], mine["role"]) == ("li.na", "李娜", "admin")
    assert mine["sessions"][0]["way"] == "sso"
    assert (await store.users.all())[0].identity


async def test_the_role_follows_the_provider_and_the_person_the_subject(
    whole: Whole, store: Store, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "AGAIN_S", 0.0)
    await come_back(whole, whole.browser())
    provider.person = {"sub": "17", "preferred_username": "renamed", "realm": {"roles": ["x", "qa"]}}
    provider.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})  # keys change, and we ask again
    browser = whole.browser()
    assert (await come_back(whole, browser)).status_code == 303
    assert [(user.username, user.role) for user in await store.users.all()] == [("li.na", Role.REVIEWER)]
    await store.users.change("li.na", disabled=True)
    assert (await come_back(whole, whole.browser())).status_code == 401


async def test_a_name_that_is_taken_here_is_not_taken_over(whole: Whole, store: Store) -> None:
    await store.users.create("li.na", Role.AGENT, SystemClock().now())
    answer = await come_back(whole, whole.browser())
    assert answer.status_code == 401 and "关联" in answer.text
    await store.users.change("li.na", identity=f"{whole_issuer(whole)}|17")
    assert (await come_back(whole, whole.browser())).status_code == 303


LIES: list[dict[str, Any]] = [
    {"iss": "https://other.example"},
    {"aud": "somebody-else"},
    {"aud": ["voicebot", "other"], "azp": "other"},
    {"nonce": "of another login"},
    {"exp": int(time.time()) - 3600},
    {"iat": int(time.time()) + 3600},
    {"groups": ["nobody"]},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
async def test_what_the_token_says_must_be_for_us_and_now(
    whole: Whole, store: Store, provider: SmallProvider, lie: dict[str, Any]
) -> None:
    provider.lies = lie
    answer = await come_back(whole, whole.browser())
    assert answer.status_code == 401 and "voicebot_session" not in answer.cookies
    assert await store.users.all() == []


async def test_a_token_that_somebody_else_signed_is_not_believed(whole: Whole, provider: SmallProvider) -> None:
    provider.forged = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    assert (await come_back(whole, whole.browser())).status_code == 401


async def test_an_answer_counts_only_in_the_browser_that_asked(whole: Whole) -> None:
    thief = whole.browser()
    assert (await thief.get("/login/sso/back?code=code-0&state=x")).status_code == 401
    await thief.get("/login/sso")
    assert (await thief.get("/login/sso/back?code=code-0&state=x")).status_code == 401
    assert (await thief.get("/login/sso/back?error=access_denied&state=x")).status_code == 401


async def test_a_provider_that_is_away_is_no_reason_to_fall(store: Store) -> None:
    single = SingleSignOn("http://127.0.0.1:9", "voicebot", SECRET, RULES, URL)
    answer = await Whole(store, Door(behind_proxy=True, single_sign_on=single)).browser().get("/login/sso")
    assert answer.status_code == 401 and "没有应答" in answer.text


def test_rules_are_read_in_their_order_and_names_made_fit() -> None:
    single = SingleSignOn("https://id.example", "voicebot", "", RULES, URL)
    one = vouched({"sub": "a/1", "email": "王 芳@x.example", "groups": ["bots"], "department": "法务"}, single)
    assert one.role is Role.ADMIN and one.identity == "https://id.example|a/1" and one.username.startswith("sso-")
    assert vouched({"sub": "1", "department": "法务"}, single).role is Role.AUDITOR
    with pytest.raises(SignOnFailed, match="VOICEBOT_OIDC_ROLES"):
        vouched({"sub": "1", "groups": "bot"}, single)
    for bad in ("groups=admin", "groups:x=emperor", "nothing", ":=admin"):
        with pytest.raises(ValueError, match="VOICEBOT_OIDC_ROLES"):
            role_rules([bad])
    with pytest.raises(ValueError, match="https"):
        SingleSignOn("http://id.example", "voicebot", "", RULES, URL)


def whole_issuer(whole: Whole) -> str:
    return whole.door.single_sign_on.issuer if whole.door.single_sign_on else ""
