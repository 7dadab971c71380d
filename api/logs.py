"""Log lines, for people or for programs, each with the id of the request it belongs to."""

import logging
import re
import time
import uuid
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TEXT = "%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s"
_JSON = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s"

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure_logs(level: str, *, as_json: bool) -> None:
    """Send every log line to the standard error, as text or as one JSON object a line."""
    handler = logging.StreamHandler()
    handler.addFilter(_name_request)
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    handler.setFormatter(
        JsonFormatter(_JSON, rename_fields=names) if as_json else logging.Formatter(_TEXT)
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _name_request(record: logging.LogRecord) -> bool:
    record.request_id = _request_id.get()
    record.request = f" [{record.request_id}]" if record.request_id else ""
    return True


class RequestLog:
    """Give every request an id, in its answer and in the log; keep the one it came with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        token, start = _request_id.set(request_id), time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            took_ms = 1000 * (time.perf_counter() - start)
            logger.debug("%s %s %d %.1f ms", scope["method"], scope["path"], status, took_ms)
            _request_id.reset(token)
