"""Fellows: extensions have names of their own, and open to the workers of one fleet alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sip.message import Uri
from voicebot.telephony.fellows import Fellows, agent_of, extension, extension_of


@given(st.text(min_size=1, max_size=30).filter(lambda name: name.isprintable()))
def test_whatever_an_agent_is_called_the_extension_names_them(agent: str) -> None:
    uri = extension(agent, "192.0.2.7:5060")
    assert extension_of(Uri.parse(uri)) == agent == agent_of(uri)


def test_other_addresses_are_no_extensions() -> None:
    assert extension_of(Uri.parse("sip:agent@192.0.2.7")) is None
    assert extension_of(Uri.parse("sip:192.0.2.7")) is None


def test_the_way_to_an_agent() -> None:
    fellows = Fellows("secret", "berg-0")
    fellows.lines = {"berg-0": "192.0.2.1:5060", "tal-0": "[2001:db8::7]:5060"}
    assert fellows.way_to("a1", None) is None, "everybody reaches them"
    assert fellows.way_to("a1", "berg-0") is None, "our own line does"
    assert fellows.way_to("a1", "gone-0") is None, "nobody reaches them by a worker that is gone: try it straight"
    assert fellows.way_to("a1", "tal-0") == "sip:agent.a1@[2001:db8::7]:5060"
    assert fellows.knows("192.0.2.1") and fellows.knows("2001:db8::7") and not fellows.knows("192.0.2.9")


def test_the_password_is_of_the_fleet() -> None:
    assert Fellows("one").credentials.password == Fellows("one", "w").credentials.password
    assert Fellows("one").credentials.password != Fellows("two").credentials.password
    assert "one" not in repr(Fellows("one").credentials)
