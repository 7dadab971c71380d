"""A real HTTP server around an app, on a free port of this machine, in a thread."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
import uvicorn
from fastapi import FastAPI

Built = TypeVar("Built")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve `app` and give its base URL; the app's shutdown runs at the end."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="test-server")
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def wait_until_ready(url: str) -> None:
    """Wait until the model is loaded.

    Raises:
        AssertionError: it could not be loaded.
    """
    while httpx.get(f"{url}/health/ready").status_code != 200:
        assert httpx.get(f"{url}/health").json().get("model_state") != "unavailable"
        time.sleep(0.05)


def in_a_loop(build: Callable[[], Built]) -> Built:
    """Build while an event loop runs: without one Gradio makes some and never closes them."""

    async def run() -> Built:
        return build()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    return build()  # playwright's loop runs
