"""/access - who may do what: roles by permission, addresses by permission, and who needs a second step."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.access import TABLE, Open, Rule
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.shell import Console, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.records import Role

Roles = Mapping[str, frozenset[str]]


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/access", response_timeout=10)
    async def access(request: Request) -> None:
        visit, data = visit_of(request), console.data.accounts
        words = visit.words
        roles = await data.roles()
        with shell(console, visit, "/people", words("access.title")):
            back = ("/people", words("people.title")) if visit.who.may("users") else None
            markup(heading(words("access.title"), words("access.lead"), back=back))
            with ui.element("div").classes("stack"):
                markup(roles_panel(words, roles, await data.demanded(), may_change=visit.who.may("users")))
                markup(routes_panel(words, roles))


def roles_panel(words: Words, roles: Roles, demanded: frozenset[str], may_change: bool) -> Markup:
    """Permissions by role; and in the last row, whether the role needs a second step."""
    heads = [tag("th", words(f"role.{role}"), cls="mid") for role in Role]
    names = sorted({one for may in roles.values() for one in may})
    body = [
        tag("tr", tag("th", words(f"may.{name}"), tag("span", name, cls="sub"), scope="row"), *_marks(roles, name))
        for name in names
    ]
    steps = [tag("td", _demand(words, role, role.value in demanded, may_change), cls="mid") for role in Role]
    body.append(tag("tr", tag("th", words("access.demand"), scope="row"), *steps))
    head = tag("thead", tag("tr", tag("th", words("access.permission")), *heads))
    table = tag("table", head, tag("tbody", *body), cls="rows access-table")
    return panel("people", words("access.roles"), tag("div", table, cls="scroll"), inset=False)


def _marks(roles: Roles, permission: str) -> list[Markup]:
    return [tag("td", _mark(permission in roles.get(role.value, frozenset())), cls="mid") for role in Role]


def _mark(yes: bool) -> Child:
    return tag("span", icon("check"), cls="yes", title="✓") if yes else ""


def _demand(words: Words, role: Role, now: bool, may_change: bool) -> Child:
    if not may_change:
        return _mark(now)
    title = words("access.demand.on" if now else "access.demand.off")
    return tag(
        "button", title, type="button", cls="btn small" if now else "btn small quiet",
        data_post=f"/api/access/roles/{role}/second-factor", data_body=f'{{"demanded": {str(not now).lower()}}}',
        data_reload=True, data_confirm=f"{words('access.demand')} · {words(f'role.{role}')}",
        data_confirm_lead=words("access.demand.lead") if not now else None, data_cancel=words("cancel"),
        data_verb=title, data_tone="primary",
    )  # fmt: skip


def routes_panel(words: Words, roles: Roles) -> Markup:
    """Every address of the console and the API, what it asks for, and which roles have that."""
    roles_shown = [words(f"role.{role}") for role in Role]
    heads = [words("access.method"), words("access.path"), words("access.permission"), *roles_shown]
    body = []
    for methods, path, rule in TABLE:
        what = words(f"access.{rule}") if isinstance(rule, Open) else words(f"may.{rule}")
        marks = [tag("td", _mark(allowed(rule, roles.get(role.value, frozenset()))), cls="mid") for role in Role]
        code = tag("code", path.replace("\\.", "."))
        body.append(tag("tr", tag("td", methods), tag("td", code), tag("td", what), *marks))
    head = tag("thead", tag("tr", *(tag("th", one) for one in heads)))
    table = tag("table", head, tag("tbody", *body), cls="rows access-table")
    return panel("path", words("access.routes"), tag("div", table, cls="scroll"), inset=False)


def allowed(rule: Rule, may: frozenset[str]) -> bool:
    """Whether somebody logged in with these permissions gets through."""
    return isinstance(rule, Open) or rule in may
