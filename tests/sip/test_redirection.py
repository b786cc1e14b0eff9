"""3xx: followed within the trunk, best contact first, never in circles, and not where it was not allowed."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import Call, CallState
from sip.message import Headers, Request, Response, Uri
from sip.redirection import MAX_REDIRECTS, Redirection
from sip.testing import ScriptedPeer
from tests.sip.laboratory import Laboratory, ended

pytestmark = pytest.mark.looptime
ASKED = Uri.parse("sip:138@trunk.example")
CONTACTS = st.sampled_from(["<sip:1@trunk.example>", "<sip:2@trunk.example>;q=0.9", "<sip:3@evil.example>", "x", "*"])


def moved(*contacts: str, status: int = 302) -> Response:
    return Response(status, "Moved", Headers([("Contact", text) for text in contacts]))


@pytest.mark.parametrize(
    ("allowed", "via", "contacts", "target"),
    [
        ("trunk", None, ["<sip:139@trunk.example>"], "sip:139@trunk.example"),
        ("trunk", None, ["<sip:139@other.example>"], None),
        ("any", None, ["<sip:139@other.example>"], "sip:139@other.example"),
        ("off", None, ["<sip:139@trunk.example>"], None),
        ("trunk", ("192.0.2.9", 5060), ["<sip:139@192.0.2.9>"], "sip:139@192.0.2.9"),
        ("trunk", ("192.0.2.9", 5060), ["<tel:+8613800138000>"], "tel:+8613800138000"),
        ("trunk", None, ["<tel:+8613800138000>"], None),
        ("any", None, ["<mailto:a@b>", "nonsense", "<sip:a@b;lr?X=1>"], "sip:a@b;lr"),
        ("any", None, ["<sip:1@b>;q=0.2", "<sip:2@b>;q=0.8, <sip:3@b>;q=x"], "sip:2@b"),
        ("any", None, [], None),
    ],
)
def test_where_a_call_may_go(
    allowed: str, via: tuple[str, int] | None, contacts: list[str], target: str | None
) -> None:
    found = Redirection(allowed, via).follow(moved(*contacts), ASKED)  # type: ignore[arg-type]
    assert (str(found) if found else None) == target


@given(st.lists(st.lists(CONTACTS, max_size=4), max_size=20))
def test_no_peer_can_lead_us_in_circles(answers: list[list[str]]) -> None:
    redirection, asked, seen = Redirection("any", None), ASKED, [str(ASKED)]
    for contacts in answers:
        target = redirection.follow(moved(*contacts), asked)
        if target is None:
            break
        asked = target
        seen.append(str(target))
    assert len(set(seen)) == len(seen) <= MAX_REDIRECTS + 1


def move(peer: ScriptedPeer, invite: Request, contact: str) -> None:
    peer.send(invite.reply(302, to_tag="old", headers=[("Contact", contact)]), ("192.0.2.1", 5060))


async def test_a_call_goes_on_at_the_new_host_with_the_same_call_id(lab: Laboratory) -> None:
    agent, old, new = await lab.agent(), lab.peer(), lab.peer("192.0.2.50")
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1", redirects="any")
    first = await old.request("INVITE")
    move(old, first, "<sip:y@192.0.2.50>")
    await old.request("ACK")
    second = await new.request("INVITE")
    assert str(second.uri) == "sip:y@192.0.2.50" and str(second.to.uri) == "sip:x@192.0.2.99"
    assert (second.call_id, second.cseq.number) == (first.call_id, 2) and second.to.tag is None
    new.reply(second, 200, sdp="sendrecv")
    await new.request("ACK")
    assert call.state is CallState.CONFIRMED


async def test_a_redirection_out_of_the_trunk_ends_the_call_and_says_so(lab: Laboratory) -> None:
    agent, old = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    move(old, await old.request("INVITE"), "<sip:y@203.0.113.50>")
    end = await ended(call)
    assert (end.by, end.status) == ("remote", 302)


async def test_through_a_proxy_the_new_target_goes_by_the_proxy_too(lab: Laboratory) -> None:
    agent, proxy = await lab.agent(), lab.peer("192.0.2.50")
    call: Call = agent.call("sip:x@carrier.example", from_uri="sip:a@192.0.2.1", via=("192.0.2.50", 5060))
    move(proxy, await proxy.request("INVITE"), "<sip:y@carrier.example>")
    second = await proxy.request("INVITE")
    assert str(second.uri) == "sip:y@carrier.example"
    proxy.reply(second, 486)
    assert (await ended(call)).status == 486


async def test_giving_up_between_two_targets(lab: Laboratory) -> None:
    agent, old, new = await lab.agent(), lab.peer(), lab.peer("192.0.2.50")
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1", redirects="any")
    move(old, await old.request("INVITE"), "<sip:y@192.0.2.50>")
    invite = await new.request("INVITE")
    leaving = asyncio.ensure_future(call.hangup("changed my mind"))
    with pytest.raises(TimeoutError):
        await new.request("CANCEL", within_s=1)  # nothing has come back from there yet
    new.reply(invite, 180)
    await new.request("CANCEL")
    new.reply(invite, 487)
    await leaving
    assert (await ended(call)).reason == "changed my mind"
