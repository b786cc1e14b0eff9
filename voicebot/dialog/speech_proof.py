"""Speech: what is wrong with sentences: their length, their tone, and what they claim, offer or leave empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from voicebot.dialog.briefing import seconds
from voicebot.dialog.certain import NOTHING, OVERDUE, Known, after, certain, implied, refuted
from voicebot.dialog.fields import Problem
from voicebot.dialog.prompts import VARIABLE, variables_of
from voicebot.dialog.script import Kind, Node, Prompt, Script, Verb, Where
from voicebot.domain.stage import FIRMEST, TOO_FIRM, Stage, Tone

LONGEST_S, LONGEST_UNINTERRUPTED_S = 12.0, 8.0
_LENGTHS = {
    "callback_time": 12, "promise_date": 11, "near_date": 11, "horizon_date": 11, "offer_until": 11, "today": 11,
}  # fmt: skip
_HEDGE = re.compile(
    "以[^，。]{0,10}为准|不能(?:替您)?(?:承诺|答复|保证)|由[^，。]{0,6}同事|由专人|不会|没有(?:上报|报送|起诉|安排)|并未|不代表"
)
_CLAIMS = (
    ("a report to the credit bureau", "facts.credit_reported", re.compile("征信|信用报告|信用记录|黑名单|失信")),
    ("a lawsuit", "facts.lawsuit", re.compile("起诉|立案|诉讼|仲裁|律师函|法院|法律(?:程序|责任|途径)")),
    ("a visit", "facts.visit", re.compile("上门|走访|登门")),
    (
        "fees",
        "facts.fees",
        re.compile(
            "罚息|违约金|滞纳金|手续费|逾期费|(?:息费|利息)[^，。{]{0,6}(?:继续|增加|上涨|越来越|会按|少算|多算)"
        ),
    ),
)
_OFFER = re.compile("减免|免除|免掉|打折|折扣|优惠|分期|分[二三四五六七八九十两几]+期|延期|展期|宽限")
_CHANNEL = re.compile("渠道|应用|小程序|公众号|网银|银行卡|账户|扣款|柜台|客户端")
_OTHERWISE = re.compile("变化|变动|来不及|做不到|没办法按时|不能按时|还不上|提前(?:说|告诉|联系)|改(?:日子|时间)")
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "callback_time": ("callback_timed",),
    "principal": ("facts.split",),
    "fees": ("facts.split", "facts.fees"),
    "promise_date": ("pending.date",),
    "offer_waiver": ("offers.waiver",),
    "offer_parts": ("offers.instalments",),
    "offer_part": ("offers.instalments",),
    "offer_until": ("offers.extension",),
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence where it stands: what is certain when it is spoken, and the node, None in a handler or anywhere."""

    prompt: Prompt
    known: Known
    node: Node | None = None


def spoken(script: Script) -> Iterator[Spoken]:
    """Every sentence of every node that can be reached, and of the handlers."""
    for name, known in certain(script).items():
        node = script.nodes[name]
        here = after(known, node.do)
        for prompt in (*node.say, *node.again, *node.short, *node.no_input):
            yield Spoken(prompt, here | implied(prompt.when), node)
        passed = here
        for branch in node.branches:
            for prompt in branch.say:
                yield Spoken(prompt, passed | implied(branch.when) | implied(prompt.when), node)
            if not branch.hears and branch.when is not None:
                passed = passed | refuted(branch.when)
    for handler in script.handlers:
        for prompt in handler.say:
            yield Spoken(prompt, implied(handler.when) | implied(prompt.when))
    for prompt in (*script.silence, *script.softeners.values()):
        yield Spoken(prompt, NOTHING)


def speech_errors(script: Script) -> Iterator[Problem]:
    """What forbids the use of a script."""
    sentences = list(spoken(script))
    for sentence in sentences:
        yield from _length(sentence)
        yield from _claims(sentence)
        yield from _offers(sentence)
    yield from _tones(script, sentences)
    for node in script.nodes.values():
        yield from _uninterrupted(node)
        yield from _atoms(script, node)


def maybe_empty(script: Script) -> Iterator[Problem]:
    """Sentences that are left out where a variable of theirs has no value, and nobody asked whether it has."""
    for sentence in spoken(script):
        for text in sentence.prompt.texts:
            for name in variables_of(text):
                if name == "channel" and not (sentence.node and sentence.node.channel):
                    message = (
                        "{channel} is empty here, and the sentence is left out; only a node with `channel:` has one"
                    )
                    yield Problem(sentence.prompt.where, "maybe-empty", message)
                needs = _needs(script, name)
                if needs and not sentence.known.intersection(needs) and not _asks(sentence.prompt, name):
                    message = f"{{{name}}} may be empty here, and the sentence is left out then; ask `if: {needs[0]}`"
                    yield Problem(sentence.prompt.where, "maybe-empty", message)


def _needs(script: Script, name: str) -> tuple[str, ...]:
    own = script.variables.get(name)
    if own is not None:
        optional = own.source.startswith(("extra.", "offers.")) or own.source in _OPTIONAL
        return (f"vars.{name} != ''",) if optional else ()
    if name == "overdue":
        return (OVERDUE,) if script.stage is Stage.M0 else ()
    return _NEEDS.get(name, ())


_OPTIONAL = ("case.principal_fen", "case.fees_fen")


def _asks(prompt: Prompt, name: str) -> bool:
    return prompt.when is not None and prompt.when.mentions(f"vars.{name}")


def _length(sentence: Spoken) -> Iterator[Problem]:
    for text in sentence.prompt.texts:
        took = duration(text)
        if took > LONGEST_S:
            message = (
                f"takes about {took:.0f} s; nobody listens longer than {LONGEST_S:g} s: divide it, and ask between"
            )
            yield Problem(sentence.prompt.where, "prompt-too-long", message)


def duration(text: str) -> float:
    """About how long a sentence takes, its variables filled with long values."""
    return seconds(VARIABLE.sub(lambda found: "某" * _LENGTHS.get(found.group(1), 8), text))


def _claims(sentence: Spoken) -> Iterator[Problem]:
    for text in sentence.prompt.texts:
        for what, flag, words in _CLAIMS:
            found = words.search(text)
            if found and flag not in sentence.known and not _HEDGE.search(text):
                message = f"{found.group()!r} speaks of {what}, which is a lie unless the case says so; `if: {flag}`"
                yield Problem(sentence.prompt.where, "claim-without-flag", message)


def _offers(sentence: Spoken) -> Iterator[Problem]:
    for text in sentence.prompt.texts:
        found = _OFFER.search(text)
        granted = any(name.startswith("offers.") for name in sentence.known)
        if found and not granted and "{offer_" not in text and not _HEDGE.search(text):
            message = (
                f"{found.group()!r} offers what only the table of authority can grant; use {{offer_…}}, `if: offers.…`"
            )
            yield Problem(sentence.prompt.where, "offer-without-authority", message)


def _tones(script: Script, sentences: list[Spoken]) -> Iterator[Problem]:
    if script.stage is None:
        return
    firmest, stage = FIRMEST[script.stage], script.stage
    if script.tone is not None and script.tone > firmest:
        yield Problem(
            script.tone_where or Where(script.file, 1, 1), "tone-above-stage", _too_firm(script.tone, stage, firmest)
        )
    for node in script.nodes.values():
        if node.tone is not None and node.tone > firmest:
            yield Problem(node.place("tone"), "tone-above-stage", _too_firm(node.tone, stage, firmest))
    for sentence in sentences:
        if sentence.node is None:
            continue  # a handler answers what was asked
        for text in sentence.prompt.texts:
            word = next((word for word in TOO_FIRM[stage] if word in text), None)
            if word and not _HEDGE.search(text):
                message = f"{word!r} is too firm at stage {stage}; leave it to a later stage"
                yield Problem(sentence.prompt.where, "tone-above-stage", message)


def _too_firm(tone: Tone, stage: Stage, firmest: Tone) -> str:
    return f"tone {tone.word} is too firm for stage {stage}; at most {firmest.word}"


def _uninterrupted(node: Node) -> Iterator[Problem]:
    """Longest stretch of speech that cannot be interrupted; a message is left for a machine."""
    if node.kind is Kind.MESSAGE:
        return
    stretch = 0.0
    for prompt in node.say:
        if prompt.interruptible and node.barge_in:
            stretch = 0.0
            continue
        stretch += max(duration(text) for text in prompt.texts)
        if stretch > LONGEST_UNINTERRUPTED_S:
            message = f"node {node.id} speaks {stretch:.0f} s without letting anybody in; at most 8 s"
            yield Problem(prompt.where, "long-uninterruptible", message)
            return


def _atoms(script: Script, node: Node) -> Iterator[Problem]:
    """A promise that counts: day, amount, channel, read back and confirmed, and what if it cannot be kept."""
    locks = [b for b in node.branches if any(e.verb is Verb.RECORD_PROMISE and e.value == "confirmed" for e in b.do)]
    if not locks or node.kind is not Kind.ASK:
        return
    asked = "".join(prompt.text for prompt in node.say)
    later = asked + "".join(_said_after(script, branch.goto) for branch in locks)
    missing = [f"{{{name}}} read back" for name in ("promise_date", "promise_amount") if f"{{{name}}}" not in asked]
    if "{channel}" not in asked and not _CHANNEL.search(later):
        missing.append("the channel to pay by")
    if not any(branch.hears or branch.when for branch in locks):
        missing.append("the debtor's own yes")
    if not _OTHERWISE.search(later):
        missing.append("what to do if it cannot be kept")
    if missing:
        message = f"node {node.id} takes a firm promise without {', '.join(missing)}; say it, or take a soft one"
        yield Problem(node.where, "promise-atoms", message)


def _said_after(script: Script, name: str | None) -> str:
    """What is said from a node on until the call listens or ends."""
    text: str = ""
    seen: set[str] = set()
    while name is not None and name in script.nodes and name not in seen:
        seen.add(name)
        node = script.nodes[name]
        text += "".join(prompt.text for prompt in node.say)
        name = node.goto if node.kind in (Kind.SAY, Kind.RECORD) else None
    return text
