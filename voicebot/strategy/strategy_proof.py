"""Proof of a strategy: what it names that is not there, and what can never happen, in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from voicebot.domain.strategy import Means, Step, Strategy, Then


def prove(strategy: Strategy, scripts: Collection[str], templates: Collection[str]) -> Sequence[str]:
    """What to mend before the strategy is followed; empty when nothing is."""
    problems = [problem for step in strategy.steps for problem in _words(step, scripts, templates, _days(step))]
    for rule in strategy.after:
        if rule.then is not None:
            problems += _words(rule.then, scripts, templates, f"通话后（{rule.name}）")
    planned = [(day, step.means, step.words) for step in strategy.steps for day in step.days]
    twice = sorted({day for day, means, words in planned if planned.count((day, means, words)) > 1})
    problems += [f"第 {day} 天同一话术或模板出现两次，只会执行一次" for day in twice]
    return problems


def _words(step: Step | Then, scripts: Collection[str], templates: Collection[str], where: str) -> Iterator[str]:
    known, what = (scripts, "话术") if step.means is Means.CALL else (templates, "短信模板")
    if step.words not in known:
        yield f"{where}：没有{what} {step.words}，请先发布或改名"
    if isinstance(step, Step):
        if step.otherwise is not None and step.otherwise not in scripts:
            yield f"{where}：没有话术 {step.otherwise}（otherwise）"
        if step.notice is not None and step.notice not in templates:
            yield f"{where}：没有短信模板 {step.notice}（notice）"


def _days(step: Step) -> str:
    return f"第 {'、'.join(map(str, step.days))} 天"
