import threading

import pytest

from engine.estimate import Estimator

PIXELS = 512 * 512


def test_before_measuring_a_scene_counts_as_5_seconds() -> None:
    assert Estimator().image_s(25, PIXELS) == pytest.approx(5.0)


def test_before_measuring_time_scales_with_steps_and_pixels() -> None:
    assert Estimator().image_s(50, 4 * PIXELS) == pytest.approx(40.0)


def test_before_measuring_frames_cost_nothing() -> None:
    assert Estimator().frames_s(240, PIXELS) == 0.0


def test_without_guidance_a_step_costs_half() -> None:
    estimator = Estimator()
    estimator.observe("step", PIXELS, 2.0)
    assert estimator.image_s(10, PIXELS, guided=False) == pytest.approx(10.0)


def test_the_median_ignores_an_outlier() -> None:
    estimator = Estimator()
    for seconds in (1.0, 1.0, 100.0):
        estimator.observe("step", PIXELS, seconds)
    assert estimator.unit_s("step", PIXELS) == 1.0


def test_old_measurements_are_forgotten() -> None:
    estimator = Estimator()
    for seconds in [9.0] * 100 + [1.0] * 25:
        estimator.observe("step", PIXELS, seconds)
    assert estimator.unit_s("step", PIXELS) == 1.0


def test_another_size_is_scaled_from_the_nearest_one_measured() -> None:
    estimator = Estimator()
    estimator.observe("decode", 1000, 1.0)
    estimator.observe("decode", 100_000, 50.0)
    assert estimator.unit_s("decode", 2000) == pytest.approx(2.0)
    assert estimator.unit_s("decode", 200_000) == pytest.approx(100.0)


def test_a_picture_is_its_steps_its_decoding_and_its_file() -> None:
    estimator = Estimator()
    estimator.observe("step", PIXELS, 0.5)
    estimator.observe("decode", PIXELS, 2.0)
    estimator.observe("still", PIXELS, 0.25)
    assert estimator.image_s(10, PIXELS) == pytest.approx(7.25)


def test_frames_cost_what_they_were_measured_at() -> None:
    estimator = Estimator()
    estimator.observe("frame", PIXELS, 0.01)
    assert estimator.frames_s(240, 2 * PIXELS) == pytest.approx(4.8)


def test_frames_of_a_moving_camera_are_measured_apart() -> None:
    estimator = Estimator()
    estimator.observe("frame", PIXELS, 0.01)
    assert estimator.frames_s(10, PIXELS, moving=True) == pytest.approx(0.4)
    estimator.observe("moving frame", PIXELS, 0.03)
    assert estimator.frames_s(10, PIXELS, moving=True) == pytest.approx(0.3)
    assert estimator.frames_s(10, PIXELS) == pytest.approx(0.1)


def test_nothing_is_reported_before_it_was_measured() -> None:
    estimator = Estimator()
    assert estimator.unit_s("step", PIXELS) > 0
    assert estimator.measured() == {}


def test_measured_tells_of_the_size_measured_last() -> None:
    estimator = Estimator()
    estimator.observe("step", 100, 1.0)
    estimator.observe("step", 200, 5.0)
    assert estimator.measured() == {"step": 5.0}
    estimator.observe("step", 100, 1.0)
    assert estimator.measured() == {"step": 1.0}


def test_many_threads_may_measure_and_ask_at_once() -> None:
    estimator = Estimator()
    failures: list[Exception] = []

    def work(seed: int) -> None:
        try:
            for index in range(300):
                estimator.observe("step", 64 * (seed + index + 1), 1.0)
                estimator.image_s(25, index + 1)
                estimator.measured()
        except Exception as err:
            failures.append(err)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
