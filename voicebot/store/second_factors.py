"""Second factors: one-time codes by the clock (RFC 6238), recovery codes on paper, and which roles must have them."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets as chance

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.login import Factor
from voicebot.store.database import Database
from voicebot.store.master_key import locked_text, opened_text
from voicebot.store.schema_access import recovery_codes, role_policies, second_factors
from voicebot.store.sessions import digest

STEP_S = 30
RECOVERY_CODES = 10
_DRIFT = (0, -1, 1)
"""Steps of 30 s by which the clock of a telephone may be off."""


class SecondFactors:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, username: str, now: dt.datetime) -> str:
        """The secret of a new factor, in base32, that counts from `confirm` on; the same one for an hour.

        ValueError when they have a factor already: forget it first.
        """
        factor, secret = second_factors.c, pyotp.random_base32()
        values = {"secret": locked_text(secret, _context(username)), "created_at": now, "last_step": 0}
        query = insert(second_factors).values(username=username, **values)
        old = factor.confirmed_at.is_(None) & (factor.created_at < now - dt.timedelta(hours=1))
        begun = query.on_conflict_do_update(index_elements=["username"], set_=values, where=old)
        async with self._database.begin() as connection:
            await connection.execute(begun)
            row = (await connection.execute(select(second_factors).where(factor.username == username))).one()
        if row.confirmed_at is not None:
            raise ValueError("there is a second factor already: remove it before setting up another")
        return opened_text(row.secret, _context(username))

    async def confirm(self, username: str, code: str, now: dt.datetime) -> list[str] | None:
        """The first right code makes the factor count; its recovery codes, shown this once. None for a wrong code."""
        if not await self._right(username, code, now, confirmed=False):
            return None
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        rows = [{"username": username, "code_sha256": _digest(code)} for code in codes]
        mine = update(second_factors).where(second_factors.c.username == username)
        async with self._database.begin() as connection:
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.username == username))
            await connection.execute(recovery_codes.insert(), rows)
            await connection.execute(mine.values(confirmed_at=now))
        return codes

    async def check(self, username: str, code: str, now: dt.datetime) -> bool:
        """Whether a code of the clock or a recovery code is right; neither is right twice."""
        if len(code.replace(" ", "")) == 6:
            return await self._right(username, code, now, confirmed=True)
        query = (
            update(recovery_codes)
            .where(recovery_codes.c.username == username, recovery_codes.c.code_sha256 == _digest(code))
            .where(recovery_codes.c.used_at.is_(None))
            .values(used_at=now)
        )
        async with self._database.begin() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def of(self, username: str) -> Factor | None:
        """The factor of a user, if they have one that counts."""
        left = select(func.count()).where(recovery_codes.c.username == username, recovery_codes.c.used_at.is_(None))
        query = select(second_factors.c.confirmed_at, left.scalar_subquery().label("codes")).where(
            second_factors.c.username == username, second_factors.c.confirmed_at.is_not(None)
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return Factor(username, row.confirmed_at, row.codes) if row else None

    async def users(self) -> frozenset[str]:
        """Who has a factor that counts."""
        query = select(second_factors.c.username).where(second_factors.c.confirmed_at.is_not(None))
        async with self._database.begin() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def forget(self, username: str) -> bool:
        """Remove a user's factor and codes, such as those of a lost telephone; False when there was none."""
        async with self._database.begin() as connection:
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.username == username))
            gone = await connection.execute(delete(second_factors).where(second_factors.c.username == username))
            return gone.rowcount > 0

    async def demanded(self) -> frozenset[str]:
        """Roles that must have one."""
        query = select(role_policies.c.role).where(role_policies.c.second_factor)
        async with self._database.begin() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def demand(self, role: str, wanted: bool) -> None:
        """Demand a second factor of a role from the next login on, or no longer."""
        query = insert(role_policies).values(role=role, second_factor=wanted)
        change = {"second_factor": wanted}
        async with self._database.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["role"], set_=change))

    async def _right(self, username: str, code: str, now: dt.datetime, confirmed: bool) -> bool:
        factor = second_factors.c
        query = select(factor.secret).where(factor.username == username, factor.confirmed_at.is_not(None) == confirmed)
        async with self._database.begin() as connection:
            kept = (await connection.execute(query)).scalar_one_or_none()
            if kept is None or (step := _step_of(opened_text(kept, _context(username)), code, now)) is None:
                return False
            use = update(second_factors).where(factor.username == username, factor.last_step < step)
            return (await connection.execute(use.values(last_step=step))).rowcount > 0


def _step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """Which 30 s a code belongs to, among those near `now`. All are compared, in constant time."""
    clock = pyotp.TOTP(secret, interval=STEP_S)
    given = code.replace(" ", "").encode()
    current = int(now.timestamp()) // STEP_S
    right = [current + off for off in _DRIFT if hmac.compare_digest(clock.generate_otp(current + off).encode(), given)]
    return right[0] if right else None


def _recovery_code() -> str:
    """80 bits as four groups of four: nobody guesses it, so a plain hash keeps it."""
    text = base64.b32encode(chance.token_bytes(10)).decode("ascii").lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _digest(code: str) -> str:
    return digest("".join(filter(str.isalnum, code.lower())))


def _context(username: str) -> str:
    return f"second factor of {username}"
