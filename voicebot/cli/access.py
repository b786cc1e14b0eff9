"""`voicebot people`: who may come in and what they may do, for whoever stands at the machine."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row
from voicebot.domain.operation import Action
from voicebot.domain.records import Role

if TYPE_CHECKING:
    from voicebot.domain.login import ApiToken, Session
    from voicebot.domain.records import User
    from voicebot.store.store import Store

people = typer.Typer(no_args_is_help=True, help="Who may come in, and what they may do")
Name = Annotated[str, typer.Argument(metavar="NAME")]


@people.command("list")
def people_list(as_json: AsJson = False, config: Config = None) -> None:
    """Everybody who may log in: role, second factor, lock."""

    async def work(store: Store) -> tuple[list[User], frozenset[str]]:
        return await store.users.all(), await store.second_factors.users()

    users, having = in_store(config, work)
    now = dt.datetime.now(dt.UTC)
    for user in users:
        locked = user.locked_until is not None and user.locked_until > now
        row = {"username": user.username, "role": user.role.value, "disabled": user.disabled, "locked": locked,
               "second_factor": user.username in having, "single_sign_on": user.identity is not None}  # fmt: skip
        marks = [name for name in ("disabled", "locked", "second_factor", "single_sign_on") if row[name]]
        print_row(row) if as_json else typer.echo(f"{user.username}  {user.role.value}  {' '.join(marks)}".rstrip())


@people.command("forget-factor")
def forget_factor(username: Name, config: Config = None) -> None:
    """Somebody lost their telephone and recovery codes: their second factor goes, and their sessions end."""

    async def work(store: Store) -> bool:
        gone = await store.second_factors.forget(username)
        await store.sessions.end_all(username)
        return await _noted(store, username, "forget-factor") and gone

    if not in_store(config, work):
        fail(f"{username!r} is no user, or has no second factor: see voicebot people list")
    typer.echo(f"已移除 {username} 的两步验证。角色要求时，下次登录须重新设置。")


@people.command("unlock")
def unlock(username: Name, config: Config = None) -> None:
    """Let somebody try again who guessed wrong too often."""

    async def work(store: Store) -> bool:
        await store.lockouts.forget([username], dt.datetime.now(dt.UTC))
        return await _noted(store, username, "unlock")

    if not in_store(config, work):
        fail(f"there is no user {username!r}: see voicebot people list")
    typer.echo(f"已解除 {username} 的锁定。")


@people.command("sessions")
def sessions(
    username: Name,
    end: Annotated[bool, typer.Option("--end", help="End all of them")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Where somebody is logged in, and which API tokens they have."""

    async def work(store: Store) -> tuple[list[Session], list[ApiToken]]:
        now = dt.datetime.now(dt.UTC)
        found = await store.sessions.of(username, now, dt.timedelta(days=365)), await store.tokens.of(username)
        if end:
            await store.sessions.end_all(username)
            await _noted(store, username, "log-out")
        return found

    logins, tokens = in_store(config, work)
    for one in logins:
        row = {"kind": "session", "seen": one.seen_at.isoformat(), "from": one.address, "browser": one.browser}
        print_row(row) if as_json else typer.echo("  ".join(str(value) for value in row.values()))
    for token in tokens:
        used = token.used_at.isoformat() if token.used_at else None
        row = {"kind": "token", "label": token.label, "used": used or "", "scopes": ",".join(sorted(token.scopes))}
        print_row(row) if as_json else typer.echo("  ".join(str(value) for value in row.values()))
    if end:
        typer.echo(f"已结束 {len(logins)} 个会话。", err=True)


@people.command("link")
def link(
    username: Name,
    identity: Annotated[str | None, typer.Option("--identity", metavar="ISSUER|SUBJECT")] = None,
    config: Config = None,
) -> None:
    """Let a user log in as this subject of the identity provider; without --identity: no longer."""

    async def work(store: Store) -> bool:
        return await store.users.change(username, identity=identity) and await _noted(store, username, "identity")

    if identity is not None and "|" not in identity:
        fail("expected --identity 'https://id.example|subject'")
    if not in_store(config, work):
        fail(f"there is no user {username!r}: see voicebot people list")
    typer.echo(f"已{'关联' if identity else '解除关联'} {username}。")


@people.command("demand")
def demand(
    role: Role,
    off: Annotated[bool, typer.Option("--off", help="Demand it no longer")] = False,
    config: Config = None,
) -> None:
    """Demand a second factor of a role: at their next login its users must set one up."""

    async def work(store: Store) -> None:
        await store.second_factors.demand(role.value, not off)
        what = "second factor not demanded" if off else "second factor demanded"
        await store.operations.note(
            "command line", "operator", Action.ACCESS, f"role:{role.value}", dt.datetime.now(dt.UTC), {"change": what}
        )

    in_store(config, work)
    typer.echo(f"{role.value}：{'不再要求' if off else '必须'}两步验证。")


@people.command("access")
def access(config: Config = None) -> None:
    """Print which role may what, and what every address asks for, as Markdown."""
    from voicebot.console.access_document import access_document

    async def work(store: Store) -> dict[str, frozenset[str]]:
        return await store.users.roles()

    typer.echo(access_document(in_store(config, work)), nl=False)


async def _noted(store: Store, username: str, change: str) -> bool:
    """Write down that it was done at the machine; False when there is no such user."""
    if await store.users.find(username) is None:
        return False
    now = dt.datetime.now(dt.UTC)
    await store.operations.note("command line", "operator", Action.ACCESS, f"user:{username}", now, {"change": change})
    return True
