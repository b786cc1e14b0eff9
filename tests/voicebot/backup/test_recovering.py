"""A recovered database is compared with the disk, and nothing is dialled until a person has looked."""

from __future__ import annotations

import asyncio
import json

from tests.voicebot.backup.sites import Site
from tests.voicebot.evidence.conftest import START
from tests.voicebot.store.samples import campaign
from voicebot.store import Store


def test_disk_and_database_are_compared_and_nothing_dials(site: Site) -> None:
    asyncio.run(site.live(range(1, 5)))

    async def run_on() -> None:
        async with Store.from_url(site.url) as store:
            running = await campaign(store)
            await store.campaigns.start(running.id, START)

    async def look() -> tuple[bool, str, str]:
        async with Store.from_url(site.url) as store:
            (only,) = await store.campaigns.all()
            (newest,) = await store.operations.latest(1)
            return await store.dialling.halted() is not None, only.campaign.state, newest.action

    asyncio.run(run_on())
    found = {path.stem: path for path in (site.home / "recordings").rglob("*.zip")}
    found["call-1"].unlink()
    whole = found["call-2"].read_bytes()
    found["call-2"].write_bytes(whole[:-60] + bytes([whole[-60] ^ 1]) + whole[-59:])
    found["call-3"].with_name("call-9.zip").write_bytes(whole)
    result = site.run("recovered", "--json")
    told = json.loads(result.output)
    assert (told["recordings"], told["elsewhere"], told["later"]) == (3, 1, ["call-9"])
    assert told["failures"] and all("call-2.zip" in one for one in told["failures"])
    assert result.exit_code == 1
    assert asyncio.run(look()) == (True, "paused", "restored")


def test_what_fits_is_well_and_without_keys_nothing_is_touched(site: Site) -> None:
    asyncio.run(site.live(range(1, 2)))
    keys, away = site.home / "keys", site.home / "away"
    keys.rename(away)
    refused = site.run("recovered")
    assert (refused.exit_code, "holds no signing key" in refused.output) == (2, True)
    assert not keys.exists()
    away.rename(keys)
    well = site.run("recovered")
    assert (well.exit_code, "✘" in well.output) == (0, False), well.output
    assert "外呼已全部暂停" in well.output
