"""Columns as all tables have them, and the metadata that all tables share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

Time = DateTime(timezone=True)


def text_(name: str, *args: Any, **options: Any) -> Column[str]:
    """A text column that must be filled unless `nullable` says otherwise."""
    return Column(name, Text, *args, **{"nullable": False, **options})


def flag(name: str, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def count(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


def json_(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def texts(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def when(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, Time, nullable=nullable)


def id_() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def pattern_index(name: str, expression: Any) -> Index:
    """An index by which LIKE 'beginning%' finds, in a database of any collation."""
    return Index(name, expression.label("pattern"), postgresql_ops={"pattern": "text_pattern_ops"})
