"""What the operator says of the object store reaches the processes of the tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from voicebot.app import environment
from voicebot.config import Settings, SettingsError, load_settings


def test_children_see_the_same_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Settings(
        home=tmp_path, object_store="s3://calls/house", object_store_endpoint="https://s3.example", object_lock="off",
        object_store_key_id="key", object_store_secret="geheim", object_store_region="cn-1", keep_local_days=0,
        object_store_ca=tmp_path / "ca.pem",
    )  # fmt: skip
    for name, value in environment(told, "postgresql://x/y").items():
        monkeypatch.setenv(name, value)
    seen = load_settings()
    names = [name for name in Settings.model_fields if name.startswith("object_")] + ["keep_local_days"]
    assert {name: getattr(seen, name) for name in names} == {name: getattr(told, name) for name in names}


@pytest.mark.parametrize("text", ["calls", "s3://", "s3://Calls", "https://s3.example/calls", "s3://calls?x=1"])
def test_a_place_that_is_no_bucket_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_OBJECT_STORE", text)
    with pytest.raises(SettingsError, match=r"VOICEBOT_OBJECT_STORE: .*s3://bucket"):
        load_settings()


async def test_an_uploader_whose_store_is_away_lives_on_and_ends_when_told(tmp_path: Path, database_url: str) -> None:
    told = Settings(home=tmp_path, object_store="s3://calls", object_store_endpoint="http://127.0.0.1:9",
                    object_store_key_id="key", object_store_secret="geheim")  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voicebot.worker.upload_process", env=os.environ | environment(told, database_url),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            line = await process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            await process.stdout.read()
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert b"can't be uploaded yet" in line
    assert b"geheim" not in line
