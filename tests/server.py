"""A real HTTP server around an app, on a free port of this machine, in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI


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
        assert httpx.get(f"{url}/health").json()["model_state"] != "unavailable"
        time.sleep(0.05)
