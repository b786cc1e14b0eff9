"""Review of a script before it is published: all that the compiler finds, and every sentence through the speech gate.

Each sentence is judged with every wording of it, with small and large values of its variables, and in the worst case
that may hear it: unverified unless identity is certain there, with no lawsuit, report or visit unless it is asked for.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from voicebot.dialog.checker import Finding, findings_of
from voicebot.dialog.engine import initial
from voicebot.dialog.fields import Problem
from voicebot.dialog.loader import read_script, read_text
from voicebot.dialog.promise import Pending
from voicebot.dialog.prompts import render, secrets_of, split, variables_of
from voicebot.dialog.script import Prompt, Script, Where
from voicebot.dialog.speech_proof import Spoken, spoken
from voicebot.dialog.state import DialogState
from voicebot.dialog.values import values_of
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.stage import Stage
from voicebot.pipeline.live_gate import LiveGate

_NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
_DEBTOR = Debtor("review", "李振海", Salutation.MR, "123X", "0605")
_CREDITOR = Creditor("review", "示例消费金融有限公司", "示例客户服务中心", "4000001234")
_DAYS = {Stage.M0: -2, Stage.S1: 2, Stage.S2: 9, Stage.S3: 20, Stage.M1: 20, Stage.M2: 40, Stage.M3: 70, Stage.M4: 100}
_USUAL_DAYS = 40


def review_file(path: Path | str) -> list[Finding]:
    """All findings about a file, in its order. Never raises."""
    return _reviewed(*read_script(Path(path)))


def review_text(source: str, name: str, folders: Iterable[Path | str] = ()) -> list[Finding]:
    """The same for a text in an editor; see `voicebot.dialog.checker.check_text`."""
    return _reviewed(*read_text(source, name, folders))


def review_files(paths: Iterable[Path | str]) -> list[dict[str, object]]:
    """Rows for `voicebot script check`: the findings of several files as JSON objects."""
    return [finding.row() for path in paths for finding in review_file(path)]


def _reviewed(script: Script | None, problems: list[Problem]) -> list[Finding]:
    if script is None or any(problem.code.startswith("unknown-") for problem in problems):
        return findings_of(script, problems)
    return findings_of(script, [*problems, *forbidden(script)])


def forbidden(script: Script) -> Iterator[Problem]:
    """Sentences that the speech gate would stop, each once."""
    states = list(_states(script))
    everywhere = [Spoken(Prompt(script.neutral, Where(script.file, 1, 1)), frozenset())]
    for sentence in (*spoken(script), *everywhere):
        verified = "verified" in sentence.known
        stopped = [
            rule
            for state in states
            for piece, case in _pieces(script, sentence, state, verified)
            for rule in _judged(piece, case, verified)
        ]
        if stopped:
            rules = ", ".join(sorted(set(stopped)))
            message = f"the speech gate forbids this sentence ({rules}); say it otherwise, or only where it is true"
            yield Problem(sentence.prompt.where, "forbidden-speech", message)


def _pieces(script: Script, sentence: Spoken, state: DialogState, verified: bool) -> Iterator[tuple[str, Case]]:
    """What would be said, sentence by sentence, and the case that bears out what is certain there and no more."""
    case = state.facts.case
    assert case is not None
    case = replace(
        case,
        lawsuit_filed="facts.lawsuit" in sentence.known,
        credit_reported="facts.credit_reported" in sentence.known,
        visit_scheduled="facts.visit" in sentence.known,
    )
    node = sentence.node.id if sentence.node else script.start
    state = replace(state, node=node, verified=verified, facts=replace(state.facts, case=case))
    values, secrets = values_of(script, state, _NOW), secrets_of(state)
    for text in sentence.prompt.texts:
        words = render(text, values, script.neutral, secrets, script.telling)
        for piece in split(words or ""):
            yield piece, case if variables_of(text) else _usual(case)


def _usual(case: Case) -> Case:
    """The same case for every sentence without figures, so that what scripts share is judged once."""
    late = case.overdue_days > 0
    return replace(case, amount_fen=10_501, principal_fen=10_000, fees_fen=501, overdue_days=_USUAL_DAYS if late else 0)


@functools.lru_cache(maxsize=20_000)
def _judged(piece: str, case: Case, verified: bool) -> tuple[str, ...]:
    gate = LiveGate(CallFacts("review", _NOW, case))
    gate.verified = verified
    return tuple(gate.pass_on(piece)[1])


def _states(script: Script) -> Iterator[DialogState]:
    """Calls about a small and a large bill, with a promise near and far, of all and of a part."""
    days = _DAYS[script.stage] if script.stage else _USUAL_DAYS
    for principal, fees, ahead, part in ((10_000, 501, 1, None), (9_000_000, 876_543, 15, 1_000_000)):
        case = Case("review", _DEBTOR, _CREDITOR, "消费分期", principal + fees, days, _NOW.date(), principal, fees)
        state = initial(script, CallFacts("review", _NOW, case))
        pending = Pending((_NOW + dt.timedelta(days=ahead)).date(), part, part is not None)
        yield replace(state, pending=pending, callback_at=_NOW + dt.timedelta(days=ahead, hours=3))
