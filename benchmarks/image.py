"""One picture through REST, against the plain and the tuned pipeline called in this process.

Ours is timed from the request to the last byte of its PNG; the peers until they have the picture.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import torch

from benchmarks import limits
from benchmarks.callers import calling, draw
from benchmarks.checks import check_picture
from benchmarks.extents import extent
from benchmarks.peers import Peer, plain, tuned
from benchmarks.servers import facts_of, served, storyreel, warm_up
from benchmarks.targets import judge, judge_on
from benchmarks.tiny_sd import saved_tiny_sd
from benchmarks.turns import compared, figure, take_turns
from benchmarks.workloads import STEPS_FROM, one_image
from engine import ImageRequest
from engine.choice import BUNDLED

_ALLOWED_S = 0.04
"""For REST, the journal and the PNG."""
Sides = dict[str, Callable[[], Any]]


def measure_bundled() -> dict[str, Any]:
    """With the bundled model."""
    seconds, facts = _measure(BUNDLED, rounds=extent("rounds", 15, 1))
    over = [
        (ours - _ALLOWED_S) / theirs
        for ours, theirs in zip(seconds["ours"], seconds["tuned"], strict=True)
    ]
    what = "one image through REST less 40 ms, against the tuned pipeline, bundled model"
    targets = [judge(what, figure(statistics.median(over)), at_most=1.05)]
    return {"server": facts, **compared(seconds), "targets": targets}


def measure_tiny_sd() -> dict[str, Any]:
    """With random weights of tiny-sd's shape; also against what arithmetic alone would take."""
    on_gpu = torch.cuda.is_available()
    with saved_tiny_sd() as folder:
        rounds = extent("rounds", 15 if on_gpu else 3, 1)
        seconds, facts = _measure(folder, rounds)
    device, dtype = facts["device"], facts["dtype"]
    on = f"{device}, {dtype}"
    told = compared(seconds)
    ours_s = told["seconds"]["ours"]["median"]
    flop = limits.picture_flop(one_image().num_inference_steps)
    side = extent("matrix", 16384 if device == "cuda" else 4096, 256)
    rate = limits.measured_rate(device, getattr(torch, dtype), side=side)
    known_rate = limits.RATES.get(on, rate)
    over_known = figure(ours_s * known_rate / flop)
    return {
        "server": facts,
        **told,
        "picture_tflop": flop / 1e12,
        "limit_s": {"known_rate": figure(flop / known_rate), "rate_here": figure(flop / rate)},
        "over_limit": {"known_rate": over_known, "rate_here": figure(ours_s * rate / flop)},
        "targets": [
            judge_on(
                "cpu, bfloat16", on,
                "one image, tiny-sd's shape, against the plain pipeline on a CPU with bfloat16",
                told["ratio_of_ours_to"]["plain"]["median"], at_most=0.45,
            ),
            judge_on(
                "cpu, bfloat16", on,
                "the same against the arithmetic limit of two Zen4 cores in bf16",
                over_known, at_most=1.7,
            ),
            judge_on(
                "cuda", device, "seconds for one image end to end, tiny-sd's shape, on a GPU",
                ours_s, at_most=0.15,
            ),
        ],
    }  # fmt: skip


def _measure(folder: Path, rounds: int) -> tuple[dict[str, list[float]], dict[str, Any]]:
    request = one_image()
    with (
        served(storyreel(folder), ready="/health/ready") as server,
        calling(server) as client,
    ):
        peers = {"plain": plain(folder), "tuned": tuned(folder)}
        # Every side's first picture is slower; a short one warms up as well as a long one.
        warm = one_image(steps=STEPS_FROM)
        take_turns(_sides(client, peers, warm), 1, lambda made: check_picture(made, warm))
        sides = _sides(client, peers, request)
        warm_up(server, sides["ours"])
        seconds = take_turns(sides, rounds, lambda made: check_picture(made, request))
        return seconds, facts_of(server)


def _sides(client: httpx.Client, peers: dict[str, Peer], request: ImageRequest) -> Sides:
    ours: Sides = {"ours": lambda: draw(client, request)}
    return ours | {name: lambda peer=peer: peer.draw(request) for name, peer in peers.items()}
