import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import Engine, ImageRequest, JobState
from engine.errors import (
    BadOutput,
    ModelUnavailable,
    ResultGone,
    ShuttingDown,
)
from engine.jobs import Job
from engine.sampler import Sampler
from engine.settings import Settings
from engine.snapshots import VideoResult
from tests.conftest import EngineFactory
from tests.work import files, image, ready, story, until


def pixels(engine: Engine, job: Job) -> Any:
    assert job.wait(60)
    with Image.open(engine.result(job).path) as picture:
        return np.asarray(picture)


def test_same_seed_same_pixels_whatever_is_queued_behind(engine: Engine) -> None:
    alone = pixels(engine, engine.submit(image(seed=3)))
    jobs = [engine.submit(image(seed=seed)) for seed in (3, 4, 3)]
    first, other, again = (pixels(engine, job) for job in jobs)
    assert np.array_equal(first, alone) and np.array_equal(again, alone)
    assert not np.array_equal(other, alone)


def test_a_seed_is_drawn_when_none_is_given_and_told(engine: Engine) -> None:
    jobs = [engine.submit(image()) for _ in range(2)]
    assert all(job.wait(60) for job in jobs)
    assert jobs[0].seed != jobs[1].seed
    result = engine.result(jobs[0])
    assert result.seed == jobs[0].seed
    repeated = engine.submit(image(seed=result.seed))
    assert np.array_equal(pixels(engine, repeated), pixels(engine, jobs[0]))


def test_a_story_is_made_end_to_end(engine: Engine) -> None:
    job = engine.submit(story(3, seed=1))
    assert job.wait(60)
    result = engine.result(job)
    assert isinstance(result, VideoResult)
    assert (result.scenes, result.total_frames, result.seed) == (3, 13, 1)
    assert all(path.is_file() for path in (result.path, result.poster, *result.stills))
    assert not [path for path in files(engine) if path.name.endswith(".part")]


def test_a_scene_is_the_image_of_its_prompt_and_seed(engine: Engine) -> None:
    job = engine.submit(story(2, hero_description="a fox", seed=7))
    alone = engine.submit(image("a fox, a scene", seed=8))
    assert job.wait(60)
    result = engine.result(job)
    assert isinstance(result, VideoResult)
    with Image.open(result.stills[1]) as still:
        assert np.array_equal(np.asarray(still), pixels(engine, alone))


def test_cancelling_frees_the_device_for_the_next_job(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(engine)
    long = engine.submit(image(num_inference_steps=50))
    following = engine.submit(image())
    until(lambda: long.snapshot().progress.step >= 1)
    assert long.cancel() in {JobState.RUNNING, JobState.CANCELLED}
    assert long.wait(60) and following.wait(60)
    assert long.state is JobState.CANCELLED and following.state is JobState.SUCCEEDED
    assert long.snapshot().progress.step < 50
    assert engine.result(following).path.is_file()


def test_two_denoising_loops_never_run_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate, running, most = Sampler.generate, threading.Semaphore(1), []

    def watched(self: Sampler, *arguments: Any) -> Any:
        free = running.acquire(blocking=False)
        most.append(free)
        try:
            return generate(self, *arguments)
        finally:
            running.release()

    monkeypatch.setattr(Sampler, "generate", watched)
    jobs = [engine.submit(image()) for _ in range(6)] + [engine.submit(story())]
    for job in jobs[::2]:
        job.cancel()
    assert all(job.wait(60) for job in jobs)
    assert len(most) >= 3 and all(most)


def test_results_submitted_from_many_threads_are_all_whole(make_engine: EngineFactory) -> None:
    engine = make_engine(max_queue=1000)
    jobs: list[Job] = []
    gate = threading.Barrier(16)

    def work(number: int) -> None:
        gate.wait()
        jobs.append(engine.submit(image(seed=number, format=("png", "jpeg")[number % 2])))
        if number % 8 == 0:
            jobs.append(engine.submit(story()))
        if number % 4 == 0:
            jobs[-1].cancel()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 18 and all(job.wait(60) for job in jobs)
    for job in jobs:
        assert job.state in {JobState.SUCCEEDED, JobState.CANCELLED}
        if job.state is JobState.SUCCEEDED and isinstance(job.request, ImageRequest):
            assert pixels(engine, job).shape == (64, 64, 3)
    assert not [path for path in files(engine) if path.name.endswith(".part")]
    assert engine.status().waiting_tasks == 0 and not engine.status().running


def test_invalid_numbers_fail_the_job_and_not_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = Sampler.generate

    def damaged(self: Sampler, *arguments: Any) -> Any:
        bias = self.model.pipeline.unet.conv_out.bias.data
        kept = bias.clone()
        bias.fill_(float("nan"))
        try:
            return generate(self, *arguments)
        finally:
            bias.copy_(kept)

    with monkeypatch.context() as patch:
        patch.setattr(Sampler, "generate", damaged)
        bad = engine.submit(image())
        assert bad.wait(60)
    assert isinstance(bad.error, BadOutput) and files(engine) == []
    good = engine.submit(image())
    assert good.wait(60) and good.state is JobState.SUCCEEDED


def test_a_failed_job_keeps_no_tensors(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(engine)
    kept: list[weakref.ref[Any]] = []

    def fail(self: Sampler, *_: Any) -> Any:
        activation = np.zeros(10)
        kept.append(weakref.ref(activation))
        raise BadOutput("NaN")

    monkeypatch.setattr(Sampler, "generate", fail)
    job = engine.submit(image())
    assert job.wait(60) and job.error is not None
    until(lambda: not engine.status().running)
    gc.collect()
    assert kept[0]() is None


def test_the_status_tells_what_is_loaded(engine: Engine) -> None:
    status = ready(engine).status()
    assert status.facts is not None and status.problem is None
    assert (status.device, status.facts.dtype, status.facts.name) == ("cpu", "float32", "tiny")
    assert {"torch", "diffusers"} <= set(status.versions)


def test_a_plan_tells_the_tokens_of_each_scene(engine: Engine) -> None:
    plan = ready(engine).plan(story(2, hero_description="abc"))
    # The tiny tokenizer has one token a letter: "abc, a scene".
    assert (plan.scene_tokens, plan.token_window) == ([10, 10], 75)


def test_planning_is_safe_while_drawing(engine: Engine) -> None:
    jobs = [engine.submit(image("a cat " * 40)) for _ in range(3)]
    ready(engine)
    while not all(job.state.is_terminal for job in jobs):
        assert engine.plan(story(2)).scene_tokens == [6, 6]
    assert {job.state for job in jobs} == {JobState.SUCCEEDED}


def test_estimates_learn_from_work(engine: Engine) -> None:
    before = engine.estimate_s(image())
    job = engine.submit(image())
    assert job.wait(60)
    until(lambda: not engine.status().running)
    assert engine.status().measured_s.keys() >= {"step", "decode", "png"}
    assert engine.estimate_s(image()) != before


def test_a_result_whose_file_is_gone_is_told(engine: Engine) -> None:
    job = engine.submit(image())
    assert job.wait(60)
    engine.result(job).path.unlink()
    with pytest.raises(ResultGone):
        engine.result(job)


@pytest.fixture
def broken(make_engine: EngineFactory) -> Engine:
    engine = make_engine(model="/nowhere/at/all")
    until(lambda: engine.status().model_state == "unavailable")
    return engine


def test_without_a_model_requests_are_refused_with_the_cause(broken: Engine) -> None:
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="does not exist") as caught:
            broken.submit(image())
        assert caught.value.advice
    assert broken.status().problem is not None


def test_without_a_model_plans_are_still_made(broken: Engine) -> None:
    plan = broken.plan(story(3))
    assert plan.total_frames == 13 and plan.scene_tokens is None


def test_jobs_that_waited_for_a_model_fail_with_its_cause(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def fail(self: Engine, hand_off: object) -> Any:
        go.wait(30)
        raise ModelUnavailable("gone", advice="find it")

    monkeypatch.setattr(Engine, "_open_drawer", fail)
    engine = make_engine()
    jobs = [engine.submit(image()) for _ in range(3)]
    go.set()
    assert all(job.wait(30) for job in jobs)
    assert [type(job.error) for job in jobs] == [ModelUnavailable] * 3
    with pytest.raises(ModelUnavailable, match="gone"):
        engine.submit(image())
    assert engine.status().waiting_tasks == 0


def test_a_defect_while_loading_leaves_the_process_alive(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Engine, hand_off: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "_open_drawer", fail)
    engine = make_engine()
    until(lambda: engine.status().model_state == "unavailable")
    with pytest.raises(ModelUnavailable, match="ZeroDivisionError"):
        engine.submit(image())


def test_closing_ends_real_work(
    threads_before: set[threading.Thread], make_engine: EngineFactory
) -> None:
    engine = ready(make_engine())
    jobs = [engine.submit(image(num_inference_steps=50)), engine.submit(story(5))]
    until(lambda: jobs[0].snapshot().progress.step >= 1)
    engine.close()
    assert [type(job.error) for job in jobs if job.wait(0)] == [ShuttingDown] * 2
    assert set(threading.enumerate()) - threads_before == set()
    assert not [path for path in files(engine) if path.name.endswith(".part")]


def test_loading_can_wait_and_jobs_with_it(make_settings: Callable[..., Settings]) -> None:
    engine = Engine(make_settings(), load_now=False)
    job = engine.submit(image())
    assert engine.status().model_state == "loading" and job.state is JobState.QUEUED
    engine.load()
    engine.load()
    assert job.wait(60) and job.state is JobState.SUCCEEDED
    engine.close()


def test_an_engine_that_never_loaded_closes(make_settings: Callable[..., Settings]) -> None:
    engine = Engine(make_settings(), load_now=False)
    job = engine.submit(image())
    engine.close()
    assert isinstance(job.error, ShuttingDown)


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        Engine(Settings(data_dir=tmp_path / "file" / "data"))
