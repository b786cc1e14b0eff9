"""SIPp scenarios as lists of steps: `[invite(), *ANSWERED, ack(), pause(500), bye(), recv(200)]`.

Every step is XML of SIPp's own scenario language; a run leaves the whole file beside its log, to be run by hand.
A caller says `invite`, `ack`, `bye` …; a callee hears `recv("INVITE")` and says `reply(180)` …
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from .peers import Peer

HOST = "127.0.0.1"
OURS = "<sip:sipp@[local_ip]:[local_port];transport=[transport]>"
TAG = "[pid]sipp[call_number]"
SDP = """\
v=0
o=sipp 1 {version} IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio {port} RTP/AVP {formats} 96
a=rtpmap:96 telephone-event/8000
a=fmtp:96 0-15
a=ptime:20
a={direction}
"""
_REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved"}


def sdp(direction: str = "sendrecv", formats: str = "0", version: int = 1, port: str = "[media_port]") -> str:
    return SDP.format(direction=direction, formats=formats, version=version, port=port)


def _send(head: str, headers: Sequence[str], body: str, *, repeats: bool) -> str:
    lines = [head, *headers]
    if body:
        lines.append(f"Content-Type: {'application/sdp' if body.startswith('v=0') else 'application/dtmf-relay'}")
    text = "\n".join([*lines, "Content-Length: [len]", "", body])
    how = ' retrans="500"' if repeats else ""
    return f"<send{how}><![CDATA[\n{text}\n]]></send>"


def _request(
    method: str, cseq: int, body: str = "", *, headers: Sequence[str] = (), inside: bool = True, callee: bool = False
) -> str:
    """A request in the dialog, or the first one. What SIPp wrote is in From; as callee it knows us from our INVITE."""
    me = f"sipp@[local_ip]:[local_port]>;tag={TAG}"
    us = "To:[$caller]" if callee else "To: <sip:[service]@[remote_ip]:[remote_port]>" + "[peer_tag_param]" * inside
    uri = "[next_url]" if inside else "sip:[service]@[remote_ip]:[remote_port]"
    head = f"""\
{method} {uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:{me}
{us}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: {OURS}
Max-Forwards: 70"""
    return _send(head, ["[routes]"] * inside + list(headers), body, repeats=method != "ACK")


def invite(body: str | None = None, *, cseq: int = 1, headers: Sequence[str] = ()) -> str:
    """The first INVITE; `body` "" makes a late offer."""
    return _request("INVITE", cseq, sdp() if body is None else body, headers=headers, inside=False)


def reinvite(body: str, cseq: int = 2, *, callee: bool = False) -> str:
    return _request("INVITE", cseq, body, callee=callee)


def ack(cseq: int = 1, body: str = "", *, callee: bool = False) -> str:
    return _request("ACK", cseq, body, callee=callee)


def refused_ack(cseq: int = 1) -> str:
    """The ACK of a refusal: same branch, no route (RFC 3261 17.1.1.3)."""
    return f"""<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
From: <sip:sipp@[local_ip]:[local_port]>;tag={TAG}
[last_To:]
[last_Call-ID:]
CSeq: {cseq} ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def bye(cseq: int = 2, *, callee: bool = False) -> str:
    return _request("BYE", cseq, callee=callee)


def info(digit: str, cseq: int = 2) -> str:
    return _request("INFO", cseq, f"Signal={digit}\nDuration=160\n")


def update(body: str, cseq: int = 2) -> str:
    return _request("UPDATE", cseq, body)


def prack(cseq: int = 2) -> str:
    """PRACK of the response whose RSeq was kept by `recv`."""
    return _request("PRACK", cseq, headers=["RAck: [$kept] 1 INVITE"])


def notify(told: str, cseq: int, state: str) -> str:
    """How the callee reports on a REFER; an in-dialog request of the callee."""
    headers = ["Event: refer", f"Subscription-State: {state}"]
    request = _request("NOTIFY", cseq, f"{told}\n", headers=headers, callee=True)
    return request.replace("application/dtmf-relay", "message/sipfrag;version=2.0")


def cancel() -> str:
    """CANCEL of the first INVITE: its branch, its CSeq number."""
    return f"""<send retrans="500"><![CDATA[
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-{{back}}];rport
From: <sip:sipp@[local_ip]:[local_port]>;tag={TAG}
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def reply(
    status: int, body: str = "", *, headers: Sequence[str] = (), repeats: bool = False, invite: bool = False
) -> str:
    """An answer to what was heard last, or to the INVITE. `repeats`: until the ACK comes, as a 2xx to INVITE must."""
    head = f"SIP/2.0 {status} {_REASONS.get(status, 'Sorry')}"
    if invite:
        fields = ["Via:[$via]", "From:[$caller]", f"To:[$callee];tag={TAG}", "[last_Call-ID:]", "CSeq:[$cseq]"]
    else:
        tag = f";tag={TAG}" if status != 100 else ""
        fields = ["[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", "[last_CSeq:]"]
    fields += ["[last_Record-Route:]", f"Contact: {OURS}", *headers]
    return _send(head, fields, body, repeats=repeats)


_REMEMBER = "".join(
    f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{name}"/>'
    for header, name in {"From": "caller", "To": "callee", "Via": "via", "CSeq": "cseq"}.items()
)


def recv(
    what: int | str, *, optional: bool = False, has: str = "", lacks: str = "", keep: str = "", within_ms: int = 8000
) -> str:
    """Expect a status or a method; fail where the message has no match of `has`, or one of `lacks`.

    `keep`: a header whose number later steps need.
    """
    actions = _REMEMBER if what == "INVITE" else ""
    if has:
        actions += f'<ereg regexp={quoteattr(has)} search_in="msg" check_it="true" assign_to="has"/>'
    if lacks:
        actions += f'<ereg regexp={quoteattr(lacks)} search_in="msg" check_it_inverse="true" assign_to="has"/>'
    if keep:
        actions += f'<ereg regexp="[0-9]+" search_in="hdr" header="{keep}:" check_it="true" assign_to="kept"/>'
    kind = f'response="{what}"' if isinstance(what, int) else f'request="{what}"'
    how = ' optional="true"' if optional else f' timeout="{within_ms}"'
    auth = ' auth="true"' if what in (401, 407) else ""
    routes = ' rrs="true"' if what in (180, 200, "INVITE") else ""
    return f"<recv {kind}{how}{auth}{routes}>{f'<action>{actions}</action>' if actions else ''}</recv>"


def pause(ms: int) -> str:
    return f'<pause milliseconds="{ms}"/>'


def does(action: str) -> str:
    """SIPp's own action, such as `play_dtmf="159#"`."""
    return f"<nop><action><exec {action}/></action></nop>"


TRYING = recv(100, optional=True)
ANSWERED = (TRYING, recv(180, optional=True), recv(183, optional=True), recv(200))
"""What a caller hears until the call is up."""


def scenario(steps: Sequence[str]) -> str:
    """The XML document. `{back}` in a step becomes how many steps ago the first was."""
    body = [step.replace("{back}", str(at)) for at, step in enumerate(steps)]
    names = [name for name in ("caller", "callee", "via", "cseq", "has", "kept") if f'"{name}"' in "".join(body)]
    references = f'<Reference variables="{",".join(names)}"/>' if names else ""
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<scenario>", *body, references, "</scenario>", ""])


def port_is_taken(port: int, host: str = HOST) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((host, port))
        except OSError:
            return True
    return False


class Sipp(Peer):
    """One SIPp with one scenario."""

    def __init__(self, folder: Path, steps: Sequence[str], name: str = "sipp", host: str = HOST) -> None:
        super().__init__(name, folder / name)
        self.port, self.media = free_port(), free_port()
        self._steps, self._host = steps, host

    @property
    def uri(self) -> str:
        return f"sip:sipp@{self._bracketed}:{self.port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    async def begin(self, target: int | None, *options: str, calls: int = 1) -> None:
        """Start it: towards a port of ours, or waiting for us."""
        self.folder.mkdir(parents=True)
        file = self.folder / "scenario.xml"
        file.write_text(scenario(self._steps))
        towards = [f"{self._bracketed if ':' in self._host else HOST}:{target}", "-s", "station"] if target else []
        ours = ["-i", self._host, "-p", f"{self.port}", "-mi", self._host, "-mp", f"{self.media}", "-m", f"{calls}"]
        await self.run(
            "sipp", *towards, "-sf", str(file), *ours, "-nostdin", "-timeout", "60", "-timeout_error",
            "-trace_err", "-trace_msg", *options,
        )  # fmt: skip
        for _ in range(100):
            if port_is_taken(self.port, self._host) or self.process.returncode is not None:
                return
            await asyncio.sleep(0.02)

    async def is_content(self, within_s: float = 60.0) -> None:
        """Wait for its end; fail with its complaints where it was not content."""
        code = await self.ends(within_s)
        errors = "".join(file.read_text(errors="replace") for file in self.folder.glob("*_errors.log"))
        assert code == 0, f"SIPp ended with {code}: {errors[-3000:]}\n{self.said()[-1500:]}"

    def messages(self) -> str:
        """Everything it sent and received."""
        return "".join(file.read_text(errors="replace") for file in self.folder.glob("*_messages.log"))


@contextlib.asynccontextmanager
async def sipp(
    folder: Path, steps: Sequence[str], *options: str, target: int | None = None, calls: int = 1, name: str = "sipp",
    host: str = HOST,
) -> AsyncIterator[Sipp]:
    one = Sipp(folder, steps, name, host)
    await one.begin(target, *options, calls=calls)
    try:
        yield one
    finally:
        await one.stop()


def _is_taken_over_tcp(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind((HOST, port))
        except OSError:
            return True
    return False


def free_port() -> int:
    """An even UDP port with its odd neighbour free, as RTP and RTCP want them; both over TCP too, which some take."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind((HOST, 0))
            port = int(one.getsockname()[1]) & ~1
        if not any(port_is_taken(each) or _is_taken_over_tcp(each) for each in (port, port + 1)):
            return port
