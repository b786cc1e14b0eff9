"""WeChat and letters as their peers see them; caps, hours, fall-backs and receipts as the outbox sees them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.messages.wechat_server import WeChatServer
from voicebot.domain.attempt import ContactStop
from voicebot.domain.clock import FixedClock
from voicebot.domain.event import EventKind
from voicebot.domain.message import MOVES, RECEIPTS, Message, MessageChannel, MessageState, PlannedMessage, may_become
from voicebot.messages.channel import GatewayAway, Letter, Undeliverable, Unsubscribed
from voicebot.messages.letter import LetterChannel
from voicebot.messages.manners import MannersError, load_manners, parse_manners, shipped_manners
from voicebot.messages.sender import Sender
from voicebot.messages.templates import shipped_templates
from voicebot.messages.wechat import WeChatChannel, WeChatError, load_wechat_templates
from voicebot.store import Store
from voicebot.store.addresses import Address

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
CASE, DEBTOR, NUMBER = new_case(1).case.id, new_case(1).case.debtor.id, "+8613800000001"
VALUES = {
    "institution": "示例客户服务中心", "name": "演示1", "hotline": "4000000000", "date": "11月27日", "amount": "1000",
}  # fmt: skip
LETTER = Letter("voicebot-17", "openid-1", "【示例】您好。", "promise_due", VALUES)
TEMPLATES = "promise_due: {id: T1, data: {thing1: '{institution}', time2: '{date}', amount3: '{amount}元'}}\n"


@dataclass
class Fake:
    """A channel that answers as it is told and remembers what it took, a key once."""

    answers: list[Exception] = field(default_factory=list)
    taken: dict[str, Letter] = field(default_factory=dict)
    seen: int = 0

    def wording(self, letter: Letter) -> str:
        return letter.text

    async def send(self, letter: Letter) -> str | None:
        self.seen += 1
        if self.answers:
            raise self.answers.pop(0)
        self.taken.setdefault(letter.key, letter)
        return f"id-{letter.key}"

    async def close(self) -> None: ...


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


# --- WeChat


def wechat(tmp_path: Path, server: WeChatServer, clock: FixedClock, secret: str = "geheim") -> WeChatChannel:
    file = tmp_path / "wechat.yaml"
    file.write_text(TEMPLATES, "utf-8")
    return WeChatChannel("wx1", secret, load_wechat_templates(file), clock, client=server.client)


async def test_a_template_message_is_filled_in_and_the_token_lasts_until_it_ends(
    tmp_path: Path, clock: FixedClock
) -> None:
    server = WeChatServer(clock)
    channel = wechat(tmp_path, server, clock)
    assert await channel.send(LETTER) == "200163837"
    assert server.sent["voicebot-17"] == {
        "touser": "openid-1", "template_id": "T1", "client_msg_id": "voicebot-17",
        "data": {
            "thing1": {"value": "示例客户服务中心"}, "time2": {"value": "11月27日"}, "amount3": {"value": "1000元"},
        },
    }  # fmt: skip
    clock.advance(HOUR)
    await channel.send(LETTER)
    assert len(server.tokens) == 1 and len(server.sent) == 1
    clock.advance(HOUR)
    await channel.send(LETTER)
    assert len(server.tokens) == 2, "renewed before it ends"
    server.tokens.clear()
    await channel.send(LETTER)
    assert len(server.tokens) == 1, "and when the platform says that it has ended"


@pytest.mark.parametrize(
    ("code", "error"),
    [(43004, Unsubscribed), (40003, Undeliverable), (40037, Undeliverable), (45009, GatewayAway), (-1, GatewayAway)],
)
async def test_what_the_platform_refuses(
    tmp_path: Path, clock: FixedClock, code: int, error: type[Exception]
) -> None:
    server = WeChatServer(clock)
    server.errors = [code]
    with pytest.raises(error, match=str(code)):
        await wechat(tmp_path, server, clock).send(LETTER)


async def test_no_token_no_template_no_answer(tmp_path: Path, clock: FixedClock) -> None:
    server = WeChatServer(clock)
    with pytest.raises(GatewayAway, match="app id and secret"):
        await wechat(tmp_path, server, clock, "falsch").send(LETTER)
    with pytest.raises(Undeliverable, match="no WeChat template for reminder"):
        await wechat(tmp_path, server, clock).send(Letter("voicebot-1", "o", "x", "reminder", VALUES))
    with pytest.raises(Undeliverable, match="can't be filled in"):
        await wechat(tmp_path, server, clock).send(Letter("voicebot-1", "o", "x", "promise_due", {}))
    server.away = True
    with pytest.raises(GatewayAway, match="does not answer"):
        await wechat(tmp_path, server, clock).send(LETTER)
    for source in ("", "promise_due: 3", "promise_due: {id: x}", "[", "promise_due: {id: 3, data: {a: b}}"):
        file = tmp_path / "mine.yaml"
        file.write_text(source, "utf-8")
        with pytest.raises(WeChatError, match=r"mine\.yaml"):
            load_wechat_templates(file)


# --- letters


async def test_a_letter_is_a_page_to_print_and_the_same_one_stays(tmp_path: Path, clock: FixedClock) -> None:
    channel = LetterChannel(tmp_path, clock)
    to = Letter("voicebot-9", "示例市示例路1号<b>", "请与我们联系。", "reminder", VALUES)
    named = await channel.send(to)
    page = (tmp_path / "2026-11" / "voicebot-9.html").read_text("utf-8")
    assert "示例市示例路1号&lt;b&gt;" in page and "请与我们联系。" in page and "2026年11月24日" in page
    clock.advance(40 * DAY)
    assert await channel.send(Letter("voicebot-9", "elsewhere", "anders", "reminder", VALUES)) == named
    assert (tmp_path / "2026-11" / "voicebot-9.html").read_text("utf-8") == page
    with pytest.raises(Undeliverable):
        await channel.send(Letter("voicebot-10", " ", "x", "reminder", VALUES))


# --- the outbox


async def post(store: Store, *messages: PlannedMessage) -> None:
    await store.cases.save([new_case(1)], NOON)
    await store.outbox.plan(CASE, None, messages, NOON)


def planned(kind: str = "reminder", *channels: str, until: dt.timedelta = 5 * DAY) -> PlannedMessage:
    return PlannedMessage(kind, NUMBER, NOON, NOON + until, channels)


async def of_case(store: Store) -> list[Message]:
    return (await store.outbox.of_case(CASE))[::-1]


async def prefers(store: Store, channel: MessageChannel, address: str, *, preferred: bool = True) -> None:
    await store.cases.save([new_case(1)], NOON)
    await store.addresses.save(Address(DEBTOR, channel, address, preferred=preferred))


def sender(store: Store, clock: FixedClock, **channels: Fake) -> Sender:
    ways = {MessageChannel(name): channel for name, channel in channels.items()}
    return Sender(store, ways, shipped_templates(), clock)


async def test_the_wish_of_the_strategy_goes_before_that_of_the_debtor_and_both_before_sms(store: Store) -> None:
    await prefers(store, MessageChannel.EMAIL, "demo@example.net")
    await prefers(store, MessageChannel.WECHAT, "openid-1", preferred=False)
    for kind, channels in (("a", ()), ("b", ("wechat", "sms")), ("c", ("push", "sms")), ("d", ("push",))):
        await post(store, planned(kind, *channels))
    assert [(message.kind, message.channel, message.to) for message in await of_case(store)] == [
        ("a", "email", "demo@example.net"), ("b", "wechat", "openid-1"), ("c", "sms", NUMBER),
        ("d", "email", "demo@example.net"),
    ]  # fmt: skip


async def test_what_fails_gives_way_to_the_next_channel_once(store: Store, clock: FixedClock) -> None:
    await prefers(store, MessageChannel.WECHAT, "openid-1")
    await prefers(store, MessageChannel.EMAIL, "demo@example.net", preferred=False)
    await post(store, planned())
    bad, mail = Fake([Undeliverable("40003")]), Fake()
    both = sender(store, clock, wechat=bad, sms=Fake([Undeliverable("no such number")]), email=mail)
    while await both.once():
        pass
    first, second, third = await of_case(store)
    assert [(m.channel, m.state, m.instead_of) for m in (first, second, third)] == [
        ("wechat", MessageState.FAILED, None), ("sms", MessageState.FAILED, first.id),
        ("email", MessageState.SENT, second.id),
    ]  # fmt: skip
    assert third.tried == ("wechat", "sms")
    assert len(mail.taken) == 1


async def test_a_channel_that_is_not_there_gives_way_and_the_last_one_stays_failed(
    store: Store, clock: FixedClock
) -> None:
    await prefers(store, MessageChannel.PUSH, "token-1")
    await post(store, planned())
    only = sender(store, clock, sms=Fake([Undeliverable("no such number")]))
    while await only.once():
        pass
    assert [(m.channel, m.state) for m in await of_case(store)] == [("push", "failed"), ("sms", "failed")]


async def test_caps_put_off_and_letters_leave_despite_a_wish_not_to_be_called(
    store: Store, clock: FixedClock
) -> None:
    sms, letters = Fake(), Fake()
    await prefers(store, MessageChannel.LETTER, "示例路1号", preferred=False)
    await post(store, *(planned(kind) for kind in ("reminder", "callback_recap", "help_recap")))
    both = sender(store, clock, sms=sms, letter=letters)
    while await both.once():
        pass
    assert len(sms.taken) == 2, "two a day"
    waiting = (await of_case(store))[-1]
    assert (waiting.state, waiting.not_before) == (MessageState.WAITING, NOON.replace(hour=0) + DAY)
    await store.contacts.stop(ContactStop("do_not_call", NOON, debtor_id=DEBTOR))
    await post(store, planned("call_notice", "letter"))
    clock.advance(11 * HOUR)
    await both.once()
    clock.advance(DAY)
    await both.once()
    assert (len(letters.taken), len(sms.taken)) == (1, 2)
    assert {m.kind: m.state for m in await of_case(store)}["help_recap"] is MessageState.REFUSED


async def test_what_was_said_in_a_call_is_confirmed_though_the_case_rests_because_of_it(
    store: Store, clock: FixedClock
) -> None:
    await post(store, planned("reminder"))
    await store.outbox.plan(CASE, "call-1", [planned("help_recap")], NOON, about_promise=False)
    await store.cases.set_status(CASE, "suspended", NOON)
    sms = Fake()
    while await sender(store, clock, sms=sms).once():
        pass
    assert [letter.kind for letter in sms.taken.values()] == ["help_recap"]
    await store.outbox.plan(CASE, "call-2", [planned("help_recap")], NOON, about_promise=False)
    await store.cases.set_status(CASE, "closed", NOON)
    assert await sender(store, clock, sms=sms).once() == 0


async def test_mail_disturbs_nobody_at_night_sms_does(store: Store, clock: FixedClock) -> None:
    await prefers(store, MessageChannel.EMAIL, "demo@example.net", preferred=False)
    clock.advance(13 * HOUR)
    await post(store, planned("reminder", "email"), planned("help_recap", "sms"))
    sms, mail = Fake(), Fake()
    await sender(store, clock, sms=sms, email=mail).once()
    assert (len(mail.taken), len(sms.taken)) == (1, 0)


async def test_receipts_are_believed_only_where_they_can_follow(store: Store, clock: FixedClock) -> None:
    await post(store, planned())
    sms = Fake()
    (waiting,) = await of_case(store)
    key = f"voicebot-{waiting.id}"
    early = await store.receipts.tell(key, MessageState.DELIVERED, "", [], NOON)
    assert early is not None and early.state is MessageState.WAITING, "nobody has sent it yet"
    await sender(store, clock, sms=sms).once()
    assert await store.receipts.tell("id-nobody", MessageState.DELIVERED, "", [], NOON) is None
    told = await store.receipts.tell(f"id-{key}", MessageState.DELIVERED, "", [], NOON)
    assert told is not None and (told.state, told.delivered_at) == (MessageState.DELIVERED, NOON)
    late = await store.receipts.tell(key, MessageState.FAILED, "", ["email"], NOON)
    assert late is not None and late.state is MessageState.DELIVERED, "what arrived has not failed"
    assert EventKind.MESSAGE_STATE in {event.kind for event in await store.events.of_case(CASE)}


async def test_a_receipt_that_overtakes_our_own_note_stands(store: Store, clock: FixedClock) -> None:
    await post(store, planned())
    (due,) = await store.outbox.lease(1, NOON)
    await store.receipts.tell(f"voicebot-{due.message.id}", MessageState.DELIVERED, "", [], NOON)
    await store.outbox.sent(due.message.id, "【示例】", "gw-1", NOON)
    (message,) = await of_case(store)
    assert (message.state, message.external_id, message.text) == (MessageState.DELIVERED, "gw-1", "【示例】")


async def test_a_late_failure_is_made_good_by_another_channel(store: Store, clock: FixedClock) -> None:
    await prefers(store, MessageChannel.EMAIL, "demo@example.net", preferred=False)
    await post(store, planned())
    await sender(store, clock, sms=Fake(), email=Fake()).once()
    (sent,) = await of_case(store)
    await store.receipts.tell(f"voicebot-{sent.id}", MessageState.FAILED, "空号", ["sms", "email"], NOON)
    await store.receipts.tell(f"voicebot-{sent.id}", MessageState.FAILED, "空号", ["sms", "email"], NOON)
    first, second = await of_case(store)
    assert (first.state, first.why, second.channel, second.instead_of) == ("failed", "空号", "email", first.id)


async def test_who_unsubscribes_gets_nothing_more_there_and_is_not_rung(store: Store, clock: FixedClock) -> None:
    await post(store, planned())
    sms = Fake([Unsubscribed("410")])
    await sender(store, clock, sms=sms).once()
    assert (await of_case(store))[0].state is MessageState.UNSUBSCRIBED
    assert [stop.reason for stop in await store.contacts.stops_of(DEBTOR, NUMBER, NOON)] == ["do_not_call"]
    await store.addresses.opt_out(MessageChannel.SMS, NUMBER, NOON)
    assert len(await store.contacts.stops_of(DEBTOR, NUMBER, NOON)) == 1, "once"
    await prefers(store, MessageChannel.WECHAT, "openid-1")
    await store.addresses.opt_out(MessageChannel.WECHAT, "openid-1", NOON)
    await post(store, planned("call_notice", "wechat"))
    assert (await of_case(store))[-1].channel == "sms"


# --- the states and the manners


@given(st.sampled_from(MessageState), st.lists(st.sampled_from(MessageState), max_size=12))
def test_a_message_ends_once_and_never_waits_again_after_it_left(
    start: MessageState, wishes: list[MessageState]
) -> None:
    state, path = start, [start]
    for wish in wishes:
        if may_become(state, wish):
            state = wish
            path.append(state)
    gone = [i for i, one in enumerate(path) if one is MessageState.SENT or one in RECEIPTS]
    if gone:
        after = path[gone[0] :]
        assert MessageState.WAITING not in after and MessageState.SENDING not in after
    assert all(path.count(one) <= 1 for one in (MessageState.SENT, *RECEIPTS)), "no receipt counts twice"
    ends = (MessageState.CANCELLED, MessageState.REFUSED)
    assert not any(may_become(end, one) for end in ends for one in MessageState)
    assert set(MOVES) <= set(MessageState)


def test_our_manners_cover_every_channel_and_mistakes_are_named(tmp_path: Path) -> None:
    manners = shipped_manners()
    assert list(manners) == ["sms", "wechat", "push", "email", "letter"]
    assert not manners[MessageChannel.LETTER].steps_in and manners[MessageChannel.EMAIL].at_any_hour
    lines = "\n".join(f"{channel}: {{per_day: 1, per_week: 2, hours: calls}}" for channel in MessageChannel)
    assert parse_manners(lines, "mine.yaml")[MessageChannel.SMS].per_day == 1
    mistakes = (
        ("per_day: 1", "per_day: many"), ("hours: calls", "hours: night"), ("sms:", "fax:"),
        ("hours: calls", "hours: any, loud: 1"), ("hours: calls", "hours: any, despite: x"),
    )  # fmt: skip
    for before, after in mistakes:
        with pytest.raises(MannersError, match=r"mine\.yaml"):
            parse_manners(lines.replace(before, after, 1), "mine.yaml")
    with pytest.raises(MannersError, match="VOICEBOT_CHANNELS"):
        load_manners(tmp_path / "missing.yaml")


@given(st.text())
def test_any_text_is_manners_or_an_error_that_names_the_file(source: str) -> None:
    with pytest.raises(MannersError, match=r"mine\.yaml"):
        parse_manners(source, "mine.yaml")
