"""Login, logout, the first administrator and password links: plain pages that need no script."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote, urlsplit

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from voicebot.console.door import browser_of, client_address
from voicebot.console.gate import account_of
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.plain import error, field, form, form_fields, hidden, plain_page
from voicebot.console.queries import Account, ConsoleData
from voicebot.console.sessions import (
    COOKIE,
    MINIMUM_PASSWORD,
    PENDING_S,
    Sessions,
    setup_token_valid,
    username_allowed,
)
from voicebot.console.settings import ConsoleSettings
from voicebot.console.theme import language_of
from voicebot.console.words import Words
from voicebot.domain.clock import Clock
from voicebot.domain.login import Way
from voicebot.store.users import LoginRefused

log = structlog.get_logger(__name__)
PENDING = "voicebot_pending"


class Doorman:
    """Lets people in: opens their session and sends them on, or to the step that is still missing."""

    def __init__(self, data: ConsoleData, settings: ConsoleSettings, sessions: Sessions) -> None:
        self._data, self._settings, self._sessions = data, settings, sessions

    async def after_password(self, request: Request, account: Account) -> Response:
        """The password was right: in, or on to the second factor."""
        way = await self._data.logins.next_step(account)
        if way is not None:
            return await self.let_in(request, account, way)
        wanted = quote(request.query_params.get("next", "/"), safe="")
        answer = RedirectResponse(f"/login/code?next={wanted}", status_code=303)
        self.keep(request, answer, PENDING, self._sessions.pending_for(account), PENDING_S)
        return answer

    async def let_in(self, request: Request, account: Account, way: Way, wanted: str | None = None) -> Response:
        """Begin a session."""
        wanted = local_path(wanted if wanted is not None else request.query_params.get("next", "/"))
        address = client_address(request.scope, self._settings.door.behind_proxy)
        secret = await self._sessions.open(account, way, address, browser_of(request.scope))
        log.info("logged in", username_pii=account.username, role=account.role, way=way.value)
        answer = RedirectResponse("/second-factor" if way is Way.ENROL else wanted, status_code=303)
        self.keep(request, answer, COOKIE, secret, self._settings.door.session_hours * 3600)
        answer.delete_cookie(PENDING)
        return answer

    def keep(self, request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
        """A cookie that no script reads and no foreign site sends along with a post."""
        secure = self._settings.door.https or request.url.scheme == "https"
        answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def login_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions, clock: Clock) -> APIRouter:
    """The routes /login, /logout, /setup and /password."""
    router = APIRouter(include_in_schema=False)
    doorman = Doorman(data, settings, sessions)

    @router.get("/login")
    async def ask(request: Request) -> HTMLResponse:
        return login_page(request, settings)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        fields = await form_fields(request)
        username = fields.get("username", "").strip()[:64]
        try:
            account = await data.logins.by_password(username, fields.get("password", "")[:256])
        except LoginRefused as refused:
            log.warning("login refused", username_pii=username, locked_until=str(refused.locked_until))
            wait = refused.locked_until - clock.now() if refused.locked_until else None
            return login_page(request, settings, username, why(request, wait), wait)
        return await doorman.after_password(request, account)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        await sessions.end(account_of(request.scope))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    @router.get("/setup")
    async def setup(request: Request, token: str = "") -> HTMLResponse:
        valid = await setup_token_valid(token, data, settings)
        return _setup_page(request, token, None if valid else "setup.gone", valid)

    @router.post("/setup")
    async def create(request: Request) -> Response:
        fields = await form_fields(request)
        token, username = fields.get("token", ""), fields.get("username", "").strip()
        if not await setup_token_valid(token, data, settings):
            return _setup_page(request, token, "setup.gone", valid=False)
        if not username_allowed(username):
            return _setup_page(request, token, "setup.name", valid=True)
        if len(fields.get("password", "")) < MINIMUM_PASSWORD:
            return _setup_page(request, token, "setup.short", valid=True)
        account = await data.logins.add_admin(username, fields["password"])
        log.info("first administrator created", username_pii=username)
        return await doorman.after_password(request, account)

    @router.get("/password")
    async def password(request: Request, token: str = "") -> HTMLResponse:
        return _password_page(request, token)

    @router.post("/password")
    async def choose(request: Request) -> Response:
        fields = await form_fields(request)
        token = fields.get("token", "")
        try:
            user = await data.people.choose_password(token, fields.get("password", "")[:256])
        except ValueError:
            return _password_page(request, token, "setup.short")
        account = await data.logins.account(user.username) if user else None
        if account is None:
            log.warning("a password link was refused")
            return _password_page(request, token, "password.gone", 410)
        log.info("password chosen", username_pii=account.username)
        sessions.forget()
        return await doorman.after_password(request, account)

    return router


def why(request: Request, wait: dt.timedelta | None, wrong: str = "login.wrong") -> str:
    """What a refused login reads: wrong, or wait."""
    words = Words(language_of(request))
    if wait is None:
        return words(wrong)
    return words("login.locked", minutes=max(1, -(-int(wait.total_seconds()) // 60)))


def local_path(wanted: str) -> str:
    r"""Only paths of this console: an address that leads elsewhere (//host, /\host, http:) becomes /."""
    try:
        parts = urlsplit(wanted.replace("\\", "/"))
    except ValueError:
        return "/"
    outside = parts.scheme or parts.netloc or not wanted.startswith("/") or wanted[1:2] in ("/", "\\")
    return "/" if outside or any(ord(c) <= 32 for c in wanted) else wanted


def retry_after(wait: dt.timedelta | None) -> dict[str, str]:
    return {"Retry-After": str(max(1, int(wait.total_seconds())))} if wait else {}


def login_page(
    request: Request,
    settings: ConsoleSettings,
    username: str = "",
    told: str = "",
    wait: dt.timedelta | None = None,
) -> HTMLResponse:
    """The form; 401 with what was wrong, 429 with how long to wait."""
    words = Words(language_of(request))
    name, password = settings.demo_login or (username, "")
    entries = form(
        words,
        "login.submit",
        error(told),
        field(words("login.user"), "username", value=name, autocomplete="username", autofocus=not name),
        field(words("login.password"), "password", "password", password, autocomplete="current-password"),
    )
    demo = elsewhere = None
    if settings.demo_login:
        hint = tag("span", words("login.demo"), " ", tag("code", f"{name} / {password}"))
        demo = tag("p", icon("info"), hint, cls="note")
    if settings.door.single_sign_on:
        wanted = quote(request.query_params.get("next", "/"), safe="")
        elsewhere = tag("a", words("login.sso"), href=f"/login/sso?next={wanted}", cls="btn wide")
    status = 429 if wait else 401 if told else 200
    content = (entries, elsewhere, demo)
    return plain_page(
        words, words("login.title"), words("product.sub"), *content, status=status, headers=retry_after(wait)
    )


def _setup_page(request: Request, token: str, told: str | None, valid: bool) -> HTMLResponse:
    words = Words(language_of(request))
    entries = form(
        words,
        "setup.submit",
        hidden("token", token),
        error(words(told) if told else ""),
        field(words("login.user"), "username", autocomplete="username", autofocus=True),
        field(words("login.password"), "password", "password", autocomplete="new-password"),
        action="/setup",
    )
    content = entries if valid else error(words("setup.gone"))
    status = 410 if not valid else 400 if told else 200
    return plain_page(words, words("setup.title"), words("setup.lead"), content, status=status)


def _password_page(request: Request, token: str, told: str = "", status: int = 0) -> HTMLResponse:
    words = Words(language_of(request))
    entries = form(
        words,
        "password.submit",
        hidden("token", token),
        error(words(told) if told else ""),
        field(words("login.password"), "password", "password", autocomplete="new-password", autofocus=True),
        action="/password",
    )
    content = entries if status == 0 else error(words(told))
    title, lead = words("password.title"), words("password.lead")
    return plain_page(words, title, lead, content, status=status or (400 if told else 200))
