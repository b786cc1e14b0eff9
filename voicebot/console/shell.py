"""Shell: the frame of every page - navigation, who is logged in, theme and language switches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot import __version__
from voicebot.console.dialling_board import DiallingBoard
from voicebot.console.floor import LiveFloor
from voicebot.console.gate import account_of
from voicebot.console.icons import icon
from voicebot.console.live import LiveBoard
from voicebot.console.markup import Child, tag
from voicebot.console.queries import Account, ConsoleData
from voicebot.console.settings import ConsoleSettings
from voicebot.console.softphone_panel import softphone_panel
from voicebot.console.theme import THEME_SCRIPT, dark_of, html_language, language_of
from voicebot.console.words import Words

log = structlog.get_logger(__name__)
ASSETS = "/assets"
STYLES = (
    "tokens.css", "console.css", "desk.css", "scripts.css", "campaigns.css", "reports.css", "cases.css", "follow.css",
)  # fmt: skip
NAVIGATION = (
    ("group.now", (
        ("/desk", "headset", "nav.desk", "desk"),
        ("/wall", "wall", "nav.wall", "wall"),
        ("/", "live", "nav.running", "calls"),
        ("/calls", "calls", "nav.calls", "calls"),
    )),
    ("group.dialling", (
        ("/cases", "cases", "nav.cases", "cases"),
        ("/segments", "chart", "nav.segments", "campaigns"),
        ("/strategies", "promise", "nav.strategies", "campaigns"),
        ("/scripts", "script", "nav.scripts", "scripts"),
        ("/campaigns", "campaigns", "nav.campaigns", "campaigns"),
        ("/dialling", "live", "nav.dialling", "campaigns"),
    )),
    ("group.follow", (
        ("/promises", "promise", "nav.promises", "cases"),
        ("/tickets", "check", "nav.tickets", "tickets"),
        ("/messages", "message", "nav.messages", "cases"),
    )),
    ("group.quality", (
        ("/reports", "chart", "nav.reports", "reports"),
        ("/review", "pen", "nav.review", "review"),
        ("/my-reviews", "pen", "nav.mine", "appeal"),
        ("/search", "search", "nav.search", "search_calls"),
        ("/rules", "shield", "nav.rulebook", "reports"),
        ("/evidence", "shield", "nav.vault", "operations"),
    )),
    ("group.system", (
        ("/lines", "path", "nav.lines", "wall"),
        ("/people", "people", "nav.people", "users"),
    )),
)  # fmt: skip
"""Name of a group; then its pages: address, picture, name, and the permission that shows it."""


@dataclass(frozen=True, slots=True)
class Console:
    """What every page builder is given."""

    data: ConsoleData
    settings: ConsoleSettings
    board: LiveBoard
    floor: LiveFloor
    dialling: DiallingBoard


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: whose, and in which words."""

    request: Request
    words: Words
    who: Account


def visit_of(request: Request) -> Visit:
    return Visit(request, Words(language_of(request)), account_of(request.scope))


@contextmanager
def shell(console: Console, visit: Visit, active: str, title: str, scripts: tuple[str, ...] = ()) -> Iterator[None]:
    """The frame around a page's content; `active` is the path of its entry in the navigation."""
    words = visit.words
    ui.page_title(f"{title} · {words('product')}")
    dark = ui.dark_mode(dark_of(visit.request))
    dark.set_visibility(False)
    ui.add_head_html(_head(words, scripts))
    _count_running(console)
    with ui.element("div").classes("app"):
        markup(_side(console, visit, active), "aside").classes("side")
        with ui.element("main").classes("main"):
            if active != "/rules" and visit.who.may("campaigns"):
                markup(rules_banner(words, console.data.rulebook.warnings()))
            yield
        if console.settings.softphone and visit.who.agent_id and visit.who.may("desk"):
            softphone_panel(visit)


def rules_banner(words: Words, warnings: Sequence[str]) -> Markup:
    """The first thing that keeps us from dialling, now or soon, with the way to all of them."""
    if not warnings:
        return Markup("")
    rest = words("rulebook.warning.more", count=len(warnings)) if len(warnings) > 1 else words("rulebook.warning.one")
    link = tag("a", rest, href="/rules")
    return tag("div", icon("alert"), tag("span", warnings[0], " ", link), cls="note bad banner", role="status")


def _count_running(console: Console) -> None:
    """Keep the number beside the live page's entry true while the page stays open."""
    shown = [len(console.board.calls)]

    def redraw() -> None:
        running = len(console.board.calls)
        if running != shown[0]:
            shown[0] = running
            ui.run_javascript(f"document.querySelector('[data-running]').textContent = '{running or ''}'")

    ui.timer(2.0, redraw)


def error_page(error: Exception) -> None:
    """What a page shows when it could not be built, most often because the database is away."""
    request = ui.context.client.request
    words = Words(language_of(request)) if request else Words()
    log.error("page failed", path=request.url.path if request else "", reason=str(error), exc_info=error)
    ui.add_head_html(_head(words, ()))
    link = tag("a", words("reload"), href="", cls="btn")
    sorry = tag("section", empty("alert", words("error"), words("error.lead"), link), cls="panel")
    markup(tag("main", sorry, cls="main"))


def markup(content: Markup, name: str = "div") -> ui.html:
    """Put markup on the page; it was escaped where it was built, so the browser need not do so again."""
    return ui.html(content, sanitize=False, tag=name)


def blank(name: str = "div") -> ui.html:
    """A place for markup that comes later; setting its `content` to what it shows already sends nothing."""
    return markup(Markup(""), name)


def heading(title: str, lead: str, *actions: Child, back: tuple[str, str] | None = None) -> Markup:
    """The head of a page; `back` is the address and name of the list it belongs to."""
    crumb = tag("a", icon("left"), back[1], href=back[0], cls="crumb") if back else None
    side = tag("div", *actions, cls="actions") if actions else None
    return tag("header", tag("div", crumb, tag("h1", title), tag("p", lead)), side, cls="head")


def panel(name: str, title: str, *content: Child, hint: str = "", cls: str = "", inset: bool = True) -> Markup:
    """A titled box."""
    cap = tag("div", icon(name), tag("h2", title), tag("span", hint, cls="hint") if hint else None, cls="cap")
    return tag("section", cap, tag("div", *content, cls="in") if inset else content, cls=f"panel {cls}".strip())


def empty(name: str, title: str, lead: str = "", *more: Child, small: bool = False) -> Markup:
    """What a list shows while there is nothing in it, and what to do about it."""
    cls = "empty small" if small else "empty"
    return tag("div", icon(name), tag("b", title), tag("p", lead) if lead else None, *more, cls=cls)


def _head(words: Words, scripts: tuple[str, ...]) -> str:
    version = f"?v={__version__}"
    links = [tag("link", rel="stylesheet", href=f"{ASSETS}/{name}{version}") for name in STYLES]
    code = [tag("script", src=f"{ASSETS}/{name}{version}", defer=True) for name in ("console.js", *scripts)]
    language = Markup("<script>document.documentElement.lang='{}'</script>").format(html_language(words))
    return THEME_SCRIPT + language + Markup("").join([*links, *code])


def _side(console: Console, visit: Visit, active: str) -> Markup:
    brand = tag("a", icon("brand"), tag("b", visit.words("product")), href="/", cls="brand")
    entries: list[Child] = []
    for group, pages in NAVIGATION:
        shown = [_entry(console, visit.words, active, *page) for *page, needed in pages if visit.who.may(needed)]
        entries += [tag("span", visit.words(group), cls="group"), *shown] if shown else []
    return tag("div", brand, tag("nav", *entries), _foot(visit), cls="side-in")


def _entry(console: Console, words: Words, active: str, path: str, name: str, key: str) -> Markup:
    count = tag("span", len(console.board.calls) or "", cls="count", data_running=True) if path == "/" else None
    here = "page" if path == active else None
    return tag("a", icon(name), words(key), count, href=path, title=words(key), aria_current=here)


def _foot(visit: Visit) -> Markup:
    words, who = visit.words, visit.who
    role = tag("span", words(f"role.{who.role}"))
    name = tag(
        "a",
        tag("span", (who.display_name or who.username)[:1], cls="avatar"),
        tag("div", tag("b", who.display_name or who.username), role),
        cls="who",
        href="/account",
        title=words("nav.account"),
    )
    theme = tag(
        "button",
        icon("sun"),
        cls="tool",
        title=words("theme"),
        data_action="theme",
        aria_label=words("theme"),
    )
    language = tag("button", icon("globe"), tag("span", words("language")), cls="tool", data_action="language")
    leave = tag("button", icon("out"), cls="tool", title=words("logout"), aria_label=words("logout"))
    log_out = tag("form", leave, method="post", action="/logout")
    return tag("div", name, tag("div", theme, language, log_out, cls="tools"), cls="side-foot")
