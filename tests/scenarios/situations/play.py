"""One play: what somebody says on the telephone, through the real understanding, engine and speech gate."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from voicebot.dialog.actions import (
    Action,
    BookCallback,
    HangUp,
    Listen,
    PageSupervisor,
    RecordPromise,
    Say,
    SetDisposition,
    StopContact,
    Transfer,
)
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Silence, Started, TransferEnded
from voicebot.dialog.loader import find_script, load_script
from voicebot.dialog.script import Script
from voicebot.dialog.simulator import CALL_AT
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.understanding import Topic
from voicebot.pipeline.rehearsal import Rehearsal

HERE = Path(__file__).parent
CASE = Case(
    id="case-1",
    debtor=Debtor("debtor-1", "李振海", Salutation.MR, "2315", "0812"),
    creditor=Creditor("creditor-1", "示例消费金融有限公司", "示例客户服务中心", "4000001234"),
    product="消费分期",
    amount_fen=350000,
    overdue_days=12,
    as_of=CALL_AT.date(),
)
_BEFORE: dict[str, tuple[str, ...]] = {"start": (), "open": (), "verify": ("我是",), "debt": ("我是", "二三一五")}
"""What is answered before the play begins."""
_DEBT = re.compile("欠|逾期|还款|还钱|催|贷|债|账单|本金|利息|息费|征信|律师|起诉|三千五百")


@dataclass
class Played:
    """What came of one play; `words` are the bot's answers, `asked` what it had said last before the play's own
    first turn, `early` everything before identity was proven."""

    topic: Topic = Topic.ANY
    words: list[str] = field(default_factory=list)
    asked: str = ""
    early: list[str] = field(default_factory=list)
    ends: str = ""
    skill: str = ""
    did: set[str] = field(default_factory=set)
    promise: tuple[int, int] | None = None
    callback_at: dt.datetime | None = None
    verified: bool = False
    over: bool = False
    nodes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)


@cache
def script_of(name: str) -> Script:
    return load_script(find_script(name))


@cache
def rehearsal() -> Rehearsal:
    return Rehearsal()


@cache
def situations() -> tuple[dict[str, Any], ...]:
    """Every entry of the files beside this one, in order."""
    found = [entry for path in sorted(HERE.glob("s?.yaml")) for entry in YAML(typ="safe").load(path.read_text("utf-8"))]
    return tuple(found)


def play(entry: dict[str, Any], turns: list[Any] | str) -> Played:
    """Play one phrasing of a situation; the words before the play's own first turn do not count."""
    at = entry.get("at", "debt")
    script = script_of(entry.get("script", "reminder"))
    case = replace(CASE, **entry.get("case", {}))
    direction = "inbound" if script.id == "inbound" else "outbound"
    facts = CallFacts("call-1", CALL_AT, case, direction=direction, agent_available=entry.get("agent", True))
    state, played = initial(script, facts), Played()
    before = list(_BEFORE[at])
    queue: list[Any] = [Started(CALL_AT), *before, *([turns] if isinstance(turns, str) else turns)]
    for number, turn in enumerate(queue):
        if number == 1 + len(before) and at != "start":
            played.asked = "".join(played.words[-4:])
            played.words.clear()
        if played.over:
            break
        event = _event(turn, played)
        state, actions = step(script, state, event)
        _note(played, actions, facts, state.verified)
        played.verified = state.verified
        if played.skill and not played.over:
            state, actions = step(script, state, TransferEnded(CALL_AT, joined=True))
            played.over = True
    if not state.disposition:
        state, actions = step(script, state, HungUp(CALL_AT))
        _note(played, actions, facts, state.verified)
    return played


def _event(turn: Any, played: Played) -> Event:
    if isinstance(turn, dict):
        return HungUp(CALL_AT)
    if not isinstance(turn, str):
        return Started(CALL_AT)
    played.story.append(f"对方：{turn}")
    heard = re.sub("（.*?）", "", turn)
    if not heard:
        return Silence(CALL_AT, 5.0)
    meant = rehearsal().understand(heard, played.topic, CALL_AT)
    played.story.append("      " + " ".join(f"{s.id}:{s.p:.2f}" for s in meant.intents[:4]))
    return Heard(CALL_AT, meant)


def _note(played: Played, actions: tuple[Action, ...], facts: CallFacts, verified: bool) -> None:
    for action in actions:
        match action:
            case Say():
                played.words.append(action.text)
                played.nodes.append(action.node)
                played.story.append(f"机器人[{action.node}]：{action.text}")
                if not verified:
                    played.early.append(action.text)
                played.broken += rehearsal().judge(action.text, facts, verified)
            case Listen():
                played.topic = action.topic
            case Transfer():
                played.skill = action.skill
            case SetDisposition():
                played.ends = action.disposition.value
            case RecordPromise():
                played.promise = ((action.promise.date - CALL_AT.date()).days, action.promise.amount_fen)
            case BookCallback():
                played.did.add("callback")
                played.callback_at = action.at
            case StopContact():
                played.did.add(f"stop_{action.scope}")
            case PageSupervisor():
                played.did.add("page_supervisor")
            case HangUp():
                played.over = True
            case _:
                pass


def complaints(entry: dict[str, Any], played: Played) -> list[str]:
    """How a play differs from what the situation demands; empty when it was met."""
    words, found = "".join(played.words), list[str]()
    found += [f"未说到 {each}" for each in entry.get("says", ()) if not re.search(each, played.asked + words)]
    found += [f"不该说 {each}" for each in entry.get("never", ()) if re.search(each, words)]
    found += [f"开场未说到 {each}" for each in entry.get("first", ()) if each not in "".join(played.early)]
    found += [f"核实身份前透露：{text}" for text in played.early if _DEBT.search(text)]
    found += [f"禁语 {rule}" for rule in played.broken]
    wanted = {"ends": played.ends, "skill": played.skill, "verified": played.verified}
    for key, actual in wanted.items():
        if key in entry and str(actual) not in str(entry[key]).split("|"):
            found.append(f"{key} 应为 {entry[key]}，实为 {actual}")
    missing = set(entry.get("did", ())) - played.did
    found += [f"没有做 {each}" for each in sorted(missing)]
    return found + _about_promises(entry, played) + _about_the_rest(entry, played)


def _about_promises(entry: dict[str, Any], played: Played) -> list[str]:
    found = []
    if "promise" in entry:
        wanted = entry["promise"] and (entry["promise"]["days"], entry["promise"]["fen"])
        if wanted != played.promise:
            found.append(f"承诺应为 {wanted}，实为 {played.promise}")
    if entry.get("promise_made") and played.promise is None:
        found.append("没有记下承诺")
    if "promise_only_after" in entry and played.promise and entry["promise_only_after"] not in "".join(played.words):
        found.append("没有复述就记了承诺")
    return found


def _about_the_rest(entry: dict[str, Any], played: Played) -> list[str]:
    found = []
    if "node" in entry and entry["node"] not in played.nodes:
        found.append(f"没有到 {entry['node']}")
    if entry.get("open") and played.over:
        found.append("不该结束")
    if entry.get("stops") and not (played.did & {"stop_debtor"}):
        found.append("没有停催")
    if entry.get("stays") and played.over and not played.skill:
        found.append("挂断了")
    if "soon" in entry and not _hours(played) <= entry["soon"]:
        found.append(f"应在 {entry['soon']} 小时后再联系，实为 {played.callback_at}")
    if "far" in entry and _hours(played) < entry["far"] * 24:
        found.append(f"至少应隔 {entry['far']} 天，实为 {played.callback_at}")
    return found


def _hours(played: Played) -> float:
    return 0.0 if played.callback_at is None else (played.callback_at - CALL_AT).total_seconds() / 3600
