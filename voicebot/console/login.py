"""Login, logout and the first administrator: plain pages that need no script."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, tag
from voicebot.console.queries import Account, ConsoleData
from voicebot.console.sessions import (
    COOKIE,
    MINIMUM_PASSWORD,
    Sessions,
    setup_token_valid,
    username_allowed,
)
from voicebot.console.settings import ConsoleSettings
from voicebot.console.theme import html_page, language_of
from voicebot.console.words import Words
from voicebot.domain.clock import Clock
from voicebot.store.users import LoginRefused

log = structlog.get_logger(__name__)


def login_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions, clock: Clock) -> APIRouter:
    """The routes /login, /logout and /setup."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def form(request: Request) -> HTMLResponse:
        return _login_page(request, settings)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        fields = await _fields(request)
        username = fields.get("username", "").strip()[:64]
        try:
            account = await data.login(username, fields.get("password", "")[:256])
        except LoginRefused as refused:
            log.warning("login refused", username_pii=username, locked_until=str(refused.locked_until))
            wait = refused.locked_until - clock.now() if refused.locked_until else None
            return _login_page(request, settings, username, _why(request, wait), wait)
        return _logged_in(request, sessions, settings, account)

    @router.post("/logout")
    async def log_out() -> Response:
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    @router.get("/setup")
    async def setup(request: Request, token: str = "") -> HTMLResponse:
        valid = await setup_token_valid(token, data, settings)
        return _setup_page(request, token, None if valid else "setup.gone", valid)

    @router.post("/setup")
    async def create(request: Request) -> Response:
        fields = await _fields(request)
        token, username = fields.get("token", ""), fields.get("username", "").strip()
        if not await setup_token_valid(token, data, settings):
            return _setup_page(request, token, "setup.gone", valid=False)
        if not username_allowed(username):
            return _setup_page(request, token, "setup.name", valid=True)
        if len(fields.get("password", "")) < MINIMUM_PASSWORD:
            return _setup_page(request, token, "setup.short", valid=True)
        account = await data.add_admin(username, fields["password"])
        log.info("first administrator created", username_pii=username)
        return _logged_in(request, sessions, settings, account)

    @router.get("/password")
    async def password(request: Request, token: str = "") -> HTMLResponse:
        return _password_page(request, token)

    @router.post("/password")
    async def choose(request: Request) -> Response:
        fields = await _fields(request)
        token = fields.get("token", "")
        try:
            user = await data.people.choose_password(token, fields.get("password", "")[:256])
        except ValueError:
            return _password_page(request, token, "setup.short")
        account = await data.account(user.username) if user else None
        if account is None:
            log.warning("a password link was refused")
            return _password_page(request, token, "password.gone", 410)
        log.info("password chosen", username_pii=account.username)
        return _logged_in(request, sessions, settings, account)

    return router


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a small posted form (the gate has bounded its size), the first value of each."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {key: values[0] for key, values in fields.items()}


def _why(request: Request, wait: dt.timedelta | None) -> str:
    words = Words(language_of(request))
    if wait is None:
        return words("login.wrong")
    return words("login.locked", minutes=max(1, -(-int(wait.total_seconds()) // 60)))


def _logged_in(request: Request, sessions: Sessions, settings: ConsoleSettings, account: Account) -> Response:
    answer = RedirectResponse(local_path(request.query_params.get("next", "/")), status_code=303)
    answer.set_cookie(
        COOKIE,
        sessions.cookie_for(account),
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def local_path(wanted: str) -> str:
    r"""Only paths of this console: an address that leads elsewhere (//host, /\host, http:) becomes /."""
    try:
        parts = urlsplit(wanted.replace("\\", "/"))
    except ValueError:
        return "/"
    outside = parts.scheme or parts.netloc or not wanted.startswith("/") or wanted[1:2] in ("/", "\\")
    return "/" if outside or any(ord(c) <= 32 for c in wanted) else wanted


def _login_page(
    request: Request,
    settings: ConsoleSettings,
    username: str = "",
    error: str = "",
    wait: dt.timedelta | None = None,
) -> HTMLResponse:
    words = Words(language_of(request))
    name, password = settings.demo_login or (username, "")
    form = tag(
        "form",
        _error(error),
        _field(words("login.user"), "username", value=name, autocomplete="username", autofocus=not name),
        _field(words("login.password"), "password", "password", password, autocomplete="current-password"),
        tag("button", words("login.submit"), cls="btn primary wide", type="submit"),
        method="post",
        cls="stack",
    )
    demo = None
    if settings.demo_login:
        hint = tag("span", words("login.demo"), " ", tag("code", f"{name} / {password}"))
        demo = tag("p", icon("info"), hint, cls="note")
    page = _card(words, words("login.title"), words("product.sub"), form, demo)
    status = 429 if wait else 401 if error else 200
    headers = {"Retry-After": str(int(wait.total_seconds()))} if wait else None
    return HTMLResponse(html_page(words, words("login.title"), page, _style()), status, headers)


def _setup_page(request: Request, token: str, error: str | None, valid: bool) -> HTMLResponse:
    words = Words(language_of(request))
    form = tag(
        "form",
        tag("input", type="hidden", name="token", value=token),
        _error(words(error) if error else ""),
        _field(words("login.user"), "username", autocomplete="username", autofocus=True),
        _field(words("login.password"), "password", "password", autocomplete="new-password"),
        tag("button", words("setup.submit"), cls="btn primary wide", type="submit"),
        method="post",
        action="/setup",
        cls="stack",
    )
    content = form if valid else _error(words("setup.gone"))
    page = _card(words, words("setup.title"), words("setup.lead"), content)
    status = 410 if not valid else 400 if error else 200
    return HTMLResponse(html_page(words, words("setup.title"), page, _style()), status)


def _password_page(request: Request, token: str, error: str = "", status: int = 0) -> HTMLResponse:
    words = Words(language_of(request))
    form = tag(
        "form",
        tag("input", type="hidden", name="token", value=token),
        _error(words(error) if error else ""),
        _field(words("login.password"), "password", "password", autocomplete="new-password", autofocus=True),
        tag("button", words("password.submit"), cls="btn primary wide", type="submit"),
        method="post",
        action="/password",
        cls="stack",
    )
    content = form if status == 0 else _error(words(error))
    page = _card(words, words("password.title"), words("password.lead"), content)
    answer = html_page(words, words("password.title"), page, _style())
    return HTMLResponse(answer, status or (400 if error else 200))


def _card(words: Words, title: str, lead: str, *content: object) -> Markup:
    brand = tag("div", icon("brand"), tag("b", words("product")), cls="brand")
    switch = tag("button", words("language"), type="button", cls="link", data_action="language")
    theme = tag("button", words("theme"), type="button", cls="link", data_action="theme")
    head = tag("header", tag("h1", title), tag("p", lead, cls="muted"))
    card = tag("section", head, *content, cls="panel login-card")
    return tag("main", tag("div", brand, card, tag("footer", switch, theme), cls="login-box"), cls="login")


def _field(label: str, name: str, kind: str = "text", value: str = "", **more: Attribute) -> Markup:
    entry = tag("input", cls="", type=kind, name=name, value=value or None, maxlength=128, required=True, **more)
    return tag("label", tag("span", label), entry, cls="field")


def _error(text: str) -> Markup | None:
    return tag("p", icon("alert"), text, cls="note bad", role="alert") if text else None


def _style() -> Markup:
    # Strangers get no file but this page, so it carries its style with it.
    static = files("voicebot.console").joinpath("static")
    style = "".join(static.joinpath(name).read_text(encoding="utf-8") for name in ("tokens.css", "console.css"))
    script = static.joinpath("console.js").read_text(encoding="utf-8")
    return Markup("<style>{}</style><script>{}</script>").format(Markup(style), Markup(script))
