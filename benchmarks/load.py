"""The real server under a crowd: 500 clients that poll, 100 open event streams, a story running.

Three times of one length are compared, in turn and several times over: the story alone; the story
while the crowd is at another server that draws nothing, which is what such a crowd costs the
machine; and the story while the crowd is at its own server. Linux only.
"""

import json
import logging
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import httpx

from benchmarks import crowd
from benchmarks.extents import extent
from benchmarks.servers import IDLE, REAL, Served, served
from benchmarks.turns import percentile

logger = logging.getLogger(__name__)

ROUNDS = extent("rounds", 5, 1)
WINDOW_S = extent("window_s", 30.0, 2.0)
SETTLE_S = 6.0
"""Until every client of the crowd has begun."""
POLLS, BATCH = extent("polls", 3000, 300), 150
HEALTH_EVERY_S = 0.05
STEPS, SCENES = 50, 50
STORY: dict[str, Any] = {
    "scenes": ["a castle at night"] * SCENES,
    "num_inference_steps": STEPS,
    "duration_per_scene": 0.2,
}


@dataclass
class Window:
    """What was seen while one of the three went on."""

    seconds: float
    steps: float
    loop_share: float
    health_ms: list[float]
    crowd: dict[str, Any] = field(default_factory=dict)

    @property
    def steps_per_s(self) -> float:
        return self.steps / self.seconds


def measure() -> dict[str, Any]:
    """Measure all of it."""
    with (
        served(IDLE, ready="/health") as idle,
        served(REAL, ready="/health/ready") as server,
    ):
        facts = httpx.get(f"{server.url}/health").json()
        poll_ms = poll_cost_ms(server)
        waiting, running = idle.submit(**STORY), server.submit(**STORY)
        _until_it_draws(server, running)
        alone, elsewhere, here = [], [], []
        for number in range(ROUNDS):
            logger.info("round %d of %d", number + 1, ROUNDS)
            if _steps(server, running) > STEPS * SCENES / 3:  # or it may end within a round
                httpx.delete(server.url + running)
                running = server.submit(**STORY)
                _until_it_draws(server, running)
            alone.append(_watch(server, running))
            elsewhere.append(_watch(server, running, crowd_at=(idle.port, waiting)))
            here.append(_watch(server, running, crowd_at=(server.port, running)))
    return {
        "server": {name: facts[name] for name in ("model", "device", "dtype")},
        "versions": {name: version(name) for name in ("fastapi", "starlette", "uvicorn", "gradio")},
        "crowd": {
            "clients": crowd.CLIENTS,
            "polls_per_s": crowd.POLLS_PER_S,
            "event_streams": crowd.STREAMS,
        },
        "rounds": ROUNDS,
        "window_s": WINDOW_S,
        "poll_cpu_ms": poll_ms,
        "alone": _told(alone),
        "crowd_elsewhere": _told(elsewhere),
        "crowd_here": _told(here),
        "slower_beyond_percent": _slower(elsewhere, here),
        "slower_in_all_percent": _slower(alone, here),
    }


def poll_cost_ms(server: Served) -> dict[str, Any]:
    """CPU milliseconds of one poll of a job, the device idle: in batches, all threads together."""
    job = server.submit(**{**STORY, "scenes": ["a fox", "a wolf"]})
    httpx.delete(server.url + job)
    while server.job(job)["state"] not in ("cancelled", "failed"):
        time.sleep(0.1)
    loop, whole = [], []
    with httpx.Client(base_url=server.url) as client:
        for _ in range(POLLS // BATCH):
            loop_s, whole_s = server.event_loop_cpu_s(), server.cpu_s()
            for _ in range(BATCH):
                client.get(job).raise_for_status()
            loop.append(1000 * (server.event_loop_cpu_s() - loop_s) / BATCH)
            whole.append(1000 * (server.cpu_s() - whole_s) / BATCH)
    return {
        "polls": POLLS,
        "event_loop_median": round(statistics.median(loop), 3),
        "event_loop_least": round(min(loop), 3),
        "process_median": round(statistics.median(whole), 3),
    }


def _until_it_draws(server: Served, job: str) -> None:
    while not _steps(server, job):
        time.sleep(0.2)


def _steps(server: Served, job: str) -> float:
    view = server.job(job)
    return float(max(0, view["scene"] - 1) * STEPS + view["step"])


def _watch(server: Served, job: str, crowd_at: tuple[int, str] | None = None) -> Window:
    """Watch the story and `/health` for a while, with a crowd somewhere or without."""
    gathered = None if crowd_at is None else _gather(*crowd_at)
    time.sleep(SETTLE_S)
    health_ms: list[float] = []
    stop = threading.Event()
    prober = threading.Thread(target=_probe, args=(server, health_ms, stop))
    prober.start()
    start, steps, loop_s = time.perf_counter(), _steps(server, job), server.event_loop_cpu_s()
    time.sleep(WINDOW_S)
    steps, seconds = _steps(server, job) - steps, time.perf_counter() - start
    share = (server.event_loop_cpu_s() - loop_s) / seconds
    stop.set()
    prober.join()
    seen = {} if gathered is None else json.loads(gathered.communicate()[0])
    return Window(seconds, steps, share, health_ms, seen)


def _gather(port: int, path: str) -> "subprocess.Popen[str]":
    seconds = str(SETTLE_S + WINDOW_S + 2)
    command = [sys.executable, "-m", "benchmarks.crowd", str(port), path, seconds]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _probe(server: Served, found_ms: list[float], stop: threading.Event) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        while not stop.wait(HEALTH_EVERY_S):
            start = time.perf_counter()
            client.get("/health").raise_for_status()
            found_ms.append(1000 * (time.perf_counter() - start))


def _told(windows: list[Window]) -> dict[str, Any]:
    health_ms = [ms for window in windows for ms in window.health_ms]
    told = {
        "steps_per_s": [round(window.steps_per_s, 3) for window in windows],
        "event_loop_share": round(statistics.median(w.loop_share for w in windows), 3),
        "health_p50_ms": round(statistics.median(health_ms), 2),
        "health_p99_ms": round(percentile(health_ms, 0.99), 2),
        "health_probes": len(health_ms),
    }
    names = ("polls", "events", "failures")
    seen = {name: sum(window.crowd.get(name, 0) for window in windows) for name in names}
    return {**told, **seen} if windows[0].crowd else told


def _slower(before: list[Window], after: list[Window]) -> float:
    """How much longer a step takes, in percent: the median of the rounds, each by itself."""
    ratios = [a.steps_per_s / b.steps_per_s for a, b in zip(before, after, strict=True)]
    return round(100 * (statistics.median(ratios) - 1), 1)
