"""Single sign-on: /login/sso sends people to the identity provider, /login/sso/back takes them in."""

from __future__ import annotations

from dataclasses import astuple

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from voicebot.console.login import Doorman, local_path, login_page
from voicebot.console.login_data import NotLinked
from voicebot.console.oidc import Begun, Provider, SignOnFailed
from voicebot.console.queries import ConsoleData
from voicebot.console.sessions import Sessions
from voicebot.console.settings import ConsoleSettings
from voicebot.console.theme import language_of
from voicebot.console.words import Words
from voicebot.domain.login import Way
from voicebot.store.users import LoginRefused

log = structlog.get_logger(__name__)
COOKIE = "voicebot_sso"
LASTS_S = 600


def single_sign_on_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions) -> APIRouter:
    """The two routes; without a provider there is nothing at them."""
    router = APIRouter(include_in_schema=False)
    doorman = Doorman(data, settings, sessions)
    signed = URLSafeTimedSerializer(settings.secret, salt="console-sso")
    provider = Provider(settings.door.single_sign_on) if settings.door.single_sign_on else None

    def sorry(request: Request, key: str) -> Response:
        answer = login_page(request, settings, told=Words(language_of(request))(key))
        answer.delete_cookie(COOKIE)
        return answer

    @router.get("/login/sso")
    async def leave(request: Request) -> Response:
        if provider is None:
            return RedirectResponse("/login", status_code=303)
        try:
            address, begun = await provider.begin()
        except SignOnFailed as failed:
            log.error("single sign-on failed", why=str(failed))
            return sorry(request, "sso.away")
        wanted = local_path(request.query_params.get("next", "/"))
        answer = RedirectResponse(address, status_code=303)
        doorman.keep(request, answer, COOKIE, signed.dumps([*astuple(begun), wanted]), LASTS_S)
        return answer

    @router.get("/login/sso/back")
    async def back(request: Request) -> Response:
        if provider is None:
            return RedirectResponse("/login", status_code=303)
        try:
            state, nonce, verifier, wanted = signed.loads(request.cookies.get(COOKIE, ""), max_age=LASTS_S)
        except (BadData, ValueError):
            return sorry(request, "sso.again")
        try:
            one = await provider.finish(dict(request.query_params), Begun(state, nonce, verifier))
            account = await data.logins.by_identity(one.identity, one.username, one.display_name, one.role)
        except SignOnFailed as failed:
            log.warning("single sign-on failed", why=str(failed))
            return sorry(request, "sso.failed")
        except NotLinked as taken:
            log.warning("single sign-on: link the user first: voicebot people link", username_pii=str(taken))
            return sorry(request, "sso.not_linked")
        except LoginRefused:
            return sorry(request, "sso.failed")
        sessions.forget()
        answer = await doorman.let_in(request, account, Way.SSO, wanted)
        answer.delete_cookie(COOKIE)
        return answer

    return router
