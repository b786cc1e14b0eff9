"""/people - who may log in and who takes calls; and /password, where a one-time link leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.desk_parts import presence_chip
from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.records import AgentRecord, Role, User


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/people", response_timeout=10)
    async def people(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        users, agents = await console.data.people.users(), await console.data.people.agents()
        with shell(console, visit, "/people", words("people.title"), ("desk.js",)):
            table = tag("a", icon("shield"), words("people.access"), href="/access", cls="btn")
            markup(heading(words("people.title"), words("people.lead"), table))
            names = markup(_agent_options(agents))
            having = await console.data.accounts.with_factor()
            listed_users = markup(users_panel(words, users, having)).classes("people-box")
            markup(user_form(words))
            listed_agents = markup(agents_panel(words, agents)).classes("people-box")
            markup(agent_form(words))

            async def redraw() -> None:
                agents = await console.data.people.agents()
                names.content = _agent_options(agents)
                having = await console.data.accounts.with_factor()
                listed_users.content = users_panel(words, await console.data.people.users(), having)
                listed_agents.content = agents_panel(words, agents)

            ui.on("people", redraw)
            ui.timer(5.0, redraw)


def users_panel(words: Words, users: Sequence[User], having: frozenset[str] = frozenset()) -> Markup:
    """Everybody who may log in; `having`: who has a second factor."""
    names = (("login.user", ""), ("people.role", ""), ("people.agent", "hide-phone"), ("col.state", ""), ("", ""))
    heads = [tag("th", words(name) if name else "", cls=cls) for name, cls in names]
    body = [_user(words, user, having) for user in users]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows")
    return panel("person", words("people.users"), tag("div", table, cls="scroll"), inset=False)


def _user(words: Words, user: User, having: frozenset[str]) -> Markup:
    locked = user.locked_until is not None and user.locked_until > dt.datetime.now(dt.UTC)
    state: Child = None
    if user.disabled:
        state = tag("span", words("people.disabled"), cls="chip bad")
    elif locked:
        state = tag("span", words("people.locked"), cls="chip warn")
    below = tag("span", user.username, cls="sub")
    return tag(
        "tr",
        tag("td", tag("b", user.display_name), below),
        tag("td", words(f"role.{user.role}")),
        tag("td", tag("code", user.agent_id) if user.agent_id else "—", cls="hide-phone"),
        tag("td", state, tag("span", words("people.factor"), cls="chip good") if user.username in having else None),
        tag("td", tag("div", *_user_buttons(words, user, having), cls="line end"), cls="right"),
    )


def _user_buttons(words: Words, user: User, having: frozenset[str]) -> list[Markup]:
    base = f"/api/people/users/{user.username}"
    if user.disabled:
        return [_button(words("people.enable"), f"{base}/enable")]
    name = user.display_name or user.username
    locked = user.locked_until is not None and user.locked_until > dt.datetime.now(dt.UTC)
    unlock = [_button(words("people.unlock"), f"{base}/unlock")] if locked else []
    reset = _button(
        words("people.reset_factor"),
        f"{base}/reset-factor",
        cls="btn small quiet",
        data_confirm=words("people.reset_factor.ask", name=name),
        data_confirm_lead=words("people.reset_factor.lead"),
        data_cancel=words("cancel"),
        data_verb=words("people.reset_factor"),
    )
    leave = _button(words("people.log_out"), f"{base}/log-out", cls="btn small quiet")
    out = _button(
        words("people.disable"),
        f"{base}/disable",
        cls="btn small quiet",
        data_confirm=words("people.disable.ask", name=name),
        data_confirm_lead=words("people.disable.lead"),
        data_cancel=words("cancel"),
        data_verb=words("people.disable"),
    )
    link = _button(
        words("people.link"),
        f"{base}/link",
        data_link=words("people.link.lead"),
        data_copy=words("people.copy"),
        data_title=f"{words('people.link')} · {name}",
    )
    return [*unlock, *([reset] if user.username in having else []), leave, out, link]


def _button(title: str, post: str, cls: str = "btn small", **more: Attribute) -> Markup:
    return tag("button", title, cls=cls, type="button", data_post=post, data_saved="people", **more)


def agents_panel(words: Words, agents: Sequence[AgentRecord]) -> Markup:
    """Everybody whose phone may be rung."""
    if not agents:
        nothing = empty("headset", words("wall.agents.none"), words("people.agents.none"), small=True)
        return panel("headset", words("people.agents"), nothing, inset=False)
    names = (("people.name", ""), ("people.address", ""), ("people.skills", "hide-phone"), ("col.state", ""))
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    rows = []
    for agent in agents:
        skills = [tag("span", skill, cls="chip") for skill in (*agent.skills, *agent.languages)]
        device = words(f"people.device.{agent.device}")
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", agent.name), tag("span", agent.id, cls="sub")),
                tag("td", tag("code", agent.sip_uri), tag("span", device, cls="sub")),
                tag("td", tag("div", *skills, cls="chips"), cls="hide-phone"),
                tag("td", presence_chip(words, agent)),
            )
        )
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("headset", words("people.agents"), tag("div", table, cls="scroll"), inset=False)


def user_form(words: Words) -> Markup:
    """Adds a user or changes one of the same name."""
    roles = [tag("option", words(f"role.{role}"), value=role.value, selected=role is Role.AGENT) for role in Role]
    agent = _entry("agent_id", list="people-agents", placeholder=words("people.agent.none"), maxlength=32)
    fields = (
        _field(words("login.user"), _entry("username", required=True, maxlength=32)),
        _field(words("people.name"), _entry("display_name", maxlength=60)),
        _field(words("people.role"), tag("select", *roles, name="role", cls="select")),
        _field(words("people.agent"), agent),
    )
    return _form(words, "people.user.new", "person", "/api/people/users", fields)


def agent_form(words: Words) -> Markup:
    """Adds an agent or changes the one with this id."""
    fields = (
        _field(words("people.id"), _entry("id", required=True, maxlength=32, list="people-agents")),
        _field(words("people.name"), _entry("name", required=True, maxlength=60)),
        _field(
            words("people.address"),
            _entry("address", required=True, maxlength=120, placeholder=words("people.address.hint")),
        ),
        _field(words("people.skills"), _entry("skills", placeholder="general, care, dispute", maxlength=200)),
        _field(words("people.languages"), _entry("languages", placeholder="zh, yue", maxlength=60)),
        _field(words("people.after"), _entry("after_call_s", type="number", min=0, max=3600, value=30)),
    )
    return _form(words, "people.agent.new", "headset", "/api/people/agents", fields)


def _form(words: Words, title: str, sign: str, post: str, fields: Sequence[Markup]) -> Markup:
    save = tag("button", words("people.save"), cls="btn primary", type="submit")
    done = words("people.saved")
    form = tag("form", *fields, save, cls="in campaign-form", data_form=post, data_done=done, data_saved="people")
    summary = tag("summary", icon(sign), tag("h2", words(title)), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign")


def _field(title: str, entry: Markup) -> Markup:
    return tag("label", tag("span", title), entry)


def _entry(name: str, **more: Attribute) -> Markup:
    given: dict[str, Attribute] = {"type": "text", **more}
    return tag("input", name=name, cls="input", **given)


def _agent_options(agents: Sequence[AgentRecord]) -> Markup:
    return tag("datalist", *(tag("option", agent.name, value=agent.id) for agent in agents), id="people-agents")
