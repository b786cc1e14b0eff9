"""Handbook: the table of all rules - what they say, figures and sources, where they are held, which test shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from voicebot.compliance.pack import Rule, RulePack
from voicebot.compliance.packs import Packs


@dataclass(frozen=True, slots=True)
class Held:
    """Files that hold a rule, tests that fail without it, and what to know beside."""

    where: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    note: str = ""


_BOOK = "voicebot/compliance/rulebook.py"
_HOURS = "voicebot/compliance/hours.py"
_MEANS = "voicebot/compliance/means.py"
_GATE = "voicebot/compliance/gate.py"
_EACH = "tests/voicebot/compliance/test_each_rule.py::test_a_rule_forbids_and_without_it_nothing_does"
_GATE_TESTS = "tests/voicebot/compliance/test_gate.py"
_REMINDER = "tests/voicebot/dialog/test_reminder.py"
_ORACLE = "tests/voicebot/compliance/test_rulebook_oracle.py::test_two_rulebooks_agree"
_SHUT = "No shipped script fulfils it, so the pack lets nobody be dialled by one."


def _judged(where: str, *more: str) -> Held:
    return Held((where,), (_EACH, *more))


ENFORCED: Mapping[str, Held] = {
    "CN-T1": _judged(_HOURS, _ORACLE),
    "CN-T2": Held(("voicebot/call/session.py", "voicebot/worker/commands.py"),
                  ("tests/voicebot/call/test_session.py::test_a_call_ends_when_its_hours_do",)),
    "CN-T3": _judged(_HOURS, _ORACLE),
    "CN-F1": Held((_BOOK, "voicebot/store/ledger.py"), (_EACH, _ORACLE)),
    "CN-F2": Held((_BOOK, "voicebot/store/ledger.py"), (_EACH, _ORACLE)),
    "CN-F3": _judged(_BOOK, _ORACLE),
    "CN-F4": Held((_BOOK, "voicebot/store/ledger.py"), (_EACH, _ORACLE)),
    "CN-F5": Held(note="Its meaning could not be confirmed; the pack says enforced: false."),
    "CN-F6": Held(("voicebot/store/leasing.py", "voicebot/store/ledger.py"),
                  ("tests/voicebot/store/test_leasing.py", "tests/voicebot/store/test_ledger.py")),
    "CN-C1": _judged(_BOOK, _ORACLE),
    "CN-C2": Held((_BOOK, "voicebot/campaign/stops.py"), (_EACH, "tests/voicebot/campaign/test_stops.py")),
    "CN-C3": Held(("voicebot/compliance/disclosure.py", "voicebot/dialog/discretion.py"),
                  (f"{_GATE_TESTS}::test_no_debt_before_identity_nor_to_anybody_else",
                   f"{_REMINDER}::test_bill_is_stated_after_identity_only")),
    "CN-C4": Held((_GATE, "scripts/reminder.yaml"),
                  (f"{_REMINDER}::test_third_party_hears_two_sentences_and_no_debt",
                   f"{_GATE_TESTS}::test_every_category_of_wording")),
    "CN-I1": Held(("voicebot/dialog/identity.py", "scripts/reminder.yaml"),
                  (f"{_REMINDER}::test_two_wrong_factors_close_neutrally",
                   "tests/voicebot/dialog/test_identity.py::test_right_factor")),
    "CN-O1": Held(("voicebot/dialog/checker.py", "scripts/reminder.yaml"),
                  (f"{_REMINDER}::test_opening_names_institution_ai_and_recording_and_asks_for_the_person",)),
    "CN-O2": Held(("voicebot/dialog/checker.py", "scripts/reminder.yaml"),
                  (f"{_REMINDER}::test_opening_names_institution_ai_and_recording_and_asks_for_the_person",
                   f"{_GATE_TESTS}::test_only_a_bot_may_not_call_itself_a_person")),
    "CN-O3": Held(("voicebot/dialog/checker.py", "scripts/reminder.yaml"),
                  (f"{_REMINDER}::test_opening_names_institution_ai_and_recording_and_asks_for_the_person",)),
    "CN-O4": Held(("voicebot/handoff/transfer.py", "voicebot/handoff/rules.py"),
                  (f"{_REMINDER}::test_failed_transfer_is_told_honestly_and_a_callback_is_booked",
                   "tests/voicebot/handoff/test_transfer.py::test_waiting_has_an_end_and_is_told"),
                  "Urgent cases wait 45 s, others 60 s; then a callback is booked."),
    "CN-N1": _judged(_MEANS, "tests/voicebot/compliance/test_each_rule.py::test_what_we_call_with_must_be_good"),
    "CN-D1": Held((_BOOK, "voicebot/campaign/stops.py"), (_EACH, "tests/voicebot/campaign/test_stops.py")),
    "CN-D2": Held((_BOOK, "voicebot/worker/commands.py"),
                  (_EACH, "tests/voicebot/worker/test_judging_again.py::test_a_stop_that_came_after_the_lease_holds"),
                  "Asked once more right before the INVITE, so that it holds at once."),
    "CN-S1": Held((_GATE, "voicebot/pipeline/live_gate.py"), (f"{_GATE_TESTS}::test_every_category_of_wording",)),
    "CN-S2": Held(("voicebot/compliance/record.py",), (f"{_GATE_TESTS}::test_assertions_need_a_record",)),
    "CN-S3": Held(("voicebot/compliance/record.py", "voicebot/compliance/wording.py"),
                  (f"{_GATE_TESTS}::test_assertions_need_a_record",)),
    "CN-S4": Held((_GATE,), (f"{_GATE_TESTS}::test_every_category_of_wording",)),
    "CN-R1": Held((_MEANS, "voicebot/call/session.py"),
                  (_EACH, "tests/voicebot/call/test_runner.py::test_a_full_disk_ends_the_call_and_not_the_book")),
    "CN-R2": Held(("voicebot/evidence/retention.py",),
                  ("tests/voicebot/evidence/test_case_file.py::test_the_later_of_last_call_and_settlement_counts",
                   "tests/voicebot/store/test_operations.py::test_a_hold_stands_until_it_is_lifted")),
    "CN-R3": Held(("voicebot/evidence/retention.py",),
                  ("tests/voicebot/evidence/test_case_file.py::test_deletion_leaves_the_place_in_the_log",),
                  "What is past its time is erased; its hashes stay."),
    "CN-P1": Held(note="Governance: for the operator's organisation; no program can hold it."),
    "CN-V1": Held((_BOOK, _MEANS, "voicebot/store/decisions.py"),
                  (_EACH, "tests/voicebot/compliance/test_packs.py")),
    "US-1": _judged(_HOURS, "tests/voicebot/compliance/test_packs.py::test_the_pack_of_the_united_states"),
    "US-2": _judged(_BOOK, "tests/voicebot/compliance/test_packs.py::test_the_pack_of_the_united_states"),
    "US-3": Held((_BOOK,), (_EACH,), _SHUT),
    "US-4": _judged(_BOOK),
    "US-5": _judged(_BOOK),
    "US-6": _judged(_BOOK),
    "US-7": _judged(_BOOK),
    "US-8": Held(note="Kept for longer: see CN-R2."),
    "US-9": Held((_BOOK,), (_EACH,), _SHUT),
    "UK-1": _judged(_HOURS),
    "UK-2": _judged(_BOOK, f"{_GATE_TESTS}::test_no_debt_before_identity_nor_to_anybody_else"),
    "UK-3": _judged(_BOOK),
    "UK-4": Held(("voicebot/campaign/pacing.py",), ("tests/voicebot/campaign/test_dialler.py",),
                 "A call is begun only where a bot can speak; who waits for a person goes on talking with the bot."),
    "EU-1": Held((_BOOK,),
                 ("tests/voicebot/compliance/test_packs.py::test_no_hours_are_invented_for_the_european_union",)),
    "EU-2": Held(("voicebot/dialog/checker.py",), note="Scripts say so (see CN-O2); the pack lets nobody be dialled."),
}  # fmt: skip
"""Where each rule is held. What the rulebook judges has in `_EACH` a witness that it alone forbids."""

_HEAD = """\
# The rules, one by one

Made by `voicebot rules table` from the rule packs; a test holds this page to them. Figures are data: a pack of your own
in `VOICEBOT_HOME/rules` ([how](../how-to/rule-packs.md)) changes them without code. Status: P primary text read; S2, S1
confirmed by two, one secondary sources; D a draft; POL stricter policy of the house; UNC could not be confirmed;
K not confirmed. None of this is legal advice.
"""


def handbook(packs: Packs) -> str:
    """The table as Markdown."""
    return _HEAD + "".join(_part(pack) for pack in packs.laws.values())


def _part(pack: RulePack) -> str:
    head = "| rule | says | figures | source | status | held by | shown by |\n|---|---|---|---|---|---|---|\n"
    return f"\n## {pack.name}, version {pack.version}\n\n{head}" + "".join(_row(rule) for rule in pack.rules.values())


def _row(rule: Rule) -> str:
    held = ENFORCED[rule.id]
    where = ", ".join(f"`{place}`" for place in held.where)
    cells = (
        rule.id,
        f"**{rule.title}** {rule.says}",
        "; ".join(_figures(rule)),
        rule.source,
        rule.status,
        " ".join(part for part in (where, held.note) if part),
        ", ".join(f"`{_short(test)}`" for test in held.tests),
    )
    return "| " + " | ".join(cell.replace("|", "/") or "–" for cell in cells) + " |\n"


def _figures(rule: Rule) -> Iterator[str]:
    for name, value in rule.parameters.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"{name} = {shown or 'none'}"


def _short(test: str) -> str:
    file, _, name = test.partition("::")
    return name or file.rpartition("/")[2]
