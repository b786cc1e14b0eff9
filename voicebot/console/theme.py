"""Theme: language and light or dark as the visitor chose them, kept in two plain cookies."""

from __future__ import annotations

from typing import cast

from fastapi import Request
from markupsafe import Markup

from voicebot.console.words import LANGUAGES, Words

LANGUAGE_COOKIE = "voicebot_lang"
THEME_COOKIE = "voicebot_theme"

# Runs before the first paint, so a dark page never flashes white; without a choice the system's one holds.
THEME_SCRIPT = Markup(
    "<script>(()=>{const c=document.cookie.match(/voicebot_theme=(dark|light)/);"
    "document.documentElement.dataset.theme=c?c[1]:"
    "(matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light')})()</script>"
)


def language_of(request: Request) -> str:
    """The chosen language, Chinese unless English was chosen."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "zh")
    return chosen if chosen in LANGUAGES else "zh"


def dark_of(request: Request) -> bool | None:
    """True or False as chosen; None follows the system."""
    return cast("dict[str, bool]", {"dark": True, "light": False}).get(request.cookies.get(THEME_COOKIE, ""))


def html_language(words: Words) -> str:
    return "zh-CN" if words.language == "zh" else "en"


def html_page(words: Words, title: str, body: Markup, head: Markup) -> str:
    """A complete page without NiceGUI."""
    return Markup(
        '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">{}{}</head><body>{}</body></html>'
    ).format(html_language(words), f"{title} · {words('product')}", THEME_SCRIPT, head, body)
