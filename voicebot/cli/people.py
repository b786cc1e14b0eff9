"""`voicebot agents` and `voicebot users`: the people of an installation, where there is no page for them yet."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row
from voicebot.domain.records import Role

if TYPE_CHECKING:
    from voicebot.domain.records import AgentRecord
    from voicebot.store.store import Store

agents = typer.Typer(no_args_is_help=True, help="People who take warm transfers")
users = typer.Typer(no_args_is_help=True, help="People who log in to the console")
SHORTEST_PASSWORD = 10


class Presence(StrEnum):
    """What an agent may say of themself; `busy` is for the desk to say."""

    READY = "ready"
    AWAY = "away"
    OFFLINE = "offline"


@agents.command("add")
def agents_add(
    agent_id: Annotated[str, typer.Argument(metavar="ID")],
    name: str,
    address: Annotated[str, typer.Argument(metavar="SIP_URI", help="sip: URI, or a number for the trunk")],
    skills: Annotated[list[str] | None, typer.Option("--skill", help="Such as general, care, dispute")] = None,
    via: Annotated[
        str | None, typer.Option("--via", metavar="WORKER", help="The only worker that reaches their telephone; '' any")
    ] = None,
    config: Config = None,
) -> None:
    """Add an agent, or change name, address and skills; a new one is offline."""
    from voicebot.cases.phones import parse_phone
    from voicebot.domain.records import AgentRecord

    async def work(store: Store) -> None:
        known = await store.agents.find(agent_id) or AgentRecord(agent_id, name, "")
        way = known.via if via is None else via or None
        named = replace(known, name=name, sip_uri=parse_phone(address), skills=tuple(skills or ("general",)), via=way)
        await store.agents.save(named)

    in_store(config, work)
    typer.echo(f"已保存坐席 {agent_id}。可接听时：voicebot agents presence {agent_id} ready")


@agents.command("list")
def agents_list(as_json: AsJson = False, config: Config = None) -> None:
    """Who there is, and who is ready."""

    async def work(store: Store) -> list[AgentRecord]:
        return await store.agents.all()

    for agent in in_store(config, work):
        row = {"id": agent.id, "name": agent.name, "sip_uri": agent.sip_uri, "skills": agent.skills}
        shown = f"{agent.id}  {agent.name}  {agent.presence}  {agent.sip_uri}  {','.join(agent.skills)}"
        print_row(row | {"presence": agent.presence}) if as_json else typer.echo(shown)


@agents.command("presence")
def agents_presence(
    agent_id: Annotated[str, typer.Argument(metavar="ID")], presence: Presence, config: Config = None
) -> None:
    """Say that an agent can be rung (ready), or not (away, offline)."""
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> bool:
        return await store.agents.set_presence(agent_id, presence.value, SystemClock().now())

    if not in_store(config, work):
        fail(f"there is no agent {agent_id!r}: see voicebot agents list")


@users.command("add")
def users_add(
    username: Annotated[str, typer.Argument(metavar="NAME")],
    role: Annotated[Role, typer.Option("--role")],
    agent: Annotated[str | None, typer.Option("--agent", metavar="ID", help="The agent they are at the phone")] = None,
    config: Config = None,
) -> None:
    """Add a user of the console, or give one another role, password and agent; the password is asked for."""
    from voicebot.domain.clock import SystemClock

    asked: str = typer.prompt("密码 password", hide_input=True, confirmation_prompt=sys.stdin.isatty())
    if len(asked) < SHORTEST_PASSWORD:
        fail(f"the password needs at least {SHORTEST_PASSWORD} characters")

    async def work(store: Store) -> bool:
        if agent is not None and await store.agents.find(agent) is None:
            return False
        await store.users.create(username, role, SystemClock().now(), password=asked)
        return agent is None or await store.users.change(username, agent_id=agent)

    if not in_store(config, work):
        fail(f"there is no agent {agent!r}: see voicebot agents list")
    typer.echo(f"已保存用户 {username}（{role.value}）")
