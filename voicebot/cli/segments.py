"""`voicebot segments`: named parts of the cases - what they are, who is in them, and how well the scorecard tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.segment import NamedSegment
    from voicebot.store.store import Store
    from voicebot.strategy.policies import Policies

segments = typer.Typer(no_args_is_help=True, help="Segments, the scorecard and its back-test")
Name = Annotated[str, typer.Argument(metavar="SEGMENT")]
Result = TypeVar("Result")


@segments.command("list")
def segments_list(as_json: AsJson = False, config: Config = None) -> None:
    """All segments with the open cases in them today."""

    async def work(store: Store, policies: Policies) -> list[dict[str, Any]]:
        rows = []
        for name, named in policies.segments.items():
            cases, fen = await store.segments.count(named.segment, _today())
            rows.append({"id": name, "title": named.title, "cases": cases, "amount_fen": fen})
        return rows

    for row in _with_policies(config, work):
        _print(row, as_json, "{id:<16} {cases:>8} 件  {yuan:>16} 元  {title}")


@segments.command("count")
def segments_count(name: Name, as_json: AsJson = False, config: Config = None) -> None:
    """How many open cases a segment holds today, and what they owe."""

    async def work(store: Store, policies: Policies) -> dict[str, Any]:
        cases, fen = await store.segments.count(_named(policies, name).segment, _today())
        return {"id": name, "cases": cases, "amount_fen": fen}

    _print(_with_policies(config, work), as_json, "{cases} 件  {yuan} 元")


@segments.command("show")
def segments_show(
    name: Name,
    as_json: AsJson = False,
    ids: Annotated[bool, typer.Option("--ids", help="Print the ids of its cases, one a line")] = False,
    config: Config = None,
) -> None:
    """A segment parted by stage, amount, risk and creditor; with --ids its cases."""

    async def work(store: Store, policies: Policies) -> dict[str, Any]:
        segment = _named(policies, name).segment
        if ids:
            return {"ids": await store.segments.ids(segment, _today())}
        return asdict(await store.segments.portrait(segment, _today(), policies.ladder))

    shown = _with_policies(config, work)
    if as_json:
        print_row(shown)
    elif ids:
        typer.echo("\n".join(shown["ids"]))
    else:
        typer.echo(f"{shown['cases']} 件  {shown['debtors']} 人  {shown['amount_fen'] / 100:,.2f} 元")
        for title, key in (("账龄", "by_stage"), ("金额", "by_amount"), ("风险", "by_tier"), ("债权人", "by_creditor")):
            parts = "  ".join(f"{part['id'] or '未评分'} {part['cases']}" for part in shown[key])
            typer.echo(f"{title}: {parts}")


@segments.command("score")
def segments_score(
    case_id: Annotated[
        str | None, typer.Argument(help="Show this case with its reasons; all open ones if left out")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Score the open cases that were not scored today, or show one case's score with its reasons."""
    from voicebot.config import load_settings
    from voicebot.domain.clock import SystemClock
    from voicebot.strategy.policies import PolicyShelf
    from voicebot.strategy.scoring import Scoring

    settings = load_settings(config)

    async def work(store: Store, policies: Policies) -> dict[str, Any]:
        if case_id is None:
            shelf = PolicyShelf(store, settings.home)
            return {"scored": await Scoring(store, shelf, SystemClock(), settings.score_model).once()}
        facts = (await store.risks.facts([case_id], SystemClock().now())).get(case_id)
        if facts is None:
            raise ValueError(f"there is no case {case_id}")
        return {"case_id": case_id, **asdict(policies.scorer(settings.score_model).score(facts)), "facts": facts}

    shown = _with_policies(config, work)
    if as_json or case_id is None:
        print_row(shown)
        return
    typer.echo(f"{case_id}: {shown['score']} 分，{shown['tier']}")
    for reason in shown["reasons"]:
        typer.echo(f"  {reason['points']:+g}  {reason['words']}")


@segments.command("backtest")
def segments_backtest(
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="Score the cases as they were so long ago")] = 30,
    model: Annotated[str | None, typer.Option("--model", help="module:object with predict_proba")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """How well the scorecard (or a model) would have told who would not have paid by today: AUC, KS, lift by tenth."""
    from voicebot.strategy.backtest import backtest
    from voicebot.strategy.scoring import past_cases

    async def work(store: Store, policies: Policies) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC)
        past = await past_cases(store, now - dt.timedelta(days=days), _today())
        return backtest(policies.scorer(model), past).to_json()

    tested = _with_policies(config, work)
    if as_json:
        print_row(tested)
        return
    auc, ks = (("—" if tested[key] is None else f"{tested[key]:.3f}") for key in ("auc", "ks"))
    typer.echo(f"{tested['scorer']}: {tested['cases']} 件，未还 {tested['unpaid']}，AUC {auc}，KS {ks}")
    for title, key in (("十分位", "tenths"), ("等级", "tiers")):
        typer.echo(f"{title}  案件  未还  未还率  提升度  累计覆盖  分数")
        for part in tested[key]:
            figures = f"{part['cases']:>6} {part['unpaid']:>5} {part['rate']:>7.1%} {part['lift']:>6.2f}"
            typer.echo(f"{part['name']:<6} {figures} {part['caught']:>7.1%}  {part['low']}–{part['high']}")


def _with_policies(config: Path | None, work: Callable[[Store, Policies], Awaitable[Result]]) -> Result:
    from voicebot.config import SettingsError, load_settings
    from voicebot.strategy.policies import PolicyShelf

    try:
        home = load_settings(config).home
    except SettingsError as error:
        fail(str(error))

    async def opened(store: Store) -> Result:
        return await work(store, await PolicyShelf(store, home).current())

    return in_store(config, opened)


def _named(policies: Policies, name: str) -> NamedSegment:
    if name not in policies.segments:
        raise ValueError(f"there is no segment {name}; there are {', '.join(policies.segments)}")
    return policies.segments[name]


def _print(row: dict[str, Any], as_json: bool, text: str) -> None:
    print_row(row) if as_json else typer.echo(text.format(**row, yuan=f"{row['amount_fen'] / 100:,.2f}"))


def _today() -> dt.date:
    from voicebot.domain.clock import SHANGHAI

    return dt.datetime.now(SHANGHAI).date()
