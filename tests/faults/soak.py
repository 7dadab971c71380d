"""Mixed work for minutes on end, and then nothing of it may be left: `make soak`.

Quiet moments are compared, the first after a fifth of the time: memory within 3%, no more
handles than then, no more threads but those of pools that fill as they are needed, no temporary
file, every accepted job in one terminal state.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# The model is tiny, and nothing is fetched or told; read when the server's modules are imported.
os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import httpx
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.faults.service import ENDED, IMAGE, PATIENCE_S, SMALL, STORY, Service
from tests.faults.traffic import Traffic
from tests.tiny_pipeline import save_tiny_pipeline

logger = logging.getLogger("soak")

_CALLERS = 6
_WARM_UP = 0.2
_MEMORY_GROWTH = 0.03
_SETTLE_S = 15
"""Longer than the server keeps threads that have nothing to do, and memory that is free."""
_POOLED = min(32, (os.cpu_count() or 1) + 4) + 2
"""Threads that the pools of asyncio and of the encoders may begin, and then keep."""


@dataclass(frozen=True)
class Quiet:
    """What a server holds when nothing is to be done."""

    memory_mb: float
    """Its own memory: pages of the libraries it maps come when they are first needed."""
    threads: int
    handles: int
    temporary: int

    @classmethod
    def of(cls, service: Service) -> "Quiet":
        """Wait until nothing runs and idle threads have gone, then look."""
        service.until(lambda: set(service.journal().values()) <= set(ENDED))
        for _ in range(_SETTLE_S):
            service.client.get("/jobs")
            time.sleep(1)
        temporary = [path for path in service.launch.temporary.rglob("*") if path.is_file()]
        status = Path(f"/proc/{service.process.pid}/status").read_text()
        memory_kb = next(line.split()[1] for line in status.splitlines() if "RssAnon" in line)
        return cls(
            int(memory_kb) / 1024,
            service.threads(),
            service.handles(),
            len(temporary) + len(service.parts()),
        )


class MixedTraffic(Traffic):
    """Jobs, and everything else that people do: wait, leave, follow, fetch, mistype, look in."""

    def __init__(self, service: Service, chance: random.Random) -> None:
        super().__init__(service, chance)
        self._visitor = httpx.Client(base_url=service.url, timeout=PATIENCE_S)
        self._page = Client(f"{service.url}/ui/", verbose=False)
        self._others: list[Callable[[], None]] = [
            *(self._wait, self._leave, self._follow, self._fetch, self._mistype, self._look_in),
            self._use_page_client,
        ]

    def act(self) -> None:
        """Make one call, whatever it is."""
        if self._chance.random() < 0.7:
            super().act()
            time.sleep(0.02)
        else:
            self._chance.choice(self._others)()

    def _wait(self) -> None:
        answer = self._ask("POST", "/generate", json=IMAGE)
        assert answer.status_code in (200, 503), answer.text

    def _leave(self) -> None:
        body = {**STORY, "num_inference_steps": 50}
        try:
            self._ask("POST", "/generate-video", json=body, timeout=0.2)
        except httpx.ReadTimeout:
            self.requests[0] += 1

    def _follow(self) -> None:
        job = self._ask("POST", "/jobs/image", json=IMAGE)
        if job.status_code == 202:
            self._note(job.json())
            path = f"{job.json()['links']['events']}?previews=1"
            assert "event: end" in self._ask("GET", path).text
            self._look("GET", job.json()["id"])

    def _fetch(self) -> None:
        for job_id in list(self.ended)[-3:]:
            answer = self._ask("GET", f"/jobs/{job_id}/result")
            assert answer.status_code in (200, 409), answer.text

    def _mistype(self) -> None:
        answer = self._ask("POST", "/generate", json={"promt": "a" * 5000})
        assert answer.status_code == 422

    def _look_in(self) -> None:
        for path in ("/", "/ui/", "/health", "/metrics", "/docs", "/jobs?limit=5"):
            answer = self._visitor.get(path)  # with a session of its own, as a browser has
            self.requests[answer.status_code] += 1
            assert answer.status_code == 200

    def _use_page_client(self) -> None:
        try:
            self._page.predict(prompt="a fox", api_name="/generate_image", **SMALL)
            self.requests[200] += 1
        except AppError as err:
            assert "queue is full" in str(err)
            self.requests[503] += 1


def soak(service: Service, minutes: float) -> list[str]:
    """Keep a server busy; returns the limits that were broken."""
    traffic = MixedTraffic(service, random.Random())
    moments = []
    for share in (_WARM_UP, 1 - _WARM_UP):
        with traffic.flowing(_CALLERS):
            time.sleep(share * minutes * 60)
        moments.append(Quiet.of(service))
    warm, end = moments
    states = service.journal()
    logger.info("requests: %d %s", traffic.requests.total(), dict(traffic.requests))
    logger.info("jobs: %d %s", len(states), dict(Counter(states.values())))
    logger.info("after %.0f min: %s", _WARM_UP * minutes, warm)
    logger.info("after %.0f min: %s", minutes, end)
    told = {job_id: states.get(job_id) for job_id in traffic.ended}
    limits = {
        "memory grows": end.memory_mb > warm.memory_mb * (1 + _MEMORY_GROWTH),
        "threads are left": end.threads > warm.threads + _POOLED,
        "handles are left": end.handles > warm.handles,
        "temporary files are left": end.temporary > 0,
        "jobs were lost": not traffic.accepted <= states.keys(),
        "a job has not ended as was told": told != traffic.ended,
        "the service did not stop well": service.stop() != 0,
    }
    return [limit for limit, broken in limits.items() if broken]


def main() -> None:
    """Run a soak; the exit status tells whether every limit held."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=...")
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    logging.basicConfig(level="INFO", format="%(message)s")
    logging.getLogger("httpx").setLevel("WARNING")
    with tempfile.TemporaryDirectory() as folder:
        model = save_tiny_pipeline(Path(folder) / "model")
        service = Service(model, Path(folder), "--max-queue", "16", step_s=0.005).start()
        try:
            broken = soak(service, minutes)
        finally:
            service.kill()
    sys.exit("; ".join(broken) or 0)


if __name__ == "__main__":
    main()
