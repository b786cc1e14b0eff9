"""Plain pages: login and what belongs to it, without scripts of others; each names its own code by hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, tag
from voicebot.console.theme import THEME_SCRIPT, html_page
from voicebot.console.words import Words


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a small posted form (the gate has bounded its size), the first value of each."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {key: values[0] for key, values in fields.items()}


def plain_page(
    words: Words, title: str, lead: str, *content: object, status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """A card in the middle of the page. Nothing may run on it but what it brings, and it loads nothing."""
    page = html_page(words, title, _card(words, title, lead, *content), _code())
    return HTMLResponse(page, status, {"Content-Security-Policy": _policy(), **(headers or {})})


def form(words: Words, submit: str, *content: object, action: str | None = None, cls: str = "primary") -> Markup:
    """A form of one column that posts to `action`, or where it stands."""
    button = tag("button", words(submit), cls=f"btn {cls} wide", type="submit")
    return tag("form", *content, button, method="post", action=action, cls="stack")


def field(label: str, name: str, kind: str = "text", value: str = "", **more: Attribute) -> Markup:
    """A labelled entry that must be filled."""
    given: dict[str, Attribute] = {"type": kind, "name": name, "value": value or None, "maxlength": 128, **more}
    return tag("label", tag("span", label), tag("input", cls="", required=True, **given), cls="field")


def hidden(name: str, value: str) -> Markup:
    return tag("input", type="hidden", name=name, value=value)


def error(text: str) -> Markup | None:
    return tag("p", icon("alert"), text, cls="note bad", role="alert") if text else None


def _card(words: Words, title: str, lead: str, *content: object) -> Markup:
    brand = tag("div", icon("brand"), tag("b", words("product")), cls="brand")
    switch = tag("button", words("language"), type="button", cls="link", data_action="language")
    theme = tag("button", words("theme"), type="button", cls="link", data_action="theme")
    head = tag("header", tag("h1", title), tag("p", lead, cls="muted"))
    card = tag("section", head, *content, cls="panel login-card")
    return tag("main", tag("div", brand, card, tag("footer", switch, theme), cls="login-box"), cls="login")


@cache
def _own() -> tuple[str, str]:
    """Our style and script. Strangers get no file but this page, so it carries them with it."""
    static = files("voicebot.console").joinpath("static")
    style = "".join(static.joinpath(name).read_text(encoding="utf-8") for name in ("tokens.css", "console.css"))
    return style, static.joinpath("console.js").read_text(encoding="utf-8")


def _code() -> Markup:
    style, script = _own()
    return Markup("<style>{}</style><script>{}</script>").format(Markup(style), Markup(script))


@cache
def _policy() -> str:
    style, script = _own()
    first = THEME_SCRIPT.removeprefix("<script>").removesuffix("</script>")
    return (
        f"default-src 'none'; script-src {_hash(str(first))} {_hash(script)}; style-src {_hash(style)}; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode('ascii')}'"
