"""The machines of RFC 3261 section 17: the tables are total, everything ends, and the timers are the RFC's."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.message import Headers, Request, Response, Uri
from sip.transaction import (
    Deliver,
    Effect,
    Event,
    Failed,
    Send,
    StartTimer,
    State,
    Terminated,
    Timer,
    Timing,
    Transaction,
    cancel,
    client_transaction,
    server_transaction,
)
from sip.transaction.table import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Action,
    Table,
)

T1, T2 = 0.5, 4.0
RESPONSES = [Event.PROVISIONAL, Event.SUCCESS, Event.FAILURE]
ALPHABETS: dict[str, tuple[Table, set[Event | Timer]]] = {
    "INVITE client": (
        INVITE_CLIENT,
        {Event.START, *RESPONSES, Event.TRANSPORT_ERROR, Timer.A, Timer.B, Timer.D, Timer.M},
    ),
    "non-INVITE client": (
        NON_INVITE_CLIENT,
        {Event.START, *RESPONSES, Event.TRANSPORT_ERROR, Timer.E, Timer.F, Timer.K},
    ),
    "INVITE server": (
        INVITE_SERVER,
        {*RESPONSES, Event.REQUEST, Event.ACK, Event.TRANSPORT_ERROR, Timer.G, Timer.H, Timer.I, Timer.L},
    ),
    "non-INVITE server": (NON_INVITE_SERVER, {*RESPONSES, Event.REQUEST, Event.TRANSPORT_ERROR, Timer.J}),
}


def request(method: str = "INVITE") -> Request:
    fields = [("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("Route", "<sip:p;lr>"), ("From", "<sip:a@b>;tag=1")]
    fields += [("To", "<sip:c@d>"), ("Call-ID", "x"), ("CSeq", f"5 {method}")]
    return Request(method, Uri.parse("sip:c@d"), Headers(fields))


def response(status: int, method: str = "INVITE") -> Response:
    return request(method).reply(status, to_tag="2")


@pytest.mark.parametrize("name", ALPHABETS)
def test_every_state_has_a_row_for_every_trigger(name: str) -> None:
    table, alphabet = ALPHABETS[name]
    for state, rows in table.items():
        assert set(rows) == alphabet, state
        for row in rows.values():
            assert row.state in table or row.state is State.TERMINATED


@pytest.mark.parametrize("name", ALPHABETS)
def test_no_state_can_be_entered_without_a_way_to_its_end(name: str) -> None:
    """Whoever waits has a timer for it: only the transaction user may leave a server transaction waiting."""
    table, _ = ALPHABETS[name]
    for state, rows in table.items():
        leads_out = any(row.state is State.TERMINATED for trigger, row in rows.items() if isinstance(trigger, Timer))
        waits_for_user = name.endswith("server") and state in (State.TRYING, State.PROCEEDING)
        # An INVITE client in Proceeding waits for the callee: the call's ring timeout bounds that.
        waits_for_callee = name == "INVITE client" and state is State.PROCEEDING
        assert leads_out or waits_for_user or waits_for_callee or state is State.CONFIRMED


class Run:
    """A machine on a hand-turned clock."""

    def __init__(self, machine: Transaction) -> None:
        self.machine, self.now = machine, 0.0
        self.log: list[tuple[float, Effect]] = []
        self._timers: list[tuple[float, int, Timer]] = []

    def take(self, effects: list[Effect]) -> Run:
        for effect in effects:
            self.log.append((self.now, effect))
            if isinstance(effect, StartTimer):
                heapq.heappush(self._timers, (self.now + effect.seconds, len(self.log), effect.timer))
        return self

    def until(self, end: float) -> Run:
        while self._timers and self._timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._timers)
            self.take(self.machine.fire(timer))
        self.now = end
        return self

    def sent_at(self) -> list[float]:
        return [at for at, effect in self.log if isinstance(effect, Send)]

    def has(self, kind: type[Effect]) -> bool:
        return any(isinstance(effect, kind) for _, effect in self.log)


def client(method: str = "INVITE") -> Run:
    machine = client_transaction(request(method), Timing())
    return Run(machine).take(machine.start())


def server(method: str = "INVITE") -> Run:
    return Run(server_transaction(request(method), Timing()))


def test_17_1_1_2_invite_is_repeated_at_doubling_intervals_until_timer_b() -> None:
    run = client().until(100)
    assert run.sent_at() == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (32.0, Failed("nobody answered", 408)) in run.log
    assert run.machine.state is State.TERMINATED


def test_17_1_1_2_a_provisional_stops_the_repetition() -> None:
    run = client().until(0.6)
    run.take(run.machine.receive(response(180))).until(200)
    assert run.sent_at() == [0, 0.5] and run.machine.state is State.PROCEEDING and not run.has(Failed)


def test_17_1_1_3_a_refusal_is_acknowledged_each_time_and_told_once() -> None:
    run = client()
    for _ in range(3):
        run.take(run.machine.receive(response(486)))
    acks = [effect.message for _, effect in run.log if isinstance(effect, Send)][1:]
    assert len(acks) == 3 and sum(isinstance(effect, Deliver) for _, effect in run.log) == 1
    ack = acks[0]
    assert isinstance(ack, Request) and ack.method == "ACK"
    assert ack.via.branch == "z9hG4bK1" and ack.to.tag == "2" and str(ack.cseq) == "5 ACK"
    assert ack.headers.get("Route") == "<sip:p;lr>"
    run.until(32)
    assert run.has(Terminated)


def test_rfc_6026_every_2xx_reaches_the_user_for_64_t1() -> None:
    run = client()
    for _ in range(3):
        run.take(run.machine.receive(response(200)))
    assert sum(isinstance(effect, Deliver) for _, effect in run.log) == 3
    run.until(31.9)
    assert not run.has(Terminated)
    assert run.until(32).has(Terminated)


def test_17_1_2_2_other_requests_are_repeated_at_most_every_t2() -> None:
    run = client("BYE").until(100)
    assert run.sent_at() == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert run.has(Failed) and run.has(Terminated)


def test_17_1_2_2_after_a_provisional_every_t2() -> None:
    run = client("OPTIONS").until(0.4)
    run.take(run.machine.receive(response(100, "OPTIONS"))).until(9)
    assert run.sent_at() == [0, 0.5, 4.5, 8.5]


def test_17_2_1_a_refusal_is_repeated_until_its_ack() -> None:
    run = server()
    run.take(run.machine.respond(response(486))).until(4)
    assert run.sent_at() == [0, 0.5, 1.5, 3.5]
    run.take(run.machine.receive(request("ACK"))).until(100)
    assert run.sent_at() == [0, 0.5, 1.5, 3.5] and run.has(Terminated) and not run.has(Failed)


def test_17_2_1_without_ack_timer_h_gives_up() -> None:
    run = server()
    run.take(run.machine.respond(response(486))).until(40)
    assert run.has(Failed) and run.has(Terminated)


def test_17_2_1_a_repeated_invite_gets_the_last_response_again() -> None:
    run = server()
    assert run.machine.receive(request()) == []
    run.take(run.machine.respond(response(180))).take(run.machine.receive(request()))
    assert [effect.message for _, effect in run.log if isinstance(effect, Send)] == [response(180)] * 2


def test_rfc_6026_a_repeated_invite_after_the_2xx_is_absorbed() -> None:
    run = server()
    run.take(run.machine.respond(response(200)))
    assert run.machine.receive(request()) == []
    run.until(32)
    assert run.has(Terminated)


def test_17_2_2_a_repeated_bye_gets_the_same_answer_for_64_t1() -> None:
    run = server("BYE")
    run.take(run.machine.respond(response(200, "BYE"))).until(20)
    run.take(run.machine.receive(request("BYE"))).until(40)
    assert run.sent_at() == [0, 20] and run.has(Terminated)


def test_9_1_cancel_goes_the_way_of_its_invite() -> None:
    message = cancel(request())
    assert message.via.branch == "z9hG4bK1" and str(message.cseq) == "5 CANCEL" and message.to.tag is None
    assert message.headers.get("Route") == "<sip:p;lr>" and str(message.uri) == "sip:c@d"


STATUS = st.sampled_from([100, 180, 183, 200, 302, 407, 486, 503, 600])


@settings(max_examples=100)
@given(st.sampled_from(["INVITE", "BYE"]), st.lists(st.tuples(st.floats(0, 10), STATUS), max_size=12))
def test_clients_end_whatever_the_server_says(method: str, script: list[tuple[float, int]]) -> None:
    run = client(method)
    for wait, status in script:
        run.until(run.now + wait)
        run.take(run.machine.receive(response(status, method)))
    if run.machine.state is State.PROCEEDING and method == "INVITE":
        run.take(run.machine.receive(response(408)))
    run.until(run.now + 65)
    assert run.machine.state is State.TERMINATED
    assert sum(isinstance(effect, Terminated) for _, effect in run.log) == 1
    assert run.machine.receive(response(200, method)) == [] and run.machine.fire(Timer.M) == []


@settings(max_examples=100)
@given(
    st.sampled_from(["INVITE", "BYE"]),
    st.lists(
        st.tuples(st.floats(0, 10), st.one_of(STATUS, st.sampled_from(["again", "ack", "broken"]))),
        max_size=12,
    ),
)
def test_servers_end_once_the_user_has_answered(method: str, script: list[tuple[float, int | str]]) -> None:
    run = server(method)
    for wait, what in script:
        run.until(run.now + wait)
        if what == "broken":
            run.take(run.machine.transport_failed())
        elif isinstance(what, str):
            run.take(run.machine.receive(request("ACK" if what == "ack" and method == "INVITE" else method)))
        else:
            run.take(run.machine.respond(response(what, method)))
    run.take(run.machine.respond(response(500, method))).until(run.now + 70)
    assert run.machine.state is State.TERMINATED


def test_every_action_is_used_by_some_table() -> None:
    used = {
        step for table, _ in ALPHABETS.values() for rows in table.values() for r in rows.values() for step in r.steps
    }
    assert {*Action} <= used
    assert {*Timer} - used == set() and Timing().t2 == T2 and Timing().t1 == T1


REPEATING, LINGERING = {Timer.A, Timer.E, Timer.G}, {Timer.D, Timer.I, Timer.J, Timer.K}


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
@pytest.mark.parametrize("status", [180, 200, 486])
def test_on_a_reliable_transport_nothing_is_repeated_and_nothing_lingers(method: str, status: int) -> None:
    """RFC 3261 table 4: A, E and G are not started, D, I, J and K take no time; B, F, H, L and M stay."""
    client = client_transaction(request(method), Timing(), reliable=True)
    server = server_transaction(request(method), Timing(), reliable=True)
    effects = [
        *client.start(),
        *client.receive(request(method).reply(status)),
        *server.respond(request(method).reply(status)),
    ]
    if status >= 300 and method == "INVITE":
        effects += server.receive(request("ACK"))
    started = {effect.timer: effect.seconds for effect in effects if isinstance(effect, StartTimer)}
    assert not REPEATING & started.keys()
    assert all(started[timer] == 0 for timer in LINGERING & started.keys())
    assert all(started[timer] == 64 * T1 for timer in started.keys() - LINGERING)
    assert (Timer.B if method == "INVITE" else Timer.F) in started
    if status >= 300:
        assert (LINGERING & started.keys()) == ({Timer.D, Timer.I} if method == "INVITE" else {Timer.J, Timer.K})
