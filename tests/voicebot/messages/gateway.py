"""A message gateway for tests: a real HTTP server that checks signatures and can be told how to answer."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
from typing import Any, ClassVar

SECRET = "a secret of the test"


class Gateway(http.server.ThreadingHTTPServer):
    """Answers 200 with an id, or the next of `answers`; `taken` are the bodies it accepted, a key once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.seen: list[dict[str, Any]] = []
        self.taken: dict[str, dict[str, Any]] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sms"

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Gateway
    protocol_version: ClassVar[str] = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self._status(body)
        answer = json.dumps({"id": f"gw-{len(self.server.taken)}"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _status(self, body: bytes) -> int:
        signed = self.headers["X-Voicebot-Timestamp"].encode() + b"." + body
        wanted = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, self.headers["X-Voicebot-Signature"]):
            return 401
        message = json.loads(body)
        self.server.seen.append(message)
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            key = message.get("key") or message["id"]
            assert self.headers["Idempotency-Key"] == key
            self.server.taken.setdefault(key, message)
        return status

    def log_message(self, format: str, *args: Any) -> None: ...
