"""Servers in processes of their own, to be measured from outside."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

logger = logging.getLogger(__name__)

BUNDLED = Path(__file__).parents[1] / "engine" / "bundled"
REAL = (sys.executable, "app.py", "--model", "bundled", "--log-level", "warning")
IDLE = (sys.executable, "-m", "benchmarks.servers", "--log-level", "warning")
_STARTS_WITHIN_S = 300
_COMPILES_WITHIN_S = 900
_NS = 1e9


@dataclass(frozen=True)
class Served:
    """A running server: where it answers, and its process."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def event_loop_cpu_s(self) -> float:
        """CPU seconds that the event loop's thread, which is the first one, has used. Linux only.

        A core that is shared with others counts only while it works for this thread.
        """
        return self._thread_cpu_s(str(self.pid))

    def cpu_s(self) -> float:
        """CPU seconds that the threads alive now have used, all together."""
        return sum(self._thread_cpu_s(thread) for thread in os.listdir(f"/proc/{self.pid}/task"))

    def _thread_cpu_s(self, thread: str) -> float:
        text = Path(f"/proc/{self.pid}/task/{thread}/schedstat").read_text("ascii")
        return int(text.split()[0]) / _NS

    def submit(self, **story: Any) -> str:
        """Submit a story that takes long; returns the path of its job."""
        answer = httpx.post(f"{self.url}/jobs/video", json=story, timeout=30)
        answer.raise_for_status()
        path: str = answer.json()["links"]["self"]
        return path

    def job(self, path: str) -> dict[str, Any]:
        """How a job stands."""
        answer: dict[str, Any] = httpx.get(self.url + path, timeout=30).json()
        return answer


def storyreel(folder: Path) -> tuple[str, ...]:
    """The command that serves the weights in a folder; those of the bundled model by its name."""
    model = "bundled" if folder == BUNDLED else str(folder)
    return (sys.executable, "app.py", "--model", model, "--log-level", "warning")


def reference(folder: Path) -> tuple[str, ...]:
    """The command that serves the same weights by the reference design."""
    return (sys.executable, "-m", "benchmarks.reference", str(folder))


def facts_of(server: Served) -> dict[str, Any]:
    """What one of our servers says of its model, its device and its dtype."""
    health: dict[str, Any] = httpx.get(f"{server.url}/health", timeout=30).json()
    return {name: health[name] for name in ("model", "device", "dtype")}


def warm_up(server: Served, work: Callable[[], object]) -> None:
    """Repeat work until one of our servers has all programs that it takes; nothing on a CPU.

    It must be the work that is measured then: programs are for its sizes and numbers at once. The
    last time, from its beginning on, none is pending.

    Raises:
        TimeoutError: some still are after 15 minutes.
    """
    start, programs = time.monotonic(), _programs(server)
    while programs is not None:
        pending_before = programs["pending"]
        work()
        programs, took_s = _programs(server), time.monotonic() - start
        if not pending_before and not programs["pending"]:
            logger.info("warm after %.0f s: %s programs", took_s, programs["ready"])
            return
        if took_s > _COMPILES_WITHIN_S:
            raise TimeoutError(f"programs are still to be made after {took_s:.0f} s: {programs}")


def _programs(server: Served) -> Any:
    """How many programs a server has, and how many are pending; None where it makes none."""
    return httpx.get(f"{server.url}/health", timeout=30).json()["programs"]


@contextmanager
def served(command: tuple[str, ...], *, ready: str) -> Iterator[Served]:
    """Start a server on an empty data folder, wait until a path answers 200; kill it in the end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data_dir:
        process = subprocess.Popen([*command, "--port", str(port), "--data-dir", data_dir])
        try:
            _wait(process, f"http://127.0.0.1:{port}{ready}")
            yield Served(port, process.pid)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {_STARTS_WITHIN_S} s")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_idle() -> None:
    """Serve the whole app on an engine whose model never comes: what is submitted waits."""
    import threading

    import app
    from engine import Engine

    def never(engine: Engine, hand_off: object) -> Any:
        threading.Event().wait()

    Engine._open_drawer = never  # type: ignore[method-assign, assignment]
    app.main()


if __name__ == "__main__":
    serve_idle()
