"""/account - one's own password, second step, sessions and API tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.queries import Account
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.login import ApiToken, Factor, Session
from voicebot.domain.records import Role

_SHOWN = 16


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/account", response_timeout=10)
    async def account(request: Request) -> None:
        visit = visit_of(request)
        words, who, data = visit.words, visit.who, console.data.accounts
        idle = dt.timedelta(minutes=console.settings.door.idle_minutes)

        async def sessions() -> Markup:
            return sessions_panel(words, who, await data.sessions(who.username, idle))

        async def tokens() -> Markup:
            return tokens_panel(words, await data.tokens(who.username))

        lead = words("account.lead", name=who.display_name or who.username, role=words(f"role.{who.role}"))
        with shell(console, visit, "/account", words("account.title"), ("desk.js", "account.js")):
            markup(heading(words("account.title"), lead))
            with ui.element("div").classes("stack account"):
                demanded = who.role in await data.demanded()
                markup(factor_panel(words, await data.factor(who.username), demanded))
                markup(password_panel(words))
                listed = markup(await sessions())
                owned = markup(await tokens())
                markup(token_form(visit))

            async def redraw() -> None:
                listed.content, owned.content = await sessions(), await tokens()

            ui.on("account", redraw)


def factor_panel(words: Words, factor: Factor | None, demanded: bool) -> Markup:
    """The second step: on or off."""
    if factor is None:
        on = tag("a", words("account.factor.set"), href="/second-factor", cls="btn primary")
        return panel("shield", words("account.factor"), tag("p", words("account.factor.off")), on)
    since = words("account.factor.on", since=words.moment(factor.since), count=factor.recovery_codes)
    if demanded:
        return panel("shield", words("account.factor"), tag("p", since), tag("p", words("account.factor.demanded")))
    entry = _field(words("login.password"), "password", type="password", autocomplete="current-password")
    post, done = "/api/account/factor/remove", "account.factor.removed"
    form = _form(words, post, "account.factor.remove", done, entry, cls="btn")
    return panel("shield", words("account.factor"), tag("p", since), form)


def password_panel(words: Words) -> Markup:
    """Change one's password."""
    old = _field(words("account.password.old"), "old", type="password", autocomplete="current-password")
    new = _field(words("account.password.new"), "new", type="password", autocomplete="new-password", minlength=10)
    form = _form(words, "/api/account/password", "account.password.save", "account.password.done", old, new)
    return panel("person", words("account.password"), form)


def sessions_panel(words: Words, who: Account, sessions: Sequence[Session]) -> Markup:
    """Where one is logged in, and the way out of there."""
    names = ("account.session.browser", "account.session.from", "account.session.since", "account.session.seen")
    heads = [tag("th", words(name)) for name in names]
    body = [_session(words, one, one.id == who.session_id) for one in sessions]
    table = tag("table", tag("thead", tag("tr", *heads, tag("th"))), tag("tbody", *body), cls="rows")
    others = _button(words("account.sessions.end"), "/api/account/sessions/end") if len(sessions) > 1 else None
    lead = tag("p", words("account.sessions.lead"), " ", others, cls="in")
    return panel("live", words("account.sessions"), lead, tag("div", table, cls="scroll"), inset=False)


def _session(words: Words, one: Session, this: bool) -> Markup:
    end = _button(words("account.session.end"), f"/api/account/sessions/{one.id[:_SHOWN]}/end")
    here: Child = tag("span", words("account.session.this"), cls="chip good") if this else end
    return tag(
        "tr",
        tag("td", browser_name(one.browser), tag("span", one.browser, cls="sub clip")),
        tag("td", one.address or "—"),
        tag("td", words.moment(one.created_at)),
        tag("td", words.moment(one.seen_at)),
        tag("td", here, cls="right"),
    )


def browser_name(agent: str) -> str:
    """The name in a User-Agent that people know, as later ones also name those before them."""
    known = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    return next((name for mark, name in known if mark in agent), agent.partition("/")[0] or "—")


def tokens_panel(words: Words, tokens: Sequence[ApiToken]) -> Markup:
    """What programs of mine may do, and the way to stop them."""
    if not tokens:
        nothing = empty("path", words("account.tokens"), words("account.tokens.none"), small=True)
        return panel("path", words("account.tokens"), nothing, inset=False)
    names = ("name", "role", "scopes", "until", "used")
    heads = [tag("th", words(f"account.token.{name}")) for name in names]
    body = [_token(words, one) for one in tokens]
    table = tag("table", tag("thead", tag("tr", *heads, tag("th"))), tag("tbody", *body), cls="rows")
    return panel("path", words("account.tokens"), tag("div", table, cls="scroll"), inset=False)


def _token(words: Words, one: ApiToken) -> Markup:
    over = one.expires_at is not None and one.expires_at <= dt.datetime.now(dt.UTC)
    until: Child = words.moment(one.expires_at) if one.expires_at else "—"
    used = words.moment(one.used_at) if one.used_at else words("account.token.never")
    scopes = [tag("span", words(f"may.{scope}"), cls="chip") for scope in sorted(one.scopes)]
    revoke = _button(
        words("account.token.revoke"),
        f"/api/account/tokens/{one.id[:_SHOWN]}/revoke",
        data_confirm=words("account.token.revoke.ask", name=one.label),
        data_confirm_lead=words("account.token.revoke.lead"),
        data_cancel=words("cancel"),
        data_verb=words("account.token.revoke"),
    )
    return tag(
        "tr",
        tag("td", tag("b", one.label)),
        tag("td", words(f"role.{one.role}") if one.role else "—"),
        tag("td", tag("div", *scopes, cls="chips") if scopes else words("account.token.all")),
        tag("td", tag("span", words("account.token.over"), cls="chip bad") if over else until),
        tag("td", used),
        tag("td", revoke, cls="right"),
    )


def token_form(visit: Visit) -> Markup:
    """Make a token; what it may do is chosen among what its owner may."""
    words, who = visit.words, visit.who
    roles = [tag("option", words(f"role.{role}"), value=role.value, selected=role == who.role) for role in Role]
    chosen = [
        tag("label", tag("input", type="checkbox", name="scope", value=one), words(f"may.{one}"), cls="check")
        for one in sorted(who.permissions)
    ]
    scopes = tag("fieldset", tag("legend", words("account.token.scopes")), *chosen, cls="scopes")
    lead = tag("p", words("account.token.scopes.lead"), cls="muted")
    fields = (
        _field(words("account.token.name"), "label", maxlength=60),
        tag(
            "label",
            tag("span", words("account.token.role")),
            tag("select", *roles, name="role", cls="select"),
            cls="field",
        ),
        _field(words("account.token.days"), "days", type="number", min=1, max=366, value=90),
    )
    save = tag("button", words("account.token.make"), cls="btn primary", type="submit")
    texts = {"data_title": words("account.token.make"), "data_lead": words("account.token.made"),
             "data_copy": words("people.copy"), "data_saved": "account"}  # fmt: skip
    form = tag("form", tag("div", *fields, cls="entries"), scopes, lead, save, data_token=True, cls="stack", **texts)
    return panel("plus", words("account.token.make"), form)


def _form(words: Words, post: str, submit: str, done: str, *fields: Markup, cls: str = "btn primary") -> Markup:
    save = tag("button", words(submit), cls=cls, type="submit")
    line = tag("div", *fields, save, cls="entries")
    return tag("form", line, data_form=post, data_done=words(done), data_saved="account")


def _field(title: str, name: str, **more: Attribute) -> Markup:
    given: dict[str, Attribute] = {"type": "text", "required": True, "maxlength": 128, **more}
    return tag("label", tag("span", title), tag("input", name=name, cls="input", **given), cls="field")


def _button(title: str, post: str, **more: Attribute) -> Markup:
    return tag("button", title, cls="btn small", type="button", data_post=post, data_saved="account", **more)
