"""Database URLs: one server or several, for SQLAlchemy and for libpq; anything else is refused without its password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from voicebot.store.urls import conninfo, sqlalchemy_url


def test_one_server() -> None:
    told = conninfo_to_dict(conninfo("postgres://u:p%40ss@db.example:5433/voicebot?sslmode=require"))
    assert told == {"user": "u", "password": "p@ss", "host": "db.example", "port": "5433", "dbname": "voicebot",
                    "sslmode": "require"}  # fmt: skip


def test_a_socket() -> None:
    assert conninfo_to_dict(conninfo("postgresql://u:@/voicebot?host=/run/pg"))["host"] == "/run/pg"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@one,two:5433/voicebot",
        "postgresql://u:p@one:5432,two:5433/voicebot?target_session_attrs=read-write",
        "postgresql+psycopg://u:p@/voicebot?host=one:5432&host=two:5433",
    ],
)
def test_of_several_servers_the_one_that_can_be_written_to(url: str) -> None:
    told = conninfo_to_dict(conninfo(url))
    assert (told["host"], told["port"]) == ("one,two", "5432,5433")
    assert told["target_session_attrs"] == "read-write"
    assert (told["user"], told["password"], told["dbname"]) == ("u", "p", "voicebot")


def test_several_servers_with_a_wish_of_the_operator_s() -> None:
    told = conninfo_to_dict(conninfo("postgresql://one,two/voicebot?target_session_attrs=primary&sslmode=require"))
    assert (told["target_session_attrs"], told["sslmode"]) == ("primary", "require")


def test_addresses_of_the_sixth_version() -> None:
    told = conninfo_to_dict(conninfo("postgresql://u:p@[2001:db8::1]:5432,[2001:db8::2]/voicebot"))
    assert (told["host"], told["port"]) == ("2001:db8::1,2001:db8::2", "5432,5432")


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "u:geheim@h", "postgresql://u:geheim@one,/d",
                                 "postgresql://u:geheim@one:x,two/d"])  # fmt: skip
def test_what_can_t_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="VOICEBOT_DATABASE_URL") as refusal:
        sqlalchemy_url(url)
    assert "geheim" not in str(refusal.value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        sqlalchemy_url(text)
    except ValueError as refusal:
        assert "VOICEBOT_DATABASE_URL" in str(refusal)


@given(st.text(max_size=30))
def test_any_list_of_servers_is_read_or_refused(text: str) -> None:
    try:
        conninfo(f"postgresql://u:p@{text},two/d")
    except ValueError as refusal:
        assert "VOICEBOT_DATABASE_URL" in str(refusal)
