"""A real HTTP server around an app, on a free port of this machine, in a thread."""

import asyncio
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import httpx
import uvicorn
from fastapi import FastAPI

Built = TypeVar("Built")
# Below those that systems give to whoever asks for any; each process of the tests has its own.
_FIRST_PORT, _PORTS = 20_000, 500


def free_port() -> int:
    """A port for a server that is yet to start: nobody takes it meanwhile."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = _FIRST_PORT + process * _PORTS
    for port in random.sample(range(first, first + _PORTS), _PORTS):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port is free from {first} on")


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
