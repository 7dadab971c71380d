"""Clients by the hundred, and clients that dawdle, stop in the middle, or vanish."""

import asyncio
import os
from typing import Any

from tests.faults.service import IMAGE, STORY, Service
from tests.faults.wire import connect, follow, poll, read_to_end, request, vanish

POLLERS, FOLLOWERS, POLLS = 400, 100, 4
LONG = {**IMAGE, "num_inference_steps": 50}


def test_five_hundred_clients_are_all_answered(service: Service) -> None:
    handles = service.handles()
    bodies: list[tuple[str, dict[str, Any]]] = [("video", STORY), ("image", LONG), ("image", IMAGE)]
    jobs = [service.submit(body, f"/jobs/{kind}") for kind, body in bodies]

    async def ask() -> tuple[list[list[int]], list[list[str]]]:
        polls = (
            poll(service.url, jobs[n % 3]["links"]["self"], POLLS, 0.5) for n in range(POLLERS)
        )
        follows = (follow(service.url, jobs[n % 3]["links"]["events"]) for n in range(FOLLOWERS))
        return await asyncio.gather(asyncio.gather(*polls), asyncio.gather(*follows))

    statuses, events = asyncio.run(ask())
    assert statuses == [[200] * POLLS] * POLLERS
    assert all(names[-1] == "end" and set(names[:-1]) <= {"progress"} for names in events)
    assert [service.done(job)["state"] for job in jobs] == ["succeeded"] * 3
    service.until(lambda: service.handles() <= handles)


def test_slow_readers_hold_nobody_up(service: Service) -> None:
    handles = service.handles()
    job = service.done(service.submit(IMAGE))
    content = os.urandom(16 * 2**20)  # more than fits the buffers in between
    (service.data_dir / "jobs" / job["id"] / "image.png").write_bytes(content)
    waiting = service.submit(LONG)
    readers = [connect(service.url) for _ in range(10)]
    followers = [connect(service.url) for _ in range(10)]
    for reader, follower in zip(readers, followers, strict=True):
        reader.sendall(request(job["links"]["result"], Connection="close"))
        follower.sendall(request(waiting["links"]["events"], Connection="close"))
    assert service.client.post("/generate", json=IMAGE).status_code == 200
    assert service.done(waiting)["state"] == "succeeded"
    assert read_to_end(readers[0]) == content
    assert all(b"event: end" in read_to_end(follower) for follower in followers)
    for reader in readers[1:]:
        vanish(reader)
    service.until(lambda: service.handles() <= handles)


def test_half_sent_requests_make_no_job(service: Service) -> None:
    handles, before = service.handles(), service.journal()
    half = request("/jobs/image", "POST", length=1000, Content_Type="application/json")
    halves = [half + b'{"prompt": "a f', half, half[:20], b"\0\xff\r\n\r\n"]
    clients = [connect(service.url) for _ in range(40)]
    for number, client in enumerate(clients):
        client.sendall(halves[number % len(halves)])
    assert service.client.get("/health").status_code == 200
    assert service.client.post("/generate", json=IMAGE).status_code == 200
    for number, client in enumerate(clients):
        vanish(client) if number % 2 else client.close()
    service.until(lambda: service.handles() <= handles)
    assert len(service.journal()) == len(before) + 1


def test_clients_that_vanish_leave_nothing_behind(service: Service) -> None:
    handles, before = service.handles(), service.journal()
    job = service.draws(service.submit(LONG))
    paths = [job["links"]["events"], "/jobs", "/health", "/ui/"]
    clients = [connect(service.url) for _ in range(40)]
    for number, client in enumerate(clients):
        client.sendall(request(paths[number % len(paths)]))
    call = connect(service.url)
    body = b'{"prompt": "a fox", "num_inference_steps": 50, "width": 64, "height": 64}'
    head = request("/generate", "POST", length=len(body), Content_Type="application/json")
    call.sendall(head + body)
    service.until(lambda: len(service.journal()) == len(before) + 2)
    for client in [*clients, call]:
        vanish(client)
    assert service.done(job)["state"] == "succeeded"
    (left,) = service.journal().keys() - before.keys() - {job["id"]}
    assert service.done({"id": left})["state"] == "cancelled"
    service.until(lambda: service.handles() <= handles)
