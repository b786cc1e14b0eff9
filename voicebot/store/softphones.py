"""Softphones: whose telephone is the browser now, and the desk phone that is rung again afterwards."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.store.database import Database
from voicebot.store.schema_people import agents, softphones


class Softphones:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def attach(
        self, agent_id: str, gateway: str, sip_uri: str, now: dt.datetime, via: str | None = None
    ) -> None:
        """From now on the agent is rung at `sip_uri`, in the browser, `via` the line of that worker where one is named.

        LookupError when there is no such agent.
        """
        async with self._database.begin() as connection:
            query = select(agents.c.sip_uri, agents.c.via).where(agents.c.id == agent_id)
            desk_phone = (await connection.execute(query.with_for_update())).first()
            if desk_phone is None:
                raise LookupError(f"there is no agent {agent_id!r}")
            row = insert(softphones).values(
                agent_id=agent_id, gateway=gateway, sip_uri=desk_phone.sip_uri, via=desk_phone.via, since=now
            )
            # Who comes from another gateway that died has left the desk phone's address there.
            await connection.execute(row.on_conflict_do_update(index_elements=["agent_id"], set_={"gateway": gateway}))
            change = update(agents).where(agents.c.id == agent_id)
            await connection.execute(change.values(sip_uri=sip_uri, via=via, device="browser"))

    async def detach(self, agent_id: str, gateway: str, now: dt.datetime) -> bool:
        """The browser is gone: the desk phone is theirs again, and they are offline.

        False when they were not at this gateway.
        """
        async with self._database.begin() as connection:
            return await _detach(connection, agent_id, gateway, now)

    async def detach_all(self, gateway: str, now: dt.datetime) -> list[str]:
        """What a gateway that died has left; the agents' ids."""
        async with self._database.begin() as connection:
            query = select(softphones.c.agent_id).where(softphones.c.gateway == gateway).order_by(softphones.c.agent_id)
            left = list((await connection.execute(query)).scalars())
            for agent_id in left:
                await _detach(connection, agent_id, gateway, now)
        return left


async def _detach(connection: AsyncConnection, agent_id: str, gateway: str, now: dt.datetime) -> bool:
    theirs = (softphones.c.agent_id == agent_id, softphones.c.gateway == gateway)
    query = delete(softphones).where(*theirs).returning(softphones.c.sip_uri, softphones.c.via)
    desk_phone = (await connection.execute(query)).first()
    if desk_phone is None:
        return False
    gone = {"presence": "offline", "presence_at": now, "call_id": None, "wrap_until": None}
    change = update(agents).where(agents.c.id == agent_id)
    await connection.execute(change.values(sip_uri=desk_phone.sip_uri, via=desk_phone.via, device="phone", **gone))
    return True
