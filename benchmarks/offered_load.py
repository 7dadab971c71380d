"""Pictures asked for at random moments, however many still wait: latency against offered load.

Arrivals are open-loop: a slow service does not slow those down who ask. Latency counts from the
moment at which a picture was to be asked for, and what the service refuses is told apart.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.callers import calling, draw_at_once
from benchmarks.checks import check_picture
from benchmarks.extents import extent
from benchmarks.servers import Served, facts_of, served, storyreel
from benchmarks.turns import figure, percentile
from benchmarks.workloads import mixed_images
from engine import ImageRequest
from engine.choice import BUNDLED

logger = logging.getLogger(__name__)

LOADS = (0.25, 0.5, 0.75, 0.9, 1.1)
"""Of what the service makes when it is never idle."""
_AT_ONCE = 8
_MOST_STEPS = 30


@dataclass(frozen=True)
class Answer:
    """How one arrival ended; seconds from when it was due."""

    due_s: float
    latency_s: float
    status: int


def measure() -> dict[str, Any]:
    """Find what the service can do, then offer it more and more; with the bundled model."""
    window_s, loads = extent("window_s", 180.0, 10.0), LOADS[: extent("loads", len(LOADS), 2)]
    with served(storyreel(BUNDLED), ready="/health/ready") as server:
        capacity = _capacity_per_s(server)
        logger.info("it makes %.3f pictures a second", capacity)
        told = []
        for seed, load in enumerate(loads):
            due = arrivals_s(load * capacity, window_s, seed)
            answers = asyncio.run(_offer(server, due))
            told.append({"load": load, **summary(answers, window_s)})
            logger.info("%s", told[-1])
        facts = facts_of(server)
    return {
        "server": facts,
        "window_s": window_s,
        "capacity_pictures_per_s": figure(capacity),
        "loads": told,
    }


def arrivals_s(rate_per_s: float, window_s: float, seed: int) -> list[float]:
    """Moments of a Poisson process within a window: independent, `rate_per_s` on average."""
    chance = random.Random(seed)
    moments, now = [], chance.expovariate(rate_per_s)
    while now < window_s:
        moments.append(now)
        now += chance.expovariate(rate_per_s)
    return moments


def summary(answers: Sequence[Answer], window_s: float) -> dict[str, Any]:
    """What those who asked saw.

    Pictures a second are counted until the last one came, or the window ended.
    """
    made = [answer for answer in answers if answer.status == 200]
    refused = sum(answer.status == 503 for answer in answers)
    end_s = max([window_s, *(answer.due_s + answer.latency_s for answer in made)])
    latencies = [answer.latency_s for answer in made]
    return {
        "offered_per_s": figure(len(answers) / window_s),
        "pictures_per_s": figure(len(made) / end_s),
        "p50_s": figure(percentile(latencies, 0.5)) if made else None,
        "p95_s": figure(percentile(latencies, 0.95)) if made else None,
        "made": len(made),
        "refused": refused,
        "failed": len(answers) - len(made) - refused,
    }


def _capacity_per_s(server: Served) -> float:
    requests = mixed_images(extent("pictures", 3 * _AT_ONCE, 3), _MOST_STEPS)
    with calling(server) as client:
        draw_at_once(client, requests[:1])
        start = time.perf_counter()
        draw_at_once(client, requests)
        return len(requests) / (time.perf_counter() - start)


async def _offer(server: Served, due_s: Sequence[float]) -> list[Answer]:
    requests = mixed_images(len(due_s), _MOST_STEPS)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=None, limits=limits) as client:
        start = time.perf_counter()
        calls = [
            _ask(client, request, start, due) for request, due in zip(requests, due_s, strict=True)
        ]
        answers = await asyncio.gather(*calls)
    for (answer, made), request in zip(answers, requests, strict=True):
        if answer.status == 200:
            check_picture(made, request)
    return [answer for answer, _ in answers]


async def _ask(
    client: httpx.AsyncClient, request: ImageRequest, start: float, due_s: float
) -> tuple[Answer, bytes]:
    await asyncio.sleep(max(0.0, start + due_s - time.perf_counter()))
    answer = await client.post("/generate", json=request.model_dump(exclude_none=True))
    latency_s = time.perf_counter() - start - due_s
    return Answer(due_s, latency_s, answer.status_code), answer.content
