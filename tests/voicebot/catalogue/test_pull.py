"""Pulling models from a server that breaks off, lies, or is not there; and checking what lies here."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicebot.catalogue import pull as pulling
from voicebot.catalogue.entries import CatalogueError, Entry, ModelFile, entry_of, read_catalogue
from voicebot.catalogue.pull import PullError, check, is_pulled, pull
from voicebot.config import models_dir

SOUND = bytes(range(256)) * 5000
TOKENS = b"<blk> 0\n"


class Shop(http.server.BaseHTTPRequestHandler):
    """Serves two files; breaks off after `most` bytes of an answer while `breaks` lasts."""

    breaks = 0
    most = 400_000
    asked: list[str | None]
    goods = {"/m/model.onnx": SOUND, "/m/tokens.txt": TOKENS}  # noqa: RUF012

    def do_GET(self) -> None:
        type(self).asked.append(self.headers.get("Range"))
        body = self.goods.get(self.path)
        if body is None:
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if type(self).breaks:
            type(self).breaks -= 1
            self.wfile.write(body[start : start + self.most])
            self.close_connection = True
            return
        self.wfile.write(body[start:])

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.asked, Shop.breaks = [], 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def entry(address: str, *, sha256: str | None = None, size: int | None = len(SOUND)) -> Entry:
    files = (
        ModelFile("model.onnx", f"{address}/m/model.onnx", size, None, sha256),
        ModelFile("tokens.txt", f"{address}/m/tokens.txt", None, None, None),
    )
    return Entry("small", "sherpa", "zipformer-ctc", "t", "MIT", "p", files)


def quiet(name: str, so_far: int, whole: int | None) -> None: ...


def test_files_come_are_recorded_and_are_found_again(shop: str, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    one = entry(shop, sha256=hashlib.sha256(SOUND).hexdigest())
    folder = pull(one, tmp_path, lambda *progress: told.append(progress))
    assert (folder / "model.onnx").read_bytes() == SOUND
    assert told[-2] == ("model.onnx", len(SOUND), len(SOUND))
    assert json.loads((folder / "pulled.json").read_text())["tokens.txt"] == hashlib.sha256(TOKENS).hexdigest()
    assert (folder / "model.toml").read_text() == 'kind = "zipformer-ctc"\n'
    assert is_pulled(one, tmp_path)
    assert check(one, tmp_path) == []
    asked = len(Shop.asked)
    pull(one, tmp_path, quiet)
    assert len(Shop.asked) == asked, "what is there and right is not fetched again"


def test_a_broken_connection_is_gone_on_with(shop: str, tmp_path: Path) -> None:
    Shop.breaks = 2
    folder = pull(entry(shop), tmp_path, quiet)
    assert (folder / "model.onnx").read_bytes() == SOUND
    assert Shop.asked[:3] == [None, "bytes=400000-", "bytes=800000-"]


def test_what_came_is_kept_for_the_next_try(shop: str, tmp_path: Path) -> None:
    Shop.breaks = 99
    Shop.most = 100_000
    with pytest.raises(PullError, match="check the network"):
        pull(entry(shop), tmp_path, quiet)
    part = tmp_path / "small" / "model.onnx.part"
    assert part.read_bytes() == SOUND[:300_000]
    assert not (tmp_path / "small" / "model.onnx").exists()
    Shop.breaks, Shop.most = 0, 400_000
    pull(entry(shop), tmp_path, quiet)
    assert Shop.asked[3] == "bytes=300000-"


def test_a_part_of_something_else_is_begun_anew(shop: str, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "model.onnx.part").write_bytes(b"x" * (len(SOUND) + 5))
    assert (pull(entry(shop), tmp_path, quiet) / "model.onnx").read_bytes() == SOUND


def test_a_file_that_is_not_what_was_promised_is_put_aside(shop: str, tmp_path: Path) -> None:
    with pytest.raises(PullError, match="not what was promised"):
        pull(entry(shop, sha256="0" * 64), tmp_path, quiet)
    assert not (tmp_path / "small" / "model.onnx").exists()
    assert (tmp_path / "small" / "model.onnx.wrong").exists()


def test_the_first_pull_decides_what_later_copies_must_be(shop: str, tmp_path: Path) -> None:
    one = entry(shop)
    folder = pull(one, tmp_path, quiet)
    (folder / "tokens.txt").write_bytes(TOKENS + b"!")
    (fault,) = check(one, tmp_path)
    assert fault.file == "tokens.txt"
    assert "changed" in fault.what
    with pytest.raises(PullError, match="not what was promised"):
        pull(one, tmp_path, quiet)


def test_what_is_missing_or_was_copied_here_is_said(shop: str, tmp_path: Path) -> None:
    one = entry(shop)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "tokens.txt").write_bytes(TOKENS)
    assert [(fault.file, fault.what.split(":")[0]) for fault in check(one, tmp_path)] == [
        ("model.onnx", "missing"), ("tokens.txt", "no hash to hold it against"),
    ]  # fmt: skip


def test_without_a_network_the_word_is_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PullError, match=r"127\.0\.0\.1:9 can't be reached .*--mirror"):
        pull(entry("http://127.0.0.1:9"), tmp_path, quiet)


def test_a_disk_of_ours_that_is_full_is_not_taken_for_a_network_that_is_gone(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pulling, "_continue", full)
    with pytest.raises(PullError, match=r"can't be written: No space left on device; make room"):
        pull(entry(shop), tmp_path, quiet)


def test_an_address_that_is_gone_is_not_tried_again(shop: str, tmp_path: Path) -> None:
    gone = Entry("g", "sherpa", "zipformer", "t", "MIT", "p", (ModelFile("a", f"{shop}/no", None, None, None),))
    with pytest.raises(PullError, match="404"):
        pull(gone, tmp_path, quiet)
    assert len(Shop.asked) == 1


def test_a_mirror_stands_in_for_the_host(shop: str, tmp_path: Path) -> None:
    one = entry("https://models.invalid")
    assert (pull(one, tmp_path, quiet, shop) / "model.onnx").read_bytes() == SOUND
    with pytest.raises(PullError, match="https://HOST"):
        pulling._address("https://a/b", "mirror")


def test_the_shipped_catalogue_can_be_read_and_promises_nothing_odd() -> None:
    catalogue = read_catalogue(models_dir() / "models.toml")
    assert {"sherpa", "whisper", "piper"} == {one.engine for one in catalogue.values()}
    for one in catalogue.values():
        assert one.licence
        assert one.page.startswith("https://")
        for file in one.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
    with pytest.raises(CatalogueError, match="whisper-large-v3-turbo"):
        entry_of(catalogue, "whisper-tiny")


def test_a_broken_catalogue_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("[x]\nengine = 1\n")
    with pytest.raises(CatalogueError, match=r"models\.toml"):
        read_catalogue(tmp_path / "models.toml")
