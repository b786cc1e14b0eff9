"""An S3 server in a process of its own, a bucket in it, and calls that were recorded, sealed and written down."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.voicebot.evidence.conftest import START, record
from tests.voicebot.store.samples import new_case
from voicebot.config import Settings
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import CallRecord
from voicebot.evidence.depot.locating import open_objects
from voicebot.evidence.depot.objects import ObjectStore
from voicebot.evidence.signer import Signer
from voicebot.store import Store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of an S3 server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(3000):  # a starved machine takes its time to import so much
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@dataclass
class Bucket:
    """A bucket, the settings that name it, and a plain boto3 client to look behind our back."""

    name: str
    settings: Settings
    client: Any

    @property
    def objects(self) -> ObjectStore:
        found = open_objects(self.settings)
        assert found is not None
        return found

    def keys(self) -> list[str]:
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def versions(self) -> int:
        return len(self.client.list_object_versions(Bucket=self.name).get("Versions", []))


def bucket_settings(name: str, url: str, home: Path, **more: Any) -> Settings:
    return Settings(
        home=home, object_store=f"s3://{name}/calls", object_store_endpoint=url, object_store_key_id="key",
        object_store_secret="secret", **more,
    )  # fmt: skip


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path) -> Bucket:
    """A fresh bucket with object lock."""
    import boto3

    name = f"recordings-{next(_numbers)}-{time.monotonic_ns()}"
    client = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="key",
                          aws_secret_access_key="secret")  # fmt: skip
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return Bucket(name, bucket_settings(name, s3_server, tmp_path), client)


@dataclass
class House:
    """An installation with recordings on its disk and their calls in its database."""

    store: Store
    home: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(START + dt.timedelta(minutes=5)))

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def signer(self) -> Signer:
        return Signer.load_or_create(self.home / "keys")

    async def call(self, call_id: str, *, worker: str = "here-0", case: int | None = None, ticks: int = 51) -> Path:
        """Record, seal and write down a call; its bundle."""
        case_id = None
        if case is not None:
            new = new_case(case)
            await self.store.cases.save([new], START)
            case_id = new.case.id
        path = record(self.recordings, call_id, ticks).seal(self.signer)
        await self.store.calls.start(CallRecord(call_id, "outbound", "+8613800000001", START, case_id, worker=worker))
        bundle = str(path.relative_to(self.recordings))
        ended = START + dt.timedelta(minutes=1)
        await self.store.calls.close(call_id, ended_at=ended, bundle=bundle, disposition="promise", duration_ms=1020)
        return path


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store, tmp_path)
