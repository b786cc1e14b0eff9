"""What the scripts may give as a reason to stop is a kind the rulebook knows, and none opens a door."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.call.outcome import CallOutcome, Stop
from voicebot.campaign.stops import stop_kind
from voicebot.compliance.packs import shipped_packs
from voicebot.compliance.rulebook import judge
from voicebot.config import scripts_dir
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Node, Verb
from voicebot.dialog.vocabulary import INTENTS
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest
from voicebot.domain.permission import Stop as RuleStop

NOON = dt.datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
KINDS = frozenset().union(*shipped_packs().laws["CN"].stops.values())


def outcome(disposition: Disposition, *, paged: bool = False) -> CallOutcome:
    return CallOutcome(disposition, True, None, False, False, 0, (), (), paged)


def effects_of(node: Node) -> list[tuple[Verb, str]]:
    lists = [node.do, *(branch.do for branch in node.branches)]
    return [(effect.verb, effect.value) for effects in lists for effect in effects]


def stopping() -> list[tuple[str, str, Disposition | None, bool]]:
    """Every place in the shipped scripts where contact is stopped: node, scope, disposition it sets, paging."""
    places = []
    for file in sorted(scripts_dir().glob("*.yaml")):
        for node in load_script(file).nodes.values():
            effects = effects_of(node)
            named = [Disposition(value) for verb, value in effects if verb is Verb.DISPOSITION]
            paged = any(verb is Verb.PAGE_SUPERVISOR for verb, _ in effects)
            scopes = [value for verb, value in effects if verb is Verb.STOP_CONTACT]
            places += [(node.id, scope, named[0] if named else None, paged) for scope in scopes]
    return places


def test_the_scripts_do_stop_contact() -> None:
    assert {"crisis", "do_not_call", "dispute", "wrong_number"} <= {node for node, *_ in stopping()}


@pytest.mark.parametrize(("node", "scope", "disposition", "paged"), stopping())
def test_every_reason_is_a_known_kind_that_holds(
    node: str, scope: str, disposition: Disposition | None, paged: bool
) -> None:
    ended = disposition or {"paid_end": Disposition.ALREADY_PAID}.get(node, Disposition.THIRD_PARTY)
    for reason in [*INTENTS, node]:
        kind = stop_kind(Stop(scope, reason), outcome(ended, paged=paged))
        assert kind in KINDS, reason
        number = "+8613800000001"
        stop = RuleStop(kind=kind, number=number if scope == "number" else None, at=NOON)
        request = DialRequest(
            now=NOON, jurisdictions=("CN",), target_kind="debtor", number=number, history=(), stops=(stop,), consents=()
        )
        assert not judge(request, shipped_packs()).allowed, f"{reason} -> {kind} would be dialled again at once"


@pytest.mark.parametrize(
    ("reason", "disposition", "paged", "kind"),
    [
        ("dnc_stop", Disposition.DO_NOT_CALL, False, "do_not_call"),
        ("vu_selfharm_explicit", Disposition.VULNERABLE, True, "self_harm"),
        ("rf_flat", Disposition.VULNERABLE, True, "self_harm"),
        ("dp_not_mine", Disposition.DISPUTE, False, "dispute"),
        ("id_wrong_number", Disposition.DISPUTE, False, "dispute"),
        ("dp_id_theft", Disposition.DISPUTE, False, "identity_theft"),
        ("tp_deceased", Disposition.THIRD_PARTY, False, "deceased"),
    ],
)
def test_the_kind_says_what_it_was_about(reason: str, disposition: Disposition, paged: bool, kind: str) -> None:
    assert stop_kind(Stop("debtor", reason), outcome(disposition, paged=paged)) == kind


def test_an_unknown_reason_stays_and_holds_until_cleared() -> None:
    kind = stop_kind(Stop("debtor", "node_of_tomorrow"), outcome(Disposition.CALLBACK))
    assert kind == "node_of_tomorrow" and kind not in KINDS
