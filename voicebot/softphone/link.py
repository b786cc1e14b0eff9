"""Link: console and gateway of one machine talk over a unix socket, one JSON object per line.

console -> gateway  {"id": 7, "verb": "connect", "agent": "a1", "session": "…", "sdp": "…"}
gateway -> console  {"id": 7, "answer": {…}} or {"id": 7, "refused": 409, "why": "…"}
gateway -> console  {"event": "ringing", "agent": "a1", "session": "…", …}
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import structlog

from voicebot.config import Settings
from voicebot.softphone.phone import News, StaleError

log = structlog.get_logger(__name__)

LONGEST_LINE: Final = 256 * 1024
ANSWERED_WITHIN_S: Final = 10.0
_RETRY_S: Final = 0.5
_NEWS_KEPT: Final = 100

Obey = Callable[[str, str, str, dict[str, Any]], Awaitable[News]]


class RefusedError(RuntimeError):
    """The gateway does not do it; `status` is the HTTP status that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def socket_path(settings: Settings) -> Path:
    return settings.home / "softphone.sock"


class GatewayEnd:
    """Listens for consoles, obeys them, and tells all of them the news."""

    def __init__(self, obey: Obey) -> None:
        self._obey = obey
        self._writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        """Of each console, by the task that reads it."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # of an earlier life
        self._server = await asyncio.start_unix_server(self._serve, path, limit=LONGEST_LINE)
        os.chmod(path, 0o600)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers.values():
            writer.close()
        await asyncio.gather(*self._tasks, *self._writers, return_exceptions=True)

    def tell(self, news: News) -> None:
        for writer in self._writers.values():
            _write(writer, news)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        if me is not None:
            self._writers[me] = writer
        try:
            async for message in _lines(reader):
                task = asyncio.create_task(self._answer(writer, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            if me is not None:
                del self._writers[me]
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, message: News) -> None:
        reply: News = {"id": message.get("id")}
        verb, agent, session = (str(message.get(name, "")) for name in ("verb", "agent", "session"))
        try:
            reply["answer"] = await self._obey(verb, agent, session, message)
        except LookupError as unknown:
            reply |= {"refused": 404, "why": str(unknown.args[0]) if unknown.args else "unknown"}
        except StaleError as stale:
            reply |= {"refused": 409, "why": str(stale)}
        except ValueError as wrong:
            reply |= {"refused": 422, "why": str(wrong)}
        except Exception:
            log.exception("a command of the console failed", verb=verb)
            reply |= {"refused": 503, "why": "the softphone gateway failed: look at the log of voicebot serve"}
        _write(writer, reply)


class ConsoleEnd:
    """Keeps connected to the gateway while `run` runs; `ask` it, and `news` of one agent's telephone."""

    def __init__(self, path: Path | None) -> None:
        """`path` None: a console without telephones."""
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[News]] = {}
        self._readers: dict[str, set[asyncio.Queue[News]]] = {}

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> None:
        """Connect again and again until cancelled."""
        while self._path is not None:
            with contextlib.suppress(OSError, ValueError):
                reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
                await self._read(reader)
            self._lost()
            await asyncio.sleep(_RETRY_S)

    async def ask(self, verb: str, agent: str, session: str, **more: object) -> News:
        """RefusedError with the status for the browser: 503 while there is no gateway."""
        if self._writer is None:
            raise RefusedError(503, "the softphone gateway is not running; it is started again by voicebot serve")
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        _write(self._writer, {"id": number, "verb": verb, "agent": agent, "session": session, **more})
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                reply = await answer
        except TimeoutError as slow:
            raise RefusedError(503, "the softphone gateway does not answer") from slow
        finally:
            self._asked.pop(number, None)
        if "refused" in reply:
            raise RefusedError(int(reply["refused"]), str(reply.get("why", "")))
        return dict(reply.get("answer") or {})

    @contextlib.asynccontextmanager
    async def news(self, agent: str) -> AsyncIterator[asyncio.Queue[News]]:
        """What happens at an agent's telephone, from here on; {"event": "lost"} when the gateway went away."""
        queue: asyncio.Queue[News] = asyncio.Queue()
        readers = self._readers.setdefault(agent, set())
        readers.add(queue)
        try:
            yield queue
        finally:
            readers.discard(queue)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        async for message in _lines(reader):
            if "event" in message:
                self._spread(message, str(message.get("agent")))
            elif (answer := self._asked.get(int(message.get("id") or 0))) is not None and not answer.done():
                answer.set_result(message)

    def _lost(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        self._writer = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result({"refused": 503, "why": "the softphone gateway went away"})
        for agent in self._readers:
            self._spread({"event": "lost", "agent": agent}, agent)

    def _spread(self, news: News, agent: str) -> None:
        for queue in self._readers.get(agent, ()):
            if queue.qsize() < _NEWS_KEPT:
                queue.put_nowait(news)


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[News]:
    """Until the other side goes away, or speaks something else."""
    while line := await _line(reader):
        try:
            message = json.loads(line)
        except ValueError:
            return
        if isinstance(message, dict):
            yield message


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (ValueError, ConnectionError):
        return b""


def _write(writer: asyncio.StreamWriter, message: News) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
