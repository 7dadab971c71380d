"""A tiny model hub on 127.0.0.1, and a hub cache laid out by hand."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def lay_out_cache(cache: Path, repo_id: str, model: Path) -> Path:
    """Copy a pipeline folder into a hub cache the way the hub client does; returns the snapshot."""
    repo = cache / f"models--{repo_id.replace('/', '--')}"
    snapshot = repo / "snapshots" / COMMIT
    shutil.copytree(model, snapshot)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return snapshot


def use_cache(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Make the hub client, which reads its environment at import, use this cache folder."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Make the hub client go online, to this address only."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


class Hub:
    """What the hub serves, and what it was asked for."""

    def __init__(self, repo_id: str, folder: Path) -> None:
        self.repo_id = repo_id
        self.folder = folder
        self.asked: list[str] = []
        self.api_status = 200
        self.api_body: bytes | None = None
        self.broken: set[str] = set()
        self.url = ""

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def describe(self) -> bytes:
        siblings = [
            {"rfilename": str(path.relative_to(self.folder)), "size": path.stat().st_size}
            for path in self.files()
        ]
        return json.dumps({"id": self.repo_id, "sha": COMMIT, "siblings": siblings}).encode()


@contextmanager
def serve_hub(hub: Hub) -> Iterator[Hub]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            if path == f"/api/models/{hub.repo_id}":
                body = hub.describe() if hub.api_body is None else hub.api_body
                self.answer(hub.api_status, body, "application/json")
                return
            name = path.removeprefix(f"/{hub.repo_id}/resolve/{COMMIT}/")
            if name in hub.broken and self.command == "GET":
                self.answer(404, b"", "text/plain")
                return
            self.answer(200, (hub.folder / name).read_bytes(), "application/octet-stream")

        do_HEAD = do_GET

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
