"""How soon the device is idle after a cancel, from every face."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client

from tests.faults.conftest import MakeService, Tell
from tests.faults.service import IMAGE, SMALL, Service

STEP_S = 0.2
LONG = {**IMAGE, "num_inference_steps": 50}
POLLED_S = 0.3
"""How often the page's endpoints look whether their client is still there."""


def test_a_cancel_frees_the_device_within_a_step(
    make_service: MakeService, pytestconfig: pytest.Config, tell: Tell
) -> None:
    service = make_service(step_s=STEP_S).start()
    page = Client(f"{service.url}/ui/", verbose=False)
    ways: dict[str, Callable[..., tuple[int, float]]] = {
        "REST": lambda: cancel_by_rest(service),
        "gradio_client": lambda: cancel_by_page(service, page),
    }
    rounds = pytestconfig.getoption("--rounds")
    for name, cancel in ways.items():
        taken = [cancel() for _ in range(rounds)]
        steps, seconds = (max(values) for values in zip(*taken, strict=True))
        # One is under way, and one may begin before the cancel is heard.
        assert steps <= 2 + (POLLED_S / STEP_S if name == "gradio_client" else 0)
        tell(
            f"cancel by {name}, running, {rounds} times: at worst {steps} steps of {STEP_S} s "
            f"ended after it, the last {seconds:.2f} s after it"
        )


def test_a_cancelled_job_that_waits_is_never_drawn(
    make_service: MakeService, pytestconfig: pytest.Config
) -> None:
    service = make_service(step_s=STEP_S).start()
    page = Client(f"{service.url}/ui/", verbose=False)
    first = service.draws(service.submit(LONG))
    for _ in range(pytestconfig.getoption("--rounds")):
        waiting = service.submit(IMAGE)
        view = service.client.delete(waiting["links"]["self"]).json()
        assert (view["state"], view["started_at"]) == ("cancelled", None)
        known = set(service.journal())
        asked = page.submit(prompt="a fox", **SMALL, api_name="/generate_image")
        service.until(lambda known=known: set(service.journal()) - known)
        (left,) = set(service.journal()) - known
        asked.cancel()
        service.until(lambda left=left: service.journal()[left] == "cancelled")
        started = service.query(f"SELECT started_at FROM jobs WHERE id = '{left}'")
        assert started == [(None,)]
    service.client.delete(first["links"]["self"])
    service.done(first)


def cancel_by_rest(service: Service) -> tuple[int, float]:
    job = service.draws(service.submit(LONG))
    return after(service, lambda: service.client.delete(job["links"]["self"]))


def cancel_by_page(service: Service, page: Client) -> tuple[int, float]:
    before = len(service.steps())
    job = page.submit(
        prompt="a fox", **{**SMALL, "num_inference_steps": 50}, api_name="/generate_image"
    )
    service.until(lambda: len(service.steps()) > before + 1)
    return after(service, job.cancel)


def after(service: Service, cancel: Callable[[], Any]) -> tuple[int, float]:
    """How many steps ended after a cancel was asked for, and how long after the last did."""
    asked = time.monotonic()
    cancel()
    service.until(lambda: "running" not in service.journal().values())
    late = [at - asked for at in service.steps() if at > asked]
    return len(late), max(late, default=0.0)
