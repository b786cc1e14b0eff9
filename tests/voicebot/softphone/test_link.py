"""Console and gateway over their socket: questions and answers, news, refusals, and either side going away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from voicebot.softphone.link import ConsoleEnd, GatewayEnd, RefusedError
from voicebot.softphone.phone import StaleError


async def obey(verb: str, agent: str, session: str, more: dict[str, Any]) -> dict[str, Any]:
    match verb:
        case "connect":
            return {"sdp": more["sdp"][::-1], "state": "on"}
        case "slow":
            await asyncio.sleep(0.05)
            return {"state": agent}
        case "stale":
            raise StaleError("another page")
        case "unknown":
            raise LookupError("no agent")
        case "wrong":
            raise ValueError("no such key")
    raise RuntimeError("a fault of ours")


@pytest_asyncio.fixture
async def ends(tmp_path: Path) -> AsyncIterator[tuple[GatewayEnd, ConsoleEnd]]:
    gateway, console = GatewayEnd(obey), ConsoleEnd(tmp_path / "s.sock")
    await gateway.listen(tmp_path / "s.sock")
    running = asyncio.create_task(console.run())
    await connected(console)
    yield gateway, console
    running.cancel()
    await gateway.close()


async def connected(console: ConsoleEnd) -> None:
    for _ in range(200):
        if console.connected:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the console does not connect")


async def test_questions_are_answered_each_its_own(ends: tuple[GatewayEnd, ConsoleEnd]) -> None:
    _, console = ends
    slow, quick = await asyncio.gather(
        console.ask("slow", "a1", "one"), console.ask("connect", "a2", "two", sdp="音频" * 20_000)
    )
    assert slow == {"state": "a1"} and quick["sdp"] == "频音" * 20_000


@pytest.mark.parametrize(("verb", "status"), [("stale", 409), ("unknown", 404), ("wrong", 422), ("broken", 503)])
async def test_refusals_carry_the_status_for_the_browser(
    ends: tuple[GatewayEnd, ConsoleEnd], verb: str, status: int
) -> None:
    with pytest.raises(RefusedError) as refused:
        await ends[1].ask(verb, "a1", "one")
    assert refused.value.status == status and "a fault of ours" not in str(refused.value)


async def test_news_go_to_the_agent_they_are_about(ends: tuple[GatewayEnd, ConsoleEnd]) -> None:
    gateway, console = ends
    async with console.news("a1") as mine, console.news("a2") as others:
        gateway.tell({"event": "ringing", "agent": "a1", "remote": "sip:13800138000@x"})
        async with asyncio.timeout(60):
            assert (await mine.get())["event"] == "ringing"
        assert others.empty()


async def test_a_gateway_that_comes_back_is_found_again(tmp_path: Path) -> None:
    console = ConsoleEnd(tmp_path / "s.sock")
    with pytest.raises(RefusedError) as refused:
        await console.ask("beat", "a1", "one")
    assert refused.value.status == 503
    running = asyncio.create_task(console.run())
    for _ in range(2):
        gateway = GatewayEnd(obey)
        await gateway.listen(tmp_path / "s.sock")
        await connected(console)
        async with console.news("a1") as news:
            waiting = asyncio.create_task(console.ask("slow", "a1", "one"))
            await asyncio.sleep(0.01)
            await gateway.close()
            with pytest.raises(RefusedError):
                await waiting
            async with asyncio.timeout(60):
                assert (await news.get())["event"] == "lost"
    running.cancel()


async def test_what_is_no_message_ends_that_connection_alone(
    ends: tuple[GatewayEnd, ConsoleEnd], tmp_path: Path
) -> None:
    for rubbish in (b"\xff\xfe\n", b"[1]\n" + b"x" * 300_000 + b"\n", b"{}\n{\n"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s.sock")
        writer.write(rubbish)
        async with asyncio.timeout(60):
            while await reader.read(1 << 20):
                pass
        writer.close()
    assert await ends[1].ask("slow", "a1", "one") == {"state": "a1"}
