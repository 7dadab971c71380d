"""The doors of the mounted page: which of them stand open, and whose files it hands out."""

import asyncio
import os
import re
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ErrorBody
from engine import Engine, errors

_ROOT = "/ui"
_FILE = f"{_ROOT}/gradio_api/file="
_OPEN = tuple(
    f"{_ROOT}/{door}"
    for door in (
        *("config", "theme.css", "assets/", "static/", "svelte/", "favicon.ico", "manifest.json"),
        *("pwa_icon", "robots.txt"),
        *(
            f"gradio_api/{door}"
            for door in (
                *("info", "openapi.json", "app_id", "startup-events", "heartbeat/", "queue/"),
                *("call/", "run/", "api/", "cancel", "reset", "file="),
            )
        ),
    )
)
"""What the page and `gradio_client` use. The framework has more: it would take uploads of any
size, fetch from other hosts, and write to the disk, and a new version may bring others."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""A scheme; a drive of Windows has one letter."""


class PageDoors:
    """Close what the page does not use, and show files of a job to its owner only."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self._app = app
        self._engine = engine
        self._files = engine.settings.data_dir.resolve() / "jobs"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        inside = path.startswith(f"{_ROOT}/") and path != f"{_ROOT}/"
        if inside and not await self._stands_open(path, scope):
            body = ErrorBody(code="not_found", detail="Not Found", advice="Use the page itself.")
            await JSONResponse(body.model_dump(), 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stands_open(self, path: str, scope: Scope) -> bool:
        if not path.startswith(_OPEN):
            return False
        if not path.startswith(_FILE):
            return True
        name = path.removeprefix(_FILE)
        if _ADDRESS.match(name):
            return False
        return await asyncio.to_thread(self._may_see, name, scope["state"]["owner"])

    def _may_see(self, name: str, owner: str | None) -> bool:
        try:
            file = Path(os.path.realpath(name))  # links lead around, such as /proc/self/root
        except ValueError:  # a NUL
            return False
        if not file.is_relative_to(self._files):
            return True  # a file of the page's own; it looks whether it may be seen
        job_id = next(iter(file.relative_to(self._files).parts), "")
        try:
            self._engine.job(job_id, owner=owner)
        except errors.JobNotFound:
            return False
        return True
