"""32 pictures of mixed steps from 4 clients: when each has all of its own.

Held against clients that take turns step by step, computed from the step time that was measured
in the same run. Once with clients who ask for alike pictures, and once with clients of whom each
asks for longer ones than the one before. Linux only, where loopback has many addresses.
"""

import statistics
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.callers import calling, draw, draw_at_once
from benchmarks.checks import check_picture
from benchmarks.extents import extent
from benchmarks.servers import Served, facts_of, served, storyreel
from benchmarks.targets import judge_on
from benchmarks.turns import figure, told
from benchmarks.workloads import STEPS_FROM, STEPS_TO, mixed_images, one_image
from engine import ImageRequest
from engine.choice import BUNDLED

CLIENTS = 4
_PACE_ROUNDS = 3


@dataclass(frozen=True)
class Pace:
    """What pictures cost that are drawn one at a time."""

    step_s: float
    rest_s: float
    """Beyond its steps: decoding, the file, the call."""


def measure() -> dict[str, Any]:
    """Measure the pace, then both mixes in turn; with the bundled model."""
    each, rounds = extent("pictures", 32, 4) // CLIENTS, extent("rounds", 3, 1)
    mixes = {"alike": alike(each), "unlike": unlike(each)}
    with served(storyreel(BUNDLED), ready="/health/ready") as server:
        facts = facts_of(server)
        with calling(server) as client:
            pace = measure_pace(client)
        seconds: dict[str, list[list[float]]] = {name: [] for name in mixes}
        for _ in range(rounds):
            for name, wanted in mixes.items():
                seconds[name].append(_finish_s(server, wanted))
    mixed = {name: _told(wanted, seconds[name], pace) for name, wanted in mixes.items()}
    return {
        "server": facts,
        "rounds": rounds,
        "step_s": figure(pace.step_s),
        "rest_s": figure(pace.rest_s),
        "mixes": mixed,
        "targets": [
            judge_on(
                "cpu", facts["device"],
                f"the latest of 4 clients against turns step by step, {name} pictures",
                mix["worst_ratio"], at_most=1.3,
            )
            for name, mix in mixed.items()
        ],
    }  # fmt: skip


def alike(each: int) -> list[list[ImageRequest]]:
    """Every client asks for pictures of 10 to 50 steps."""
    requests = mixed_images(each * CLIENTS)
    return [requests[index::CLIENTS] for index in range(CLIENTS)]


def unlike(each: int) -> list[list[ImageRequest]]:
    """The same pictures, but the first client has the shortest and the last the longest."""
    requests = sorted(mixed_images(each * CLIENTS), key=lambda one: one.num_inference_steps)
    return [requests[index * each :][:each] for index in range(CLIENTS)]


def measure_pace(client: httpx.Client) -> Pace:
    """Draw short and long pictures in turn, and tell what a step adds."""
    draw(client, one_image(STEPS_FROM))
    seconds: dict[int, list[float]] = {STEPS_FROM: [], STEPS_TO: []}
    for _ in range(_PACE_ROUNDS):
        for steps, found in seconds.items():
            request = one_image().model_copy(update={"num_inference_steps": steps})
            start = time.perf_counter()
            draw(client, request)
            found.append(time.perf_counter() - start)
    short_s, long_s = (statistics.median(found) for found in seconds.values())
    step_s = (long_s - short_s) / (STEPS_TO - STEPS_FROM)
    return Pace(step_s, max(0.0, short_s - STEPS_FROM * step_s))


def round_robin_s(steps: Sequence[Sequence[int]], pace: Pace) -> list[float]:
    """When each client has its pictures, if clients take turns step by step on one device.

    Args:
        steps: of each picture of each client, in the order in which they are drawn.
    """
    left = [deque(pictures) for pictures in steps]
    finished, now = [0.0] * len(steps), 0.0
    while any(left):
        for client, pictures in enumerate(left):
            if not pictures:
                continue
            now += pace.step_s
            pictures[0] -= 1
            if pictures[0] <= 0:
                pictures.popleft()
                now += pace.rest_s
                finished[client] = now
    return finished


def _finish_s(server: Served, wanted: list[list[ImageRequest]]) -> list[float]:
    start = time.perf_counter()

    def one(index: int) -> float:
        with calling(server, address=f"127.0.0.{index + 2}") as client:
            made = draw_at_once(client, wanted[index])
        seconds = time.perf_counter() - start
        for picture, request in zip(made, wanted[index], strict=True):
            check_picture(picture, request)
        return seconds

    with ThreadPoolExecutor(len(wanted)) as clients:
        return list(clients.map(one, range(len(wanted))))


def _told(
    wanted: list[list[ImageRequest]], rounds: list[list[float]], pace: Pace
) -> dict[str, Any]:
    steps = [[request.num_inference_steps for request in of_one] for of_one in wanted]
    ideal = round_robin_s(steps, pace)
    ratios = [[a / b for a, b in zip(one, ideal, strict=True)] for one in rounds]
    by_client = [list(found) for found in zip(*ratios, strict=True)]
    return {
        "steps": steps,
        "finished_s": [told(found) for found in zip(*rounds, strict=True)],
        "round_robin_s": [figure(seconds) for seconds in ideal],
        "ratio": [told(found) for found in by_client],
        "worst_ratio": figure(max(statistics.median(found) for found in by_client)),
    }
