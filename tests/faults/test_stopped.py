"""A server that is asked to stop, and one that finds its folder taken."""

import asyncio
import threading

import httpx

from tests.faults.conftest import MakeService
from tests.faults.service import IMAGE, STORY
from tests.faults.wire import follow

LONG = {**IMAGE, "num_inference_steps": 50}


def test_sigterm_closes_streams_and_keeps_the_work(make_service: MakeService) -> None:
    service = make_service(step_s=0.05).start()
    finished = service.done(service.submit(IMAGE))
    running = service.draws(service.submit({**STORY, "num_inference_steps": 50}, "/jobs/video"))
    waiting = [service.submit(IMAGE) for _ in range(3)]
    calls: list[httpx.Response] = []
    call = threading.Thread(
        target=lambda: calls.append(service.client.post("/generate", json=LONG))
    )
    call.start()
    service.until(lambda: len(service.journal()) == 6)

    async def follow_all() -> list[list[str]]:
        follows = [
            asyncio.create_task(follow(service.url, job["links"]["events"]))
            for job in [running, *waiting] * 5
        ]
        await asyncio.sleep(0.5)
        service.process.terminate()
        return await asyncio.gather(*follows)

    events = asyncio.run(follow_all())
    assert {names[-1] for names in events} == {"closing"}
    call.join()
    assert [answer.status_code for answer in calls] == [503]
    assert service.ended() == 0
    assert service.parts() == []
    states = service.journal()
    assert [states.pop(job["id"]) for job in [running, *waiting]] == ["queued"] * 4
    assert states.pop(finished["id"]) == "succeeded"
    assert list(states.values()) == ["cancelled"]  # its caller has gone
    service.start()
    for job in [running, *waiting]:
        assert service.done(job)["state"] == "succeeded"
    assert service.stop() == 0


def test_a_second_process_leaves_the_folder_to_the_first(make_service: MakeService) -> None:
    first, second = make_service().start(), make_service()
    before = first.journal()
    assert second.begin().ended() == 1
    assert str(first.data_dir) in second.said() and "--data-dir" in second.said()
    assert "Traceback" not in second.said()
    assert first.journal() == before
    assert first.client.post("/generate", json=IMAGE).status_code == 200
