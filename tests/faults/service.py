"""One server process seen from outside: started, asked, signalled, killed, started again."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from engine.journal import NAME
from tests.faults.launch import Fault, Launch, fork_server, serve
from tests.server import free_port

PATIENCE_S = 240
"""How long anything may take before a test gives up: machines are slow at times."""
SMALL: dict[str, Any] = {"width": 64, "height": 64, "num_inference_steps": 10}
IMAGE: dict[str, Any] = {"prompt": "a fox", "seed": 7, **SMALL}
STORY: dict[str, Any] = {
    **SMALL,
    "scenes": ["on a beach", "in a forest"],
    "seed": 3,
    "duration_per_scene": 0.2,
    "transition_frames": 2,
}
ENDED = ("succeeded", "failed", "cancelled")


class Service:
    """A server on the tiny model; its data folder outlives the process."""

    def __init__(self, model: Path, folder: Path, *flags: str, **launch: Any) -> None:
        """Prepare a server.

        Args:
            flags: what stands behind `python app.py`, beside the model, port and data folder.
            launch: fields of `Launch`.
        """
        self.data_dir = folder / "data"
        desk = Path(tempfile.mkdtemp(prefix="desk-", dir=folder))
        self._flags = ("--model", str(model), "--dtype", "float32", *flags)
        self._desk, self._launch = desk, launch
        self.launch = Launch((), desk, **launch)
        self.process: Any = None
        self.url = ""
        self.client = httpx.Client()

    def start(self) -> Self:
        """Start the process, and wait until it answers that it is ready."""
        self.begin()
        self.until(lambda: self.answers("/health/ready"))
        return self

    def begin(self) -> Self:
        """Start the process."""
        port = free_port()
        arguments = (*self._flags, "--port", str(port), "--data-dir", str(self.data_dir))
        self.launch = Launch(arguments, self._desk, **self._launch)
        self.process = fork_server().Process(target=serve, args=(self.launch,), daemon=True)
        self.process.start()
        self.url = f"http://127.0.0.1:{port}"
        self.client.close()
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S)
        return self

    def kill(self) -> None:
        """kill -9; nothing happens if it has ended, or never began."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def stop(self) -> int | None:
        """SIGTERM; the exit status, None if it did not end in time."""
        self.process.terminate()
        self.process.join(PATIENCE_S)
        return self.process.exitcode

    def ended(self) -> int | None:
        """Wait until it ends by itself; its exit status."""
        self.process.join(PATIENCE_S)
        return self.process.exitcode

    def until(self, condition: Any) -> None:
        """Wait until something is so, while the process lives."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.process.is_alive(), f"it ended: {self.said()}"
            assert time.monotonic() < end, f"it did not happen: {self.said()}"
            time.sleep(0.01)

    # Through the front door.

    def submit(self, body: dict[str, Any], path: str = "/jobs/image", **headers: str) -> Any:
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def job(self, job_id: str) -> Any:
        return self.client.get(f"/jobs/{job_id}").json()

    def done(self, job: Any) -> Any:
        """The job once it has ended."""
        self.until(lambda: self.job(job["id"])["state"] in ENDED)
        return self.job(job["id"])

    def draws(self, job: Any) -> Any:
        """Wait until a job is denoising."""
        self.until(lambda: self.job(job["id"])["step"] > 0)
        return job

    # Behind it.

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """A model with a fault."""
        self.launch.fault.write_text(fault)
        try:
            yield
        finally:
            self.launch.fault.unlink()

    def steps(self) -> list[float]:
        """When each denoising step ended, by the monotonic clock."""
        return [float(line) for line in self.launch.steps.read_text().split()]

    def said(self) -> str:
        """The end of what it wrote to its log."""
        log = self.launch.log
        return log.read_text("utf-8", "replace")[-3000:] if log.exists() else ""

    def parts(self) -> list[Path]:
        """Half-written files."""
        return list(self.data_dir.rglob("*.part"))

    def handles(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def encoders(self) -> list[int]:
        """The process ids of the encoders at work."""
        command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        return [int(line.split()[0]) for line in lines if "libx264" in line]

    def journal(self) -> dict[str, str]:
        """The state of every job in the journal, whose integrity is checked."""
        assert self.query("PRAGMA integrity_check") == [("ok",)]
        rows = self.query("SELECT id, state FROM jobs")
        assert len(rows) == len(dict(rows))
        return dict(rows)

    def query(self, sql: str) -> list[Any]:
        """Ask the journal; what a dead process left in a copy, so that the next finds it as is."""
        alive = self.process.is_alive()
        file = self.data_dir / NAME if alive else self._copied() / NAME
        mode = "ro" if alive else "rw"
        with closing(sqlite3.connect(f"file:{file}?mode={mode}", uri=True)) as journal:
            return journal.execute(sql).fetchall()

    def _copied(self) -> Path:
        copy = self._desk / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.data_dir.glob(f"{NAME}*"):
            shutil.copy(path, copy)
        return copy

    def answers(self, path: str) -> bool:
        try:
            return self.client.get(path).status_code == 200
        except httpx.TransportError:
            return False
