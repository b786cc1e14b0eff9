"""`voicebot campaigns`: begin to ring the cases of a lender, see how far it has come, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.campaign import CampaignProgress
    from voicebot.store.store import Store

campaigns = typer.Typer(no_args_is_help=True, help="Campaigns")


@campaigns.command("start")
def campaigns_start(
    name: str,
    lender: Annotated[str | None, typer.Option("--lender", help="Its open cases alone; all if left out")] = None,
    script: Annotated[str, typer.Option("--script", help="Call script")] = "reminder",
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="Calls at once")] = 5,
    config: Config = None,
) -> None:
    """Make a campaign and start it; prints its id. The rulebook still decides about each call."""
    from voicebot.console.campaign_data import CampaignData, CampaignWish
    from voicebot.domain.campaign import Segment
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> tuple[str, int]:
        data = CampaignData(store, SystemClock(), None)
        segment = Segment(creditor_id=await _lender(store, lender) if lender else None)
        added = await data.add(CampaignWish(name=name, script=script, max_concurrency=at_once, segment=segment))
        await data.start(added.campaign_id)
        progress = await store.campaigns.progress(added.campaign_id)
        return progress.campaign.id, progress.cases

    found, cases = in_store(config, work)
    typer.echo(found)
    if not cases:
        typer.echo("no open case is in it: import cases first", err=True)


@campaigns.command("list")
def campaigns_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every campaign and how far it has come, newest first."""
    for progress in in_store(config, lambda store: store.campaigns.all()):
        row = _row(progress)
        print_row(row) if as_json else typer.echo("  ".join(f"{key}={value}" for key, value in row.items()))


@campaigns.command("stop")
def campaigns_stop(campaign_id: str, config: Config = None) -> None:
    """Dial no more for a campaign; calls under way go on."""
    from voicebot.domain.clock import SystemClock
    from voicebot.store.campaigns import CampaignUnknown

    async def work(store: Store) -> bool:
        try:
            await store.campaigns.stop(campaign_id, SystemClock().now())
        except CampaignUnknown:
            return False
        return True

    if not in_store(config, work):
        fail(f"there is no campaign {campaign_id}: see voicebot campaigns list")


async def _lender(store: Store, named: str) -> str:
    """The id of a lender given by id or by name. ValueError."""
    known = {creditor.id: creditor.name for creditor in await store.cases.creditors()}
    for creditor, name in known.items():
        if named in (creditor, name):
            return creditor
    listed = ", ".join(known.values()) or "none: import cases first"
    raise ValueError(f"there is no lender {named!r}; known are {listed}")


def _row(progress: CampaignProgress) -> dict[str, object]:
    from voicebot.domain.attempt import AttemptState

    campaign = progress.campaign
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "cases": progress.cases,
        "calls": progress.attempts.get(AttemptState.SETTLED, 0),
        "done": progress.cases_done,
        "results": dict(progress.dispositions),
    }
