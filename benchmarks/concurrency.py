"""Many pictures of mixed steps asked for at once, against peers that draw them one by one."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import torch

from benchmarks import limits
from benchmarks.callers import calling, draw_at_once
from benchmarks.checks import check_picture
from benchmarks.extents import extent
from benchmarks.peers import Peer, plain, tuned
from benchmarks.servers import facts_of, served, storyreel, warm_up
from benchmarks.targets import judge_on
from benchmarks.tiny_sd import saved_tiny_sd
from benchmarks.turns import compared, figure, take_turns
from benchmarks.workloads import STEPS_FROM, STEPS_TO, mixed_images
from engine import ImageRequest
from engine.choice import BUNDLED

Measured = dict[str, Any]


def measure_bundled() -> dict[str, Any]:
    """8 and 32 pictures with the bundled model."""
    facts, sizes = _measure(BUNDLED, _counts(8, 32), extent("rounds", 3, 1), STEPS_TO)
    return {"server": facts, "pictures": sizes}


def measure_tiny_sd() -> dict[str, Any]:
    """8 and 32 with weights of tiny-sd's shape.

    On a CPU 8 of 10 to 15 steps: 32 of up to 50 would take hours, and batches gain nothing there.
    """
    on_gpu = torch.cuda.is_available()
    counts = _counts(8, 32) if on_gpu else _counts(8)
    rounds = extent("rounds", 5 if on_gpu else 1, 1)
    most_steps = extent("most_steps", STEPS_TO if on_gpu else 15, STEPS_FROM)
    with saved_tiny_sd() as folder:
        facts, sizes = _measure(folder, counts, rounds, most_steps)
    most = sizes[str(max(counts))]
    rates = most["pictures_per_s"]
    steps = [request.num_inference_steps for request in mixed_images(max(counts), most_steps)]
    allowed = limits.pictures_per_s(steps, limits.RATES["cuda, float16"])
    device = facts["device"]
    return {
        "server": facts,
        "most_steps": most_steps,
        "pictures": sizes,
        "targets": [
            judge_on(
                "cuda", device,
                "pictures a second, 32 at once, over the plain pipeline one by one, "
                "tiny-sd's shape, GPU",
                figure(rates["ours"] / rates["plain"]), at_least=4.0,
            ),
            judge_on(
                "cuda", device,
                "pictures a second, 32 at once, over what arithmetic allows, tiny-sd's shape, GPU",
                figure(rates["ours"] / allowed), at_least=0.45,
            ),
        ],
    }  # fmt: skip


def _counts(*full: int) -> list[int]:
    least = extent("pictures", 0, 3)
    return [least] if least else list(full)


def _measure(
    folder: Path, counts: Sequence[int], rounds: int, most_steps: int
) -> tuple[dict[str, Any], dict[str, Measured]]:
    peers = {"plain": plain(folder), "tuned": tuned(folder)}
    with (
        served(storyreel(folder), ready="/health/ready") as server,
        calling(server) as client,
    ):
        _seconds(client, peers, mixed_images(1, STEPS_FROM), rounds=1)  # warms every side up
        sizes = {}
        for count in counts:
            requests = mixed_images(count, most_steps)
            warm_up(server, partial(draw_at_once, client, requests))
            sizes[str(count)] = _told(_seconds(client, peers, requests, rounds), count)
        return facts_of(server), sizes


def _seconds(
    client: httpx.Client, peers: dict[str, Peer], requests: list[ImageRequest], rounds: int
) -> dict[str, list[float]]:
    def check(made: list[Any]) -> None:
        for picture, request in zip(made, requests, strict=True):
            check_picture(picture, request)

    sides: dict[str, Callable[[], list[Any]]] = {
        "ours": lambda: draw_at_once(client, requests),
        **{
            name: lambda peer=peer: [peer.draw(request) for request in requests]
            for name, peer in peers.items()
        },
    }
    return take_turns(sides, rounds, check)


def _told(seconds: dict[str, list[float]], count: int) -> Measured:
    told = compared(seconds)
    rates = {name: figure(count / side["median"]) for name, side in told["seconds"].items()}
    return {**told, "pictures_per_s": rates}
