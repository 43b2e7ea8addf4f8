"""LINE on loopback, with a memory: accepts a retry key once, answers 409 to it afterwards, and fails the way networks do.

Every request and every answer is checked against the models of LINE's own client; a body they do not know is an error here.
"""

import datetime as dt
import json
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from linebot.v3.messaging import (
    ErrorResponse,
    IssueLinkTokenResponse,
    MessageQuotaResponse,
    PushMessageRequest,
    PushMessageResponse,
    ReplyMessageRequest,
    ReplyMessageResponse,
)

_ANSWERS: dict[int, Any] = {
    200: PushMessageResponse,
    409: ErrorResponse,
    429: ErrorResponse,
    500: ErrorResponse,
    400: ErrorResponse,
}


@dataclass
class Faults:
    """Every nth push fails so; 0 = never. `cut` closes the connection after LINE accepted, `lost` answers 500 after it did."""

    cut: int = 0
    lost: int = 0
    busy: int = 0
    broken: int = 0
    refused: frozenset[str] = frozenset()


@dataclass
class LineDouble:
    """What LINE knows: accepted keys, deliveries by user (a blocked user's message is accepted and not delivered)."""

    token: str = "test-token"
    faults: Faults = field(default_factory=Faults)
    blocked: set[str] = field(default_factory=set)
    accepted: dict[str, str] = field(default_factory=dict)
    deliveries: list[tuple[str, str, str]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    pushes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    def __enter__(self) -> "LineDouble":
        self.server = _Server(("127.0.0.1", 0), _handler_of(self))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def host(self) -> str:
        """What `Configuration(host=…)` takes."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def push(self, raw: bytes, key: str) -> tuple[int, dict[str, Any], bool]:
        """Status, body and whether the connection is cut instead of answering."""
        asked = PushMessageRequest.from_dict(json.loads(raw))
        assert asked is not None
        uuid.UUID(key)
        with self.lock:
            self.pushes += 1
            n, f = self.pushes, self.faults
            if f.busy and n % f.busy == 0:
                return 429, {"message": "The API rate limit has been exceeded. Try again later."}, False
            if f.broken and n % f.broken == 0:
                return 500, {"message": "Internal error"}, False
            if asked.to in f.refused:
                return 400, {"message": "The property, 'to', in the request body is invalid"}, False
            sent = {"sentMessages": [{"id": "1", "quoteToken": "q"}]}
            if key in self.accepted:
                return 409, {"message": "The retry key is already accepted", **sent}, False
            self.accepted[key] = str(uuid.uuid4())
            if asked.to not in self.blocked:
                self.deliveries.append((asked.to, asked.messages[0].text, key))
            if f.lost and n % f.lost == 0:
                return 500, {"message": "Internal error"}, False
            return 200, sent, bool(f.cut and n % f.cut == 0)


class _Server(ThreadingHTTPServer):
    """Says nothing about a caller that was killed while it asked."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Only an error of another kind is one."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            raise


def _handler_of(line: LineDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one answer, one packet: otherwise each waits 40 ms for an acknowledgement
        disable_nagle_algorithm = True

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(line.clock().astimezone(dt.UTC), usegmt=True)

        def do_GET(self) -> None:
            if self.headers["Authorization"] != f"Bearer {line.token}":
                return self._say(401, {"message": "Authentication failed"})
            body = {"type": "limited", "value": 1000}
            MessageQuotaResponse.from_dict(body)
            return self._say(200, body)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
            line.bodies.append(raw.decode())
            try:
                self._post(raw)
            except ConnectionError:
                pass  # whoever asked was killed
            except Exception as e:
                line.wrong.append(f"{type(e).__name__}: {e}")
                self._say(400, {"message": "not what LINE describes"})

        def _post(self, raw: bytes) -> None:
            if self.headers["Authorization"] != f"Bearer {line.token}":
                return self._say(401, {"message": "Authentication failed"})
            if self.path == "/v2/bot/message/push":
                key = str(self.headers["X-Line-Retry-Key"])
                status, body, cut = line.push(raw, key)
                line.statuses[0 if cut else status] += 1
                if cut:
                    self.close_connection = True
                    return None
                _ANSWERS[status].from_dict(body)
                return self._say(status, body, {"x-line-accepted-request-id": line.accepted[key]} if status == 409 else {})
            if self.path == "/v2/bot/message/reply":
                assert ReplyMessageRequest.from_dict(json.loads(raw)) is not None
                line.replies.append(json.loads(raw))
                body = {"sentMessages": [{"id": "1", "quoteToken": "q"}]}
                ReplyMessageResponse.from_dict(body)
                return self._say(200, body)
            assert self.path.startswith("/v2/bot/user/") and self.path.endswith("/linkToken"), self.path
            body = {"linkToken": "linktoken-1"}
            IssueLinkTokenResponse.from_dict(body)
            return self._say(200, body)

        def _say(self, status: int, body: dict[str, Any], more: dict[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("x-line-request-id", str(uuid.uuid4()))
            for name, value in (more or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    return Handler
