"""What would end a thread fails one job, and the device goes on."""

from collections.abc import Callable

import pytest

from engine.errors import InternalError
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest
from engine.snapshots import JobState, Result
from tests.house import RESULT, MakeHouse, failing_worker


@pytest.mark.parametrize("fault", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("where", ["drawing", "finishing"])
def test_what_would_end_a_thread_fails_the_job_and_not_the_next(
    house: MakeHouse, fault: BaseException, where: str
) -> None:
    faults = [fault]

    def draw(job: Job) -> Callable[[], Result]:
        if faults and where == "drawing":
            raise faults.pop()
        return finish

    def finish() -> Result:
        if faults:
            raise faults.pop()
        return RESULT

    made = house(draw)
    bad, good = made.submit(), made.submit()
    assert bad.wait(10) and good.wait(10)
    assert isinstance(bad.error, InternalError) and good.state is JobState.SUCCEEDED
    assert made.worker.unfinished() == []


def test_the_thread_goes_on_after_a_fault_that_is_no_jobs(
    house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbling(JobQueue):
        fell = False

        def take(self) -> Job | None:
            if not self.fell:
                self.fell = True
                raise SystemExit("secret words")
            return super().take()

    made = house(queue=Stumbling(10))
    assert made.submit().wait(10)
    assert "stumbled" in caplog.text and not made.problems


def test_a_job_at_whose_start_the_thread_stumbles_fails(house: MakeHouse) -> None:
    def stumble(job: Job) -> None:
        if job.state is JobState.RUNNING:
            raise SystemExit(1)

    made = house()
    bad = Job(ImageRequest(prompt="a cat"), seed=1, on_change=stumble)
    assert made.queue.put(bad)
    good = made.submit()
    assert bad.wait(10) and good.wait(10)
    assert isinstance(bad.error, InternalError) and good.state is JobState.SUCCEEDED
    assert made.worker.unfinished() == []


def test_a_library_that_exits_while_loading_is_told_as_unavailable() -> None:
    (problem,) = failing_worker(SystemExit(1))
    assert "SystemExit" in problem.message
